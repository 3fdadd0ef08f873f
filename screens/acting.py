"""Acting as another user at this desk: asked why, shown on every screen, and back again (SVC-367..370, BIL-501)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from gettext import gettext as _
from typing import TYPE_CHECKING

from omnicrm_tui.errors import AlreadyActing, CrmError
from screens.base import CrmScreen
from widgets.banner import Banner

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp
    from omnicrm_tui.identity.actor import Actor
    from omnicrm_tui.identity.schemas import Impersonation, Purpose

BACK_SECONDS = 2.0
"""How long coming back waits for the database, where it is written down: nobody is kept in somebody else's place."""


class Acting:
    """Who sits here in truth, while the desk is another user's."""

    def __init__(self, app: OmniCrmApp) -> None:
        self._app = app
        self._own: Actor | None = None
        self._room = ""
        self._place: tuple[str, int] | None = None
        self._until = ""

    def __bool__(self) -> bool:
        return self._own is not None

    @property
    def name(self) -> str:
        """As whom."""
        return self._app.desk.actor.name if self._app.desk.actor else ""

    def banner(self) -> Iterator[Banner]:
        """Yield what every screen and dialog shows meanwhile (SVC-368); nothing where nobody acts as anybody."""
        if self._own is None:
            return
        told = _("You are currently logged in as {user}").format(user=self.name)
        way_out = _("until {time}; f8 or click: stop").format(time=self._until)
        yield Banner(told, way_out, "app.stop_acting")

    # Beginning

    def ask(self, user_id: int, name: str) -> None:
        """Ask why, unless something is unsaved somewhere; then begin."""
        title = _("Log in as {name}").format(name=name)

        async def asked() -> None:
            await self._asked(user_id, title)

        self._app.leaving.unless_unsaved(title, asked)

    async def _asked(self, user_id: int, title: str) -> None:
        from omnicrm_tui.identity.schemas import Purpose
        from screens.dialogs import FormDialog
        from widgets.form import fields_of

        hint = _(
            "The customer reads it in the history, with your name. Make sure who asked you, tell the customer, look at "
            "no more than you need, and stop as soon as you can. Everything that you do is logged under both names."
        )

        async def begin(data: Purpose) -> Impersonation:
            return await self._start(user_id, data.purpose)

        fields = fields_of(Purpose, labels={"purpose": _("Why")}, hints={"purpose": hint})
        begun = await self._app.push_screen_wait(FormDialog(title, Purpose, fields, begin))
        if begun is not None:
            self._begun(begun)

    async def _start(self, user_id: int, purpose: str) -> Impersonation:
        desk = self._app.desk
        try:
            return await desk.change(lambda work: work.impersonation.start(user_id, purpose))
        except AlreadyActing as error:
            from screens.dialogs import Confirm

            other = Confirm(error.message, _("What is open there is closed."), yes=_("Stop that and go on"))
            if not await self._app.push_screen_wait(other):
                raise
        await desk.change(lambda work: work.impersonation.stop())
        return await desk.change(lambda work: work.impersonation.start(user_id, purpose))

    def _begun(self, begun: Impersonation) -> None:
        app, screen = self._app, self._app.screen
        self._own, self._room = app.desk.actor, app.current_mode
        self._place = screen.place if isinstance(screen, CrmScreen) else None
        self._until = app.formats.time(begun.ends)[:5]
        app.seat_anew(begun.actor)

    # Coming back

    def stop(self) -> None:
        """Come back, unless something is unsaved that the person does not want to lose."""
        self._app.leaving.unless_unsaved(_("Stop"), self.come_back)

    async def come_back(self, message: str = "") -> None:
        """Come back to where it was begun, whether or not the database can write it down in time."""
        await self.end()
        self.lost(message or _("You are yourself again."))

    async def end(self) -> None:
        """Write the end down, where somebody acts as another; who leaves does so first."""
        if self._own is not None:
            with suppress(CrmError, TimeoutError):
                await asyncio.wait_for(self._app.desk.change(lambda work: work.impersonation.stop()), BACK_SECONDS)

    def lost(self, message: str) -> None:
        """Come back at once: it is over already."""
        own, room, place = self._own, self._room, self._place
        self.forget()
        if own is None:
            return
        app = self._app
        app.desk.check_anew()  # the own session may be over too
        app.seat_anew(own, room)
        if place is not None:
            app.open_place(*place)
        app.notify(message, markup=False)

    def forget(self) -> None:
        """Somebody else logs in: there is nobody to come back to."""
        self._own, self._room, self._place, self._until = None, "", None, ""
