"""The second factor at log-in: the authenticator's code, or a recovery code."""

from __future__ import annotations

from gettext import gettext as _
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from omnicrm_tui.errors import AccountLocked, CrmError, NotAuthenticated
from omnicrm_tui.identity.schemas import LoginResult
from screens.base import Dialog
from screens.desk import sentence
from widgets.controls import TextLine
from widgets.text import visible

CODE_DIGITS = 6
"""What authenticators show; the last digit sends them (PLT-180)."""


def digits_of(typed: str) -> str:
    """Return the six digits that were typed, blanks aside; "" while they are not complete."""
    code = "".join(typed.split())
    return code if len(code) == CODE_DIGITS and code.isdecimal() else ""


class DigitLine(TextLine):
    """Takes digits alone: every other key is free to do something."""

    def __init__(self) -> None:
        super().__init__()
        self.restrict = r"[0-9 ]*"

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Leave letters to whoever has bound them."""
        return character is not None and (character.isdecimal() or character == " ")


class SecondFactor(Dialog[LoginResult]):
    """Asks for a code, on one of two tabs (PLT-173, PLT-180..183); left with `esc`, it leads back to the log-in."""

    heading = _("Second factor")
    keys = _("tab the other kind of code   enter go on   esc back")

    DEFAULT_CSS = """
    SecondFactor #kinds { margin: 0 0 1 0; }
    SecondFactor #wrong { color: $text-error; height: auto; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab,shift+tab,left_square_bracket,right_square_bracket",
            "switch",
            _("The other kind of code"),
            priority=True,
            id="code.kind",
        )
    ]

    def __init__(self, challenge_token: str, remember: bool) -> None:
        super().__init__()
        self._challenge = challenge_token
        self._remember = remember
        self._checking = False
        self._recovery = False

    def body(self) -> ComposeResult:
        yield Static(id="kinds", markup=False)
        yield Static(id="asked", markup=False)
        yield TextLine()
        yield Static("", id="wrong", markup=False)

    def on_mount(self) -> None:
        self.query_one(TextLine).focus()
        self._ask()

    def action_switch(self) -> None:
        """Go over to the other kind of code."""
        self._recovery = not self._recovery
        self.query_one(TextLine).value = ""
        self._ask()

    def _ask(self) -> None:
        chosen, other = "reverse bold", ""
        self.query_one("#kinds", Static).update(
            Text.assemble(
                (f" {_('Authenticator')} ", other if self._recovery else chosen),
                " ",
                (f" {_('Recovery code')} ", chosen if self._recovery else other),
            )
        )
        asked = (
            _("One of your recovery codes that is not used yet:")
            if self._recovery
            else _("The 6 digits that your authenticator shows now:")
        )
        self.query_one("#asked", Static).update(asked)
        self.query_one("#wrong", Static).update("")

    def on_input_changed(self, message: Input.Changed) -> None:
        """The sixth digit sends the code."""
        message.stop()
        code = "" if self._recovery else digits_of(message.value)
        if code:
            self._send(code)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._send(message.value.strip())

    def _send(self, code: str) -> None:
        if code and not self._checking:
            self._checking = True
            self.do(lambda: self._verify(code), on_error=self._wrong)

    async def _verify(self, code: str) -> None:
        try:
            result = await self.crm_app.sign_in.second_factor(self._challenge, code, remember=self._remember)
        finally:
            self._checking = False
        self.finish(result)

    def _wrong(self, error: CrmError) -> None:
        self.query_one(TextLine).value = ""
        told = sentence(error)
        if isinstance(error, NotAuthenticated):
            told += f"\n{self._advice()}"
        elif isinstance(error, AccountLocked):
            told += "\n" + _("An administrator can open it at once.")
        self.query_one("#wrong", Static).update("\n".join(visible(line) for line in told.splitlines()))

    def _advice(self) -> str:
        """What helps most of the time (PLT-183)."""
        if self._recovery:
            return _("Each code is good once. An administrator can turn the second factor off.")
        return _(
            "Wait for the next code; let the phone set its clock by itself; take a recovery code (tab), or ask an "
            "administrator."
        )
