"""Leaving the desk or the session: ask about what is not saved, end the session, keep or forget drafts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from omnicrm_tui.errors import CrmError
from screens import rooms
from screens.base import Dialog

if TYPE_CHECKING:
    from omnicrm_tui.app import OmniCrmApp

LEAVE_SECONDS = 2.0
"""How long leaving waits for the session to end in the database."""


class Leaving:
    """The ways out of one application."""

    def __init__(self, app: OmniCrmApp) -> None:
        self._app = app

    def log_out(self) -> None:
        """End the session and go to the login screen; ask while something unsaved is open."""
        self.unless_unsaved(_("Log out"), self._logged_out)

    def quit(self) -> None:
        """Leave the application; ask while something unsaved is open."""
        self.unless_unsaved(_("Quit"), self._left)

    def end(self) -> None:
        """End session and application without a question; what is typed in open forms is kept."""
        self.keep_drafts()
        self._app.run_worker(self._ended(), group="leave", exclusive=True)

    def keep_drafts(self) -> None:
        """Keep what is typed in open forms, for the next log-in."""
        for dialog in self._open_dialogs():
            dialog.keep_draft()

    def unless_unsaved(self, what: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do the work, called `what`; ask first while something unsaved is open anywhere."""

        def answered(sure: bool | None) -> None:
            if sure:
                self._app.run_worker(work(), group="leave", exclusive=True)

        if any(dialog.unsaved for dialog in self._open_dialogs()):
            from screens.dialogs import Confirm

            lost = _("Something is not saved yet. It will be lost.")
            self._app.push_screen(Confirm(f"{what}?", lost, yes=what), answered)
        else:
            answered(True)

    def _open_dialogs(self) -> list[Dialog[Any]]:
        """Return the dialogs of all rooms that were entered."""
        found: list[Dialog[Any]] = []
        for mode in rooms.MODES:
            with contextlib.suppress(KeyError):
                found += [screen for screen in self._app.get_screen_stack(mode) if isinstance(screen, Dialog)]
        return found

    def _forget_drafts(self) -> None:
        """What is open is left on purpose."""
        for dialog in self._open_dialogs():
            dialog.forget_draft()

    async def _left(self) -> None:
        self._forget_drafts()
        await self._app.acting.end()
        await _answered(self._app.sign_in.leave())
        self._app.exit()

    async def _ended(self) -> None:
        await self._app.acting.end()
        await _answered(self._app.sign_in.log_out())
        self._app.exit()

    async def _logged_out(self) -> None:
        self._forget_drafts()
        await self._app.acting.end()
        await _answered(self._app.sign_in.log_out())
        self._app.sign_out()


async def _answered(ending: Coroutine[None, None, None]) -> None:
    """End the session in the database if that answers: nobody is held back by a database that does not."""
    with contextlib.suppress(CrmError, TimeoutError):
        await asyncio.wait_for(ending, LEAVE_SECONDS)
