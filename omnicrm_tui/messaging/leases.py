"""Leases: named duties in the database, each held by one process at a time.

A holder renews; when it dies, the lease runs out and another takes it. Times are whole milliseconds since 1970,
written and compared by one conditional UPDATE. A clock that is put back would keep a dead holder's lease alive: one
that nobody renews is taken too, by what the taker has seen.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CursorResult, or_, select, update

from omnicrm_tui.errors import Conflict
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.messaging.models import Lease as LeaseRow

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm

LEASE_MS = 6000
"""A dead holder's duty moves within ten seconds: this, and what the others wait between two looks."""


def milliseconds(moment: datetime) -> int:
    """Return `moment` as whole milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


class Lease:
    """One process's claim to a duty."""

    def __init__(self, crm: Crm, name: str, owner: str = "", monotonic: Callable[[], float] = time.monotonic) -> None:
        self._crm = crm
        self._actor = system_actor(name)
        self._monotonic = monotonic
        self._seen: tuple[str, int] | None = None
        self._since = 0.0
        self.name = name
        self.owner = owner or f"{socket.gethostname()[:32]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def hold(self) -> bool:
        """Take, keep or renew the lease; tell whether it is ours now.

        Others' live leases and our own fresh one are only looked at: an idle process writes nothing.
        """
        now = milliseconds(self._crm.clock.now())
        with self._crm.reading(self._actor) as work:
            row = work.session.execute(
                select(LeaseRow.owner, LeaseRow.until_ms).where(LeaseRow.name == self.name)
            ).one_or_none()
        if row is None:
            return self._found(now)
        left = row.until_ms - now
        if row.owner == self.owner:
            # More than a whole lease: the clock was put back since, and the others count by the new one.
            fresh = LEASE_MS // 2 < left <= LEASE_MS
            return fresh or self._take(now)
        if left > 0 and not self._is_abandoned(row.owner, row.until_ms):
            return False
        return self._take(now, row.until_ms)

    def release(self) -> None:
        """Give the lease back, so that another process need not wait until it runs out."""
        mine = update(LeaseRow).where(LeaseRow.name == self.name, LeaseRow.owner == self.owner)
        with self._crm.as_actor(self._actor) as work:
            work.session.execute(mine.values(until_ms=0))

    def _is_abandoned(self, owner: str, until_ms: int) -> bool:
        """Tell whether a whole lease has passed here since its holder last renewed it, whatever the clocks say."""
        if (owner, until_ms) != self._seen:
            self._seen, self._since = (owner, until_ms), self._monotonic()
        return (self._monotonic() - self._since) * 1000 >= LEASE_MS

    def _take(self, now: int, seen_until_ms: int | None = None) -> bool:
        """Take what is ours, has run out, or is as it was seen."""
        free = or_(LeaseRow.owner == self.owner, LeaseRow.until_ms <= now, LeaseRow.until_ms == seen_until_ms)
        statement = update(LeaseRow).where(LeaseRow.name == self.name, free)
        with self._crm.as_actor(self._actor) as work:
            result = work.session.execute(statement.values(owner=self.owner, until_ms=now + LEASE_MS))
            return cast("CursorResult[Any]", result).rowcount == 1

    def _found(self, now: int) -> bool:
        try:
            with self._crm.as_actor(self._actor) as work:
                work.session.add(LeaseRow(name=self.name, owner=self.owner, until_ms=now + LEASE_MS))
        except Conflict:
            return self._take(now)
        return True
