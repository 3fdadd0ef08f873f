"""What screens work with: the signed-in actor, and units of work that run in threads.

A screen never blocks the event loop and never sees a session:

    view = await desk.read(lambda work: work.customers.get(4711))
    made = await desk.change(lambda work: work.customers.create(data))

The service layer is imported and opened in a thread, after the first frame is drawn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from gettext import gettext as _
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from omnicrm_tui.clock import SystemClock
from omnicrm_tui.errors import CrmError, NotAuthenticated
from omnicrm_tui.languages import said
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Window

if TYPE_CHECKING:
    from datetime import datetime

    from omnicrm_tui.crm import Crm
    from omnicrm_tui.identity.actor import Actor
    from omnicrm_tui.settings import Settings
    from omnicrm_tui.work import Work

T = TypeVar("T")

RECHECK_SECONDS = 30.0
"""How long a terminal goes on before it asks again who the actor is and what they may do."""

ASKS_FOR_2FA = _("This account needs a second factor: log in to turn it on.")
"""Why somebody is signed out who may do nothing before."""


class SignedOut(NotAuthenticated):
    """Nobody sits at the desk (any more); the application shows the login screen."""


class Desk:
    """One terminal's way into the service layer. `actor` is None until somebody has signed in."""

    def __init__(self, settings: Settings, open_crm: Callable[[Settings], Crm]) -> None:
        self.settings = settings
        self._actor: Actor | None = None
        self._seat = Lock()
        self.resume: Callable[[Crm], Actor | None] | None = None
        """Signs in as part of opening: set where a session is remembered."""
        self.revoked: Callable[[Actor, str], None] = lambda _actor, _message: None
        """Called with who may not go on and a sentence, in any thread; somebody else may sit here by then."""
        self._open_crm = open_crm
        self._crm: Future[Crm] = Future()
        self._opening = False
        self._checked = time.monotonic()
        self._checking = Lock()

    @property
    def actor(self) -> Actor | None:
        """Who sits here."""
        return self._actor

    @actor.setter
    def actor(self, actor: Actor | None) -> None:
        with self._seat:
            self._actor = actor

    def seats(self, actor: Actor | None) -> bool:
        """Tell whether it is still this user who sits here, with whatever permissions."""
        now = self._actor
        return now is not None and actor is not None and now.user_id == actor.user_id

    # Opening

    def open(self) -> None:
        """Begin to open the service layer in a thread, unless that is under way or done.

        After a failure, calling again tries again. Who asks for something before waits.
        """
        if self._opening:
            return
        self._opening = True
        if self._crm.done():
            self._crm = Future()
        Thread(target=self._open, args=(self._crm,), name="open-crm", daemon=True).start()

    def _open(self, opened: Future[Crm]) -> None:
        try:
            crm = self._open_crm(self.settings)
            if self.resume is not None:
                self.actor = self.resume(crm)
            self._checked = time.monotonic()
            opened.set_result(crm)
        except BaseException as error:
            self._opening = False
            opened.set_exception(error)

    async def crm(self) -> Crm:
        """Return the service layer, waiting until it is open; raises DatabaseProblem when it cannot be."""
        return await asyncio.shield(asyncio.wrap_future(self._crm))

    async def outdated(self) -> str:
        """Return what to tell a person once the database was upgraded under this terminal, else ""; raises CrmError."""
        crm = await self.crm()
        return await asyncio.to_thread(crm.outdated)

    def check_anew(self) -> None:
        """Let the next use case ask who the actor is and what they may do."""
        self._checked = -RECHECK_SECONDS

    def close(self) -> None:
        """Give the database connections back."""
        if self._crm.done() and self._crm.exception() is None:
            self._crm.result().close()

    # Use cases

    async def read(self, use: Callable[[Work], T]) -> T:
        """Run a use case that only reads, in a thread, and return its result; raises CrmError."""
        await self.crm()
        return await asyncio.to_thread(self.read_here, use)

    async def change(self, use: Callable[[Work], T]) -> T:
        """Run a use case that writes, in a thread; it has committed when this returns; raises CrmError."""
        await self.crm()
        return await asyncio.to_thread(self.change_here, use)

    def read_here(self, use: Callable[[Work], T]) -> T:
        """Run a reading use case in the calling (worker) thread, waiting until the service layer is open."""
        crm = self._crm.result()
        with crm.reading(self._signed_in(crm)) as work:
            return use(work)

    def change_here(self, use: Callable[[Work], T]) -> T:
        """Run a writing use case in the calling (worker) thread, waiting until the service layer is open."""
        crm = self._crm.result()
        with crm.as_actor(self._signed_in(crm)) as work:
            return use(work)

    def now(self) -> datetime:
        """Return the time by the service layer's clock, or the machine's where that is not open."""
        opened = self._crm.done() and self._crm.exception() is None
        return (self._crm.result().clock if opened else SystemClock()).now()

    def may(self, permission: str) -> bool:
        """Tell whether the signed-in actor holds `permission`, so that a screen can hide what it cannot do."""
        return self.actor is not None and self.actor.may(permission)

    def _signed_in(self, crm: Crm) -> Actor:
        """Return the actor, with the permissions of today; raises SignedOut: who was revoked stays out (BIL-374).

        So does who sat at a session that was ended elsewhere.
        """
        from omnicrm_tui.identity.actor import visitor

        actor = self.actor
        if actor is None:
            raise SignedOut(_("Sign in first."))
        if actor.user_id is None or time.monotonic() - self._checked < RECHECK_SECONDS:
            return actor
        with self._checking:
            try:
                with crm.reading(visitor(actor.source_address)) as work:
                    today = work.identity.actor_again(actor)
                if today.must_enable_2fa and not actor.must_enable_2fa:
                    raise NotAuthenticated(ASKS_FOR_2FA)
            except NotAuthenticated as error:
                self.revoked(actor, error.message)
                raise SignedOut(error.message) from error
            with self._seat:
                # The check took its time: the next person must not become this one.
                if self.seats(actor):
                    self._actor, self._checked = today, time.monotonic()
        return today


