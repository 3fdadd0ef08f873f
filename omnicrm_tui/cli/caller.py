"""Who a command acts as: the holder of an API key, or the person whose session is remembered at this terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from gettext import gettext as _
from typing import Any, Generic, TypeVar

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import NotAuthenticated
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Window
from omnicrm_tui.work import Work
from screens.seat import Seat

T = TypeVar("T")

KEY_VARIABLE = "OMNICRM_API_KEY"


@dataclass(frozen=True, slots=True)
class Caller:
    """An identified caller with the service layer open."""

    crm: Crm
    actor: Actor

    def read(self, use: Callable[[Work], T]) -> T:
        """Run a use case that only reads; raises CrmError."""
        with self.crm.reading(self.actor) as work:
            return use(work)

    def change(self, use: Callable[[Work], T]) -> T:
        """Run a use case that writes; it has committed when this returns; raises CrmError."""
        with self.crm.as_actor(self.actor) as work:
            return use(work)


@contextmanager
def calling() -> Iterator[Caller]:
    """Open the service layer for whoever calls; raises NotAuthenticated when that is not known."""
    from omnicrm_tui.config_file import load_settings
    from omnicrm_tui.opening import open_crm

    crm = open_crm(load_settings())
    try:
        yield Caller(crm, identify(crm, Seat(crm.settings.home)))
    finally:
        crm.close()


def identify(crm: Crm, seat: Seat) -> Actor:
    """Return who calls: an API key in the environment comes before the remembered session; raises NotAuthenticated."""
    from screens.sign_in import resume

    key = os.environ.get(KEY_VARIABLE, "")
    if key:
        return _holder_of(key, crm, seat.source_address)
    actor = resume(crm, seat)
    if actor is None:
        hint = _("Nobody is logged in here. Run 'omnicrm login', or give an API key in {variable}.")
        raise NotAuthenticated(hint.format(variable=KEY_VARIABLE))
    return actor


def _holder_of(key: str, crm: Crm, source: str) -> Actor:
    from omnicrm_tui.identity.use_counter import UseCounter, write_uses

    uses = UseCounter()
    try:
        with crm.reading(visitor(source)) as work:
            return uses.counted(lambda: work.identity.actor_of_api_key(key, source), source, crm.clock.now())
    finally:
        write_uses(crm, uses)


class Rows(Generic[T]):
    """A room's list as a source of rows; each window is a unit of work of its own."""

    def __init__(self, caller: Caller, room: Callable[[Work], Any], window: str, count: str, scope: dict[str, int]):
        self._caller = caller
        self._room = room
        self._window = window
        self._count = count
        self._scope = scope

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[T]:
        """Return up to `limit` rows next to `anchor`."""
        found: Window[T] = self._caller.read(
            lambda work: getattr(self._room(work), self._window)(query, anchor, limit, **self._scope)
        )
        return found

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching rows up to `cap`."""
        found: Count = self._caller.read(lambda work: getattr(self._room(work), self._count)(query, cap, **self._scope))
        return found
