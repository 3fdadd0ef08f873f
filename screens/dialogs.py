"""The small dialogs that many screens use: a question with yes and no, a form, a text to read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from gettext import gettext as _
from typing import Any, ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Input, Static

from omnicrm_tui.errors import CrmError, InvalidInput
from omnicrm_tui.schemas import Input as Schema
from omnicrm_tui.schemas import parse
from screens.base import Dialog
from screens.desk import sentence
from screens.drafts import Draft, DraftFile, draft_file
from widgets.controls import OneLine
from widgets.form import Field, Form
from widgets.text import visible

T = TypeVar("T")

KEEP_SECONDS = 2.0
"""How much of somebody's typing a process that is killed may lose."""


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

    `about` names the form and its record ("edit customer 4711"): what is entered is then kept as a draft until it
    is saved or left, and offered again after a connection broke. `again` is the action that opens the form.
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
        about: str = "",
        again: str = "",
    ) -> None:
        super().__init__()
        self.heading = heading
        self._about = about
        self._again = again
        self._draft: DraftFile | None = None
        self._keeping: Timer | None = None
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
        if not self.form.is_attached:
            return  # left before it was there, as a form is that is opened after something was read
        self.form.focus_first()
        self._draft = draft_file(self.desk.settings.home, self.desk.actor, self._about)
        if self._draft is not None:
            taken, self.crm_app.taken_draft = self.crm_app.taken_draft == self._about, ""
            self.do(partial(self._offer_draft, taken), group="draft")

    @property
    def unsaved(self) -> bool:
        """Whether leaving would lose something."""
        return self.form.changed

    # The draft

    async def _offer_draft(self, taken: bool) -> None:
        kept = await asyncio.to_thread(self._draft.read, self.desk.now()) if self._draft else None
        if self._draft is None or kept is None:
            return
        answer: str | None = "take"
        if not taken:
            from screens.unfinished import DraftOffer

            answer = await self.app.push_screen_wait(DraftOffer(kept))
        if answer == "take":
            changed = self.form.enter(kept.values, kept.before)
            if changed:
                words = _("Changed by somebody else meanwhile: {fields}. Look before you save.")
                self.tell(words.format(fields=", ".join(changed)), severity="warning")
        elif answer == "drop":
            self.forget_draft()
            self._draft = draft_file(self.desk.settings.home, self.desk.actor, self._about)

    @on(Input.Changed)
    @on(OneLine.Changed)
    def _entered(self) -> None:
        """Keep what is entered, every other second at most."""
        if self._draft is not None and self._keeping is None and self.form.changed:
            self._keeping = self.set_timer(KEEP_SECONDS, self._keep_beside)

    def on_text_area_changed(self) -> None:
        """The control for several lines is imported where it is used."""
        self._entered()

    def _keep_beside(self) -> None:
        self._keeping = None
        draft = self._entered_so_far()
        if self._draft is not None and draft is not None:
            self.do(partial(asyncio.to_thread, _keep, self._draft, draft), group="draft")

    def keep_draft(self) -> None:
        """Keep what is entered, at once: the terminal is gone, or the session over."""
        draft = self._entered_so_far()
        if self._draft is not None and draft is not None:
            _keep(self._draft, draft)

    def forget_draft(self) -> None:
        """Remove the draft: it is saved, or left on purpose."""
        if self._draft is not None:
            self._draft.drop()

    def _entered_so_far(self) -> Draft | None:
        values, before = self.form.entered()
        if not values:
            return None
        below = self.app.screen_stack[self.app.screen_stack.index(self) - 1] if self in self.app.screen_stack else None
        return Draft(
            about=self._about,
            heading=self.heading,
            at=self.desk.now(),
            values=values,
            before=before,
            room=self.app.current_mode,
            place=getattr(below, "place", None),
            action=self._again,
        )

    def finish(self, result: T | None) -> None:
        """Close with `result`; there is nothing left to keep."""
        self.forget_draft()
        super().finish(result)

    # Saving

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


def _keep(file: DraftFile, draft: Draft) -> None:
    """A draft that cannot be kept must not keep anybody from going on."""
    with suppress(OSError):
        file.keep(draft)
