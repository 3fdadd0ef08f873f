"""Verify one's own e-mail address: the code that was mailed to it is typed in (BIL-207, BIL-430)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Limits

from omnicrm_tui.schemas import Input as Schema
from screens.choose import Choose
from screens.dialogs import FormDialog
from widgets.form import Field

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp


class _Code(Schema):
    token: Annotated[str, Limits(min_length=1, max_length=100)]


async def verify_email(app: OmniCrmApp) -> None:
    """Ask for the code, after another one was mailed where that is wanted."""
    actor = app.desk.actor
    if actor is None or actor.user_id is None:
        return
    user_id = actor.user_id
    answers = (_("I have a code"), _("Send me a code by mail"))
    chosen = await app.push_screen_wait(Choose(_("Verify e-mail address"), answers))
    if chosen is None:
        return
    if chosen == 1:
        address = await app.desk.change(lambda work: work.identity.resend_verification(user_id))
        app.notify(_("A code to {address} is on its way.").format(address=address), markup=False)
    address = await app.push_screen_wait(_form(app, user_id))
    if address is not None:
        app.notify(_("{address} is verified.").format(address=address), markup=False)


def _form(app: OmniCrmApp, user_id: int) -> FormDialog[str]:
    async def verify(data: _Code) -> str:
        return await app.desk.change(lambda work: work.identity.verify_own_email(user_id, data.token))

    hint = _("it went to the address that is to be verified")
    return FormDialog(
        _("Verify e-mail address"), _Code, [Field("token", _("Code of the mail"), required=True, hint=hint)], verify
    )
