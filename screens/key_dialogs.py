"""Dialogs of API keys: which permissions, and the key itself, for this once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from gettext import gettext as _
from gettext import ngettext
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from omnicrm_tui.errors import CrmError, InvalidInput
from screens.base import Dialog, T
from screens.desk import sentence
from widgets.clipboard import copy
from widgets.controls import TextLine
from widgets.text import fit, visible

if TYPE_CHECKING:
    from omnicrm_tui.identity.key_schemas import NewApiKey


class Finder(TextLine):
    """Takes every character but the blank, which marks."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Leave the blank to the dialog."""
        return key != "space" and super().check_consume_key(key, character)


class ChoosePermissions(Dialog[T]):
    """A list to mark in; typing narrows it down. `save` gets the marked names and returns the dialog's result."""

    DEFAULT_CSS = """
    ChoosePermissions #box { width: 76; height: 21; }
    ChoosePermissions OptionList { height: 1fr; border: none; padding: 0; background: $surface; }
    ChoosePermissions #marked { height: 1; color: $text-muted; }
    ChoosePermissions #problem { height: auto; color: $text-error; text-style: bold; display: none; }
    ChoosePermissions #problem.-open { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", _("Down"), show=False, priority=True, id="choose.down"),
        Binding("up,ctrl+p", "move(-1)", _("Up"), show=False, priority=True, id="choose.up"),
        Binding("pagedown", "move(10)", _("Page down"), show=False, priority=True, id="choose.page-down"),
        Binding("pageup", "move(-10)", _("Page up"), show=False, priority=True, id="choose.page-up"),
        Binding("space", "mark", _("Mark"), show=False, priority=True, id="choose.mark", tooltip=_("Mark or unmark")),
        Binding("ctrl+s", "save", _("Save"), priority=True, id="form.save", tooltip=_("Check and save")),
    ]

    keys = _("type to find   space mark   ctrl+s save   esc leave")

    def __init__(
        self,
        heading: str,
        offered: Sequence[tuple[str, str]],
        marked: Sequence[str],
        save: Callable[[list[str]], Awaitable[T]],
    ) -> None:
        super().__init__()
        self.heading = heading
        self._offered = offered
        self._marked = dict.fromkeys(marked)
        self._before = list(marked)
        self._save = save
        self._shown: list[str] = []
        self._saving = False

    @property
    def unsaved(self) -> bool:
        """Whether leaving would lose something."""
        return list(self._marked) != self._before

    def body(self) -> ComposeResult:
        yield Finder(placeholder=_("Part of a permission's name"))
        yield OptionList(markup=False)
        yield Static("", id="marked", markup=False)
        yield Static("", id="problem", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(TextLine).focus()
        self._show(0)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Show what matches."""
        message.stop()
        self._show(0)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter marks too."""
        message.stop()
        self.action_mark()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A click."""
        message.stop()
        self.action_mark()

    def _show(self, at: int) -> None:
        words = self.query_one(TextLine).text.lower().split()
        found = [(n, label) for n, label in self._offered if all(word in f"{n} {label}".lower() for word in words)]
        self._shown = [name for name, _label in found]
        lines = self.query_one(OptionList)
        lines.clear_options()
        lines.add_options([Option(_line(name in self._marked, name, label)) for name, label in found])
        lines.highlighted = min(at, len(found) - 1) if found else None
        count = len(self._marked)
        self.query_one("#marked", Static).update(ngettext("{n} marked", "{n} marked", count).format(n=count))

    def action_move(self, by: int) -> None:
        """Go to another line."""
        lines = self.query_one(OptionList)
        if self._shown:
            lines.highlighted = max(0, min(len(self._shown) - 1, (lines.highlighted or 0) + by))

    def action_mark(self) -> None:
        """Mark the line, or take its mark away."""
        lines = self.query_one(OptionList)
        if lines.highlighted is None:
            return
        at, top = lines.highlighted, lines.scroll_y
        name = self._shown[at]
        if name in self._marked:
            del self._marked[name]
        else:
            self._marked[name] = None
        self._show(at)
        lines.scroll_to(y=top, animate=False)

    def action_save(self) -> None:
        """Save what is marked; a second ctrl+s while that runs does nothing."""
        if not self._saving:
            self._saving = True
            self.do(self._saved, on_error=self._wrong)

    async def _saved(self) -> None:
        try:
            result = await self._save(list(self._marked))
        finally:
            self._saving = False
        self.finish(result)

    def _wrong(self, error: CrmError) -> None:
        fields = error.fields if isinstance(error, InvalidInput) else {}
        text = "; ".join(f"{name}: {why}" for name, why in fields.items()) or sentence(error)
        problem = self.query_one("#problem", Static)
        problem.update(visible(text))
        problem.add_class("-open")

    def action_leave(self) -> None:
        """Close; ask first when something was marked."""
        if not self.unsaved:
            self.finish(None)
            return
        from screens.dialogs import Confirm

        question = Confirm(_("Leave without saving?"), _("What you entered is lost."), yes=_("Leave"))
        self.app.push_screen(question, lambda leave: self.finish(None) if leave else None)


def _line(marked: bool, name: str, label: str) -> Text:
    shown = name if label == name else f"{fit(label, 40)} {name}"
    return Text(f" [{'x' if marked else ' '}] {visible(shown)}", no_wrap=True, overflow="ellipsis")


class ShownOnce(Dialog[None]):
    """A new key, whole (PLT-260). Who closes it without having copied it is asked first."""

    DEFAULT_CSS = """
    ShownOnce #box { width: 72; border: round $warning; }
    ShownOnce #key { height: auto; margin: 1 0; text-style: bold; }
    ShownOnce #thoughts { height: auto; color: $text-warning; }
    ShownOnce #told { height: auto; color: $text-muted; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,c", "copy", _("Copy"), id="key.copy", tooltip=_("Copy the key to the clipboard")),
    ]

    keys = _("y copy to clipboard   esc close")

    def __init__(self, made: NewApiKey) -> None:
        super().__init__()
        self.heading = _("API key {name}").format(name=made.name)
        self._key = made.api_key
        self._warnings = made.warnings
        self._copied = False

    def body(self) -> ComposeResult:
        yield Static(_("Copy this key now - it will not be shown again!"), markup=False)
        yield Static(self._key, id="key", markup=False)
        yield Static(_("Programs send it in the header X-API-KEY, commands in OMNICRM_API_KEY."), id="told")
        if self._warnings:
            yield Static("\n".join(f"! {warning}" for warning in self._warnings), id="thoughts", markup=False)

    def action_copy(self) -> None:
        """Copy the key (OSC 52)."""
        copy(self.app, self._key)
        self._copied = True
        self.query_one("#told", Static).update(_("Copied. Keep it where only its system can read it."))

    def action_leave(self) -> None:
        """Close; ask first when the key was not copied."""
        if self._copied:
            self.finish(None)
            return
        from screens.dialogs import Confirm

        lost = _("A key that nobody kept has to be made anew.")
        question = Confirm(_("Close without copying the key?"), lost, yes=_("Close"))
        self.app.push_screen(question, lambda sure: self.finish(None) if sure else None)
