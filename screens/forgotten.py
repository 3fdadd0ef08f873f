"""A forgotten password: ask for a code by mail, type it in with a new password, log in (PLT-197..205)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Limits
from pydantic import SecretStr

from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.schemas import Input as Schema
from screens.choose import Choose
from screens.dialogs import FormDialog
from screens.password import PASSWORD_HINT
from widgets.form import Field

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp


class _Forgotten(Schema):
    email: Annotated[str, Limits(min_length=1, max_length=254)]


class _NewPassword(Schema):
    token: Annotated[str, Limits(min_length=1, max_length=100)]
    new_password: SecretStr
    again: SecretStr


async def forgotten(app: OmniCrmApp, name: str) -> bool:
    """Lead from the log-in to a new password; tell whether there is one. `name` is what was typed there so far."""
    answers = (_("Send me a code by mail"), _("I have a code"))
    chosen = await app.push_screen_wait(Choose(_("Forgot your password?"), answers))
    if chosen is None or (chosen == 0 and not await _asked(app, name)):
        return False
    changed: bool | None = await app.push_screen_wait(_new_password(app))
    return changed is not None


async def _asked(app: OmniCrmApp, name: str) -> bool:
    async def ask(data: _Forgotten) -> bool:
        await app.sign_in.request_password_reset(data.email)
        return True

    fields = [Field("email", _("E-mail"), required=True, hint=_("of your account; a code goes there"))]
    values = {"email": name} if "@" in name else {}
    form: FormDialog[bool] = FormDialog(_("Send me a code by mail"), _Forgotten, fields, ask, values=values)
    asked: bool | None = await app.push_screen_wait(form)
    if asked is None:
        return False
    app.notify(
        _(
            "Reset instructions have been sent to your email. Give it ten minutes, and look among the spam; an "
            "administrator can reset your password too."
        ),
        timeout=15,
        markup=False,
    )
    return True


def _new_password(app: OmniCrmApp) -> FormDialog[bool]:
    async def change(data: _NewPassword) -> bool:
        new = data.new_password.get_secret_value()
        if new != data.again.get_secret_value():
            raise InvalidInput(_("The two do not agree."), {"again": _("is not the same as the new password")})
        await app.sign_in.finish_password_reset(data.token, new)
        return True

    fields = [
        Field("token", _("Code of the mail"), required=True, hint=_("good for one hour, once")),
        Field("new_password", _("New password"), "secret", required=True, hint=PASSWORD_HINT),
        Field("again", _("New password again"), "secret", required=True),
    ]
    return FormDialog(_("A new password"), _NewPassword, fields, change)