class ServiceSource(Generic[T]):
    """A room's list as the source of an entity table. Calls block and are made in the table's worker.

    `window` and `count` name the methods where a room has more than one list ("invoice_window").
    `scope` is passed on, such as `customer_id=4711`.
    """

    def __init__(
        self,
        desk: Desk,
        service: Callable[[Work], Any],
        *,
        window: str = "window",
        count: str = "count",
        **scope: Any,
    ) -> None:
        self._desk = desk
        self._service = service
        self._window = window
        self._count = count
        self._scope = scope

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[T]:
        """Return up to `limit` rows next to `anchor`."""

        def read(work: Work) -> Window[T]:
            found: Window[T] = getattr(self._service(work), self._window)(query, anchor, limit, **self._scope)
            return found

        return self._desk.read_here(read)

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching rows up to `cap`."""

        def read(work: Work) -> Count:
            found: Count = getattr(self._service(work), self._count)(query, cap, **self._scope)
            return found

        return self._desk.read_here(read)


def sentence(error: BaseException) -> str:
    """Return what to tell a person about `error`."""
    if isinstance(error, CrmError):
        return error.message
    return _("Something unexpected went wrong ({name}). Nothing was changed.").format(name=type(error).__name__)


def permission_label(name: str) -> str:
    """Return what a permission or role is called; its name where nobody gave it words."""
    from omnicrm_tui.identity.permissions import PERMISSIONS

    words = {"view_status": _("See how the system does"), "manage_api_keys": _("Manage API keys")}
    return said(PERMISSIONS[name]) if name in PERMISSIONS else words.get(name, name)


def permission_missing(permission: str) -> str:
    """Return the sentence for who lacks `permission`, with what it is for."""
    named = f"{permission} ({permission_label(permission)})"
    return _("You may not do this: it needs the permission {permission}.").format(permission=named)
