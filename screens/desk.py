"""What screens work with: the signed-in actor, and units of work that run in threads.

A screen never blocks the event loop and never sees a session:

    view = await desk.read(lambda work: work.customers.get(4711))
    made = await desk.change(lambda work: work.customers.create(data))

The service layer is imported and opened in a thread, after the first frame is drawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from omnicrm_tui.errors import CrmError, NotAuthenticated
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Window

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.identity.actor import Actor
    from omnicrm_tui.settings import Settings
    from omnicrm_tui.work import Work

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)


class ListService(Protocol[R_co]):
    """A service's list: every room offers it."""

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[R_co]:
        """Return up to `limit` rows next to `anchor`."""
        ...

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching rows up to `cap`."""
        ...


class Desk:
    """One terminal's way into the service layer. `actor` is None until somebody has signed in."""

    def __init__(self, settings: Settings, open_crm: Callable[[Settings], Crm]) -> None:
        self.settings = settings
        self.actor: Actor | None = None
        self._open_crm = open_crm
        self._crm: Future[Crm] = Future()
        self._opening = False

    def open(self) -> None:
        """Begin to open the service layer in a thread; calling again does nothing."""
        if self._opening:
            return
        self._opening = True
        Thread(target=self._open, name="open-crm", daemon=True).start()

    def _open(self) -> None:
        try:
            self._crm.set_result(self._open_crm(self.settings))
        except BaseException as error:
            self._crm.set_exception(error)

    def close(self) -> None:
        """Give the database connections back."""
        if self._crm.done() and self._crm.exception() is None:
            self._crm.result().close()

    async def crm(self) -> Crm:
        """Return the service layer, waiting until it is open; raises DatabaseProblem when it cannot be."""
        self.open()
        return await asyncio.shield(asyncio.wrap_future(self._crm))

    async def read(self, use: Callable[[Work], T]) -> T:
        """Run a use case that only reads, in a thread, and return its result; raises CrmError."""
        await self.crm()
        return await asyncio.to_thread(self.read_here, use)

    async def change(self, use: Callable[[Work], T]) -> T:
        """Run a use case that writes, in a thread; it has committed when this returns; raises CrmError."""
        await self.crm()
        return await asyncio.to_thread(self.change_here, use)

    def read_here(self, use: Callable[[Work], T]) -> T:
        """Run a reading use case in the calling (worker) thread."""
        with self._crm.result().reading(self._signed_in()) as work:
            return use(work)

    def change_here(self, use: Callable[[Work], T]) -> T:
        """Run a writing use case in the calling (worker) thread."""
        with self._crm.result().as_actor(self._signed_in()) as work:
            return use(work)

    def may(self, permission: str) -> bool:
        """Tell whether the signed-in actor holds `permission`, so that a screen can hide what it cannot do."""
        return self.actor is not None and self.actor.may(permission)

    def _signed_in(self) -> Actor:
        if self.actor is None:
            raise NotAuthenticated("Sign in first.")
        return self.actor


class ServiceSource(Generic[T]):
    """A room's list as the source of an entity table. Calls block and are made in the table's worker."""

    def __init__(self, desk: Desk, service: Callable[[Work], ListService[T]], **scope: Any) -> None:
        self._desk = desk
        self._service = service
        self._scope = scope

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[T]:
        """Return up to `limit` rows next to `anchor`."""
        return self._desk.read_here(lambda work: self._service(work).window(query, anchor, limit, **self._scope))

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching rows up to `cap`."""
        return self._desk.read_here(lambda work: self._service(work).count(query, cap, **self._scope))


def sentence(error: BaseException) -> str:
    """Return what to tell a person about `error`."""
    if isinstance(error, CrmError):
        return error.message
    return f"Something unexpected went wrong ({type(error).__name__}). Nothing was changed."
