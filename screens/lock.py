"""The locked screen: nothing of what was open is seen until the password is given again."""

from __future__ import annotations

from gettext import gettext as _
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from omnicrm_tui.errors import CrmError
from screens.base import CrmScreen
from screens.desk import sentence
from widgets.controls import TextLine
from widgets.text import visible


class LockScreen(CrmScreen):
    """Covers everything; `esc` does not leave it. Who came by an SSH key may have no password, and can end it all."""

    TITLE = _("Locked")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "end", _("End the session"), id="lock.end", priority=True, tooltip=_("End the session"))
    ]

    DEFAULT_CSS = """
    LockScreen #middle { align: center middle; height: 1fr; }
    LockScreen #lock { width: 50; height: auto; }
    LockScreen #no-password { color: $text-muted; height: auto; margin: 1 0 0 0; }
    LockScreen #wrong { color: $text-error; text-style: bold; height: auto; min-height: 1; }
    """

    def body(self) -> ComposeResult:
        with Vertical(id="middle"), Vertical(id="lock"):
            yield Static(visible(_("Locked by {name}. Password:").format(name=self.crm_app.person)), markup=False)
            yield TextLine(password=True)
            yield Static("", id="wrong", markup=False)
            if self.crm_app.sign_in.by_ssh_key:
                told = _(
                    "You came with an SSH key. If you have no password, ctrl+o ends the session: open forms are kept, "
                    "and you connect again."
                )
                yield Static(told, id="no-password", markup=False)

    def on_mount(self) -> None:
        self.query_one(TextLine).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whoever typed a password to come in can do so again."""
        return self.crm_app.sign_in.by_ssh_key if action == "end" else super().check_action(action, parameters)

    def action_end(self) -> None:
        """Leave without the password, for good: whoever sits here now gets nothing of what was open."""
        self.crm_app.end_locked()

    def action_back(self) -> None:
        """Only the password leads back."""

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.value:
            self.do(lambda: self._unlock(message.value), exclusive=True, on_error=self._wrong)

    async def _unlock(self, password: str) -> None:
        await self.crm_app.sign_in.check_password(self.crm_app.person, password)
        self.crm_app.locked = False
        self.app.pop_screen()

    def _wrong(self, error: CrmError) -> None:
        self.query_one("#wrong", Static).update(visible(sentence(error)))
        self.query_one(TextLine).value = ""
