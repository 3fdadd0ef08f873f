"""Dialogs about proving who one is: a new password, the second factor."""

from __future__ import annotations

from gettext import gettext as _

from pydantic import SecretStr
from textual.app import ComposeResult
from textual.widgets import Input, Static

from omnicrm_tui.errors import CrmError, InvalidInput
from omnicrm_tui.identity.schemas import LoginResult
from omnicrm_tui.schemas import Input as Schema
from screens.base import Dialog
from screens.desk import sentence
from screens.dialogs import FormDialog
from widgets.controls import TextLine
from widgets.form import Field
from widgets.text import visible


class _Passwords(Schema):
    current: SecretStr
    new_password: SecretStr
    again: SecretStr


class ChangePassword(FormDialog[str]):
    """Asks for the current password and twice for a new one; closes with the new one (PLT-178, BIL-399)."""

    def __init__(self, user_id: int, *, forced: bool = False) -> None:
        hint = _("at least 8 characters: upper and lower case, a digit, a special one")
        fields = [
            Field("current", _("Current password"), "secret", required=True),
            Field("new_password", _("New password"), "secret", required=True, hint=hint),
            Field("again", _("New password again"), "secret", required=True),
        ]
        heading = _("Choose a password of your own to go on") if forced else _("Change password")
        super().__init__(heading, _Passwords, fields, self._change)
        self._user_id = user_id

    async def _change(self, data: _Passwords) -> str:
        new = data.new_password.get_secret_value()
        if new != data.again.get_secret_value():
            raise InvalidInput(_("The two do not agree."), {"again": _("is not the same as the new password")})
        try:
            await self.crm_app.sign_in.change_password(self._user_id, data.current.get_secret_value(), new)
        except InvalidInput:
            raise
        except CrmError as error:
            raise InvalidInput(_("Some fields are not right."), {"current": sentence(error)}) from error
        return new


class SecondFactor(Dialog[LoginResult]):
    """Asks for the authenticator's code (PLT-173)."""

    heading = _("Second factor")
    keys = _("enter go on   esc leave")

    DEFAULT_CSS = "SecondFactor #wrong { color: $text-error; text-style: bold; height: auto; }"

    def __init__(self, challenge_token: str, remember: bool) -> None:
        super().__init__()
        self._challenge = challenge_token
        self._remember = remember
        self._checking = False

    def body(self) -> ComposeResult:
        yield Static(_("The 6 digits that your authenticator shows now:"))
        yield TextLine()
        yield Static("", id="wrong", markup=False)

    def on_mount(self) -> None:
        self.query_one(TextLine).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        code = message.value.replace(" ", "")
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
        self.query_one("#wrong", Static).update(visible(sentence(error)))
        self.query_one(TextLine).value = ""
