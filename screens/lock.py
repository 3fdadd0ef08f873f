"""The locked screen: nothing of what was open is seen until the password is given again."""

from __future__ import annotations

from gettext import gettext as _

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from omnicrm_tui.errors import CrmError
from screens.base import CrmScreen
from screens.desk import sentence
from widgets.controls import TextLine
from widgets.text import visible


class LockScreen(CrmScreen):
    """Covers everything; `esc` does not leave it."""

    TITLE = _("Locked")

    DEFAULT_CSS = """
    LockScreen #middle { align: center middle; height: 1fr; }
    LockScreen #lock { width: 50; height: auto; }
    LockScreen #wrong { color: $text-error; text-style: bold; height: auto; min-height: 1; }
    """

    def body(self) -> ComposeResult:
        with Vertical(id="middle"), Vertical(id="lock"):
            yield Static(visible(_("Locked by {name}. Password:").format(name=self.crm_app.person)), markup=False)
            yield TextLine(password=True)
            yield Static("", id="wrong", markup=False)

    def on_mount(self) -> None:
        self.query_one(TextLine).focus()

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
