"""The small dialogs that many screens use: a question with yes and no, a form, a text to read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from gettext import gettext as _
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from omnicrm_tui.errors import CrmError, InvalidInput
from omnicrm_tui.schemas import Input as Schema
from omnicrm_tui.schemas import parse
from screens.base import Dialog
from screens.desk import sentence
from widgets.form import Field, Form
from widgets.text import visible

T = TypeVar("T")


class Confirm(Dialog[bool]):
    """Asks before something that cannot be taken back. `detail` says what will happen, in numbers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", _("Yes"), id="confirm.yes"),
        Binding("n", "answer(False)", _("No"), id="confirm.no"),
    ]

    DEFAULT_CSS = """
    Confirm #box { width: 60; border: round $warning; }
    Confirm .confirm--detail { color: $text-muted; margin: 0 0 1 0; }
    """

    def __init__(self, question: str, detail: str = "", *, yes: str = "", no: str = "") -> None:
        super().__init__()
        self.heading = question
        self._detail = detail
        self._yes = yes or _("Yes")
        self._no = no or _("No")
        self.keys = f"y {self._yes}   n {self._no}"

    def body(self) -> ComposeResult:
        yield Static(
            "\n".join(visible(line) for line in self._detail.splitlines()), classes="confirm--detail", markup=False
        )

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.finish(yes)

    def action_leave(self) -> None:
        """Leaving is no."""
        self.finish(False)


class Reading(Dialog[None]):
    """A text to read and scroll; every line of it is shown literally."""

    DEFAULT_CSS = """
    Reading #box { width: 76; height: auto; max-height: 90%; }
    Reading VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    """

    keys = _("↑↓ scroll   esc close")

    def __init__(self, heading: str, lines: Sequence[str]) -> None:
        super().__init__()
        self.heading = heading
        self._lines = lines

    def body(self) -> ComposeResult:
        yield VerticalScroll(Static("\n".join(visible(line) for line in self._lines), markup=False))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


class FormDialog(Dialog[T], Generic[T]):
    """Creates or edits a record: `save` gets the validated schema object and returns the dialog's result.

    With `only_changed`, the schema gets only what the person changed, and `extra` (such as the version). What
    the schema or the service (InvalidInput) finds wrong is shown at its field; any other CrmError at the foot.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", _("Save"), id="form.save", priority=True, tooltip=_("Check and save")),
    ]

    DEFAULT_CSS = """
    FormDialog #problem { height: auto; color: $text-error; text-style: bold; display: none; }
    FormDialog #problem.-open { display: block; }
    FormDialog #box { height: auto; max-height: 100%; }
    """

    keys = _("ctrl+s save   tab next   esc leave")

    def __init__(
        self,
        heading: str,
        schema: type[Schema],
        fields: Sequence[Field],
        save: Callable[[Any], Awaitable[T]],
        *,
        values: Mapping[str, Any] | None = None,
        only_changed: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.heading = heading
        self._schema = schema
        self._save = save
        self._only_changed = only_changed
        self._extra = dict(extra or {})
        self._saving = False
        self.form = Form(fields, values)

    def body(self) -> ComposeResult:
        yield self.form
        yield Static("", id="problem", markup=False)

    def on_mount(self) -> None:
        self.form.focus_first()

    @property
    def unsaved(self) -> bool:
        """Whether leaving would lose something."""
        return self.form.changed

    def on_form_completed(self) -> None:
        """Enter on the last field saves."""
        self.action_save()

    def action_save(self) -> None:
        """Check what was entered, and save it; a second ctrl+s while that runs does nothing."""
        if self._saving:
            return
        if self._only_changed and not self.form.changed:
            self.finish(None)
            return
        try:
            data = parse(self._schema, {**self.form.values(only_changed=self._only_changed), **self._extra})
        except InvalidInput as error:
            self._show(error)
            return
        self._saving = True
        self.do(lambda: self._saved(data), on_error=self._show)

    async def _saved(self, data: Any) -> None:
        try:
            result = await self._save(data)
        finally:
            self._saving = False
        self.finish(result)

    def _show(self, error: CrmError) -> None:
        errors = error.fields if isinstance(error, InvalidInput) else {}
        elsewhere = self.form.show_errors(errors)
        text = elsewhere if errors else sentence(error)
        problem = self.query_one("#problem", Static)
        problem.update(visible(text))
        problem.set_class(bool(text), "-open")

    def action_leave(self) -> None:
        """Close; ask first when something was entered."""
        if not self.unsaved:
            self.finish(None)
            return

        def answered(leave: bool | None) -> None:
            if leave:
                self.finish(None)

        self.app.push_screen(
            Confirm(_("Leave without saving?"), _("What you entered is lost."), yes=_("Leave")), answered
        )
