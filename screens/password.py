"""A new password in place of the old one."""

from __future__ import annotations

from gettext import gettext as _

from pydantic import SecretStr

from omnicrm_tui.errors import CrmError, InvalidInput
from omnicrm_tui.schemas import Input as Schema
from screens.desk import sentence
from screens.dialogs import FormDialog
from widgets.form import Field

PASSWORD_HINT = _("at least 8 characters: upper and lower case, a digit, a special one")


class _Passwords(Schema):
    current: SecretStr
    new_password: SecretStr
    again: SecretStr


class ChangePassword(FormDialog[str]):
    """Asks for the current password and twice for a new one; closes with the new one (PLT-178, BIL-399).

    `challenge` is what the log-in answered to a temporary password: there is no going on without a new one.
    """

    def __init__(self, user_id: int, *, challenge: str = "") -> None:
        fields = [
            Field("current", _("Current password"), "secret", required=True),
            Field("new_password", _("New password"), "secret", required=True, hint=PASSWORD_HINT),
            Field("again", _("New password again"), "secret", required=True),
        ]
        heading = _("Choose a password of your own to go on") if challenge else _("Change password")
        super().__init__(heading, _Passwords, fields, self._change)
        self._user_id = user_id
        self._challenge = challenge

    async def _change(self, data: _Passwords) -> str:
        new = data.new_password.get_secret_value()
        if new != data.again.get_secret_value():
            raise InvalidInput(_("The two do not agree."), {"again": _("is not the same as the new password")})
        try:
            await self._store(data.current.get_secret_value(), new)
        except InvalidInput:
            raise
        except CrmError as error:
            raise InvalidInput(_("Some fields are not right."), {"current": sentence(error)}) from error
        return new

    async def _store(self, current: str, new: str) -> None:
        if self._challenge:
            await self.crm_app.sign_in.change_temporary_password(self._challenge, current, new)
        else:
            await self.crm_app.sign_in.change_password(self._user_id, current, new)
