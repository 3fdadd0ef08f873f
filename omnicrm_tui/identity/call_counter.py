"""Counts calls of REST against their limits, without a write for each.

A process has buckets of its own. Of a caller who has used up a tenth of a limit it settles with the database every
second: what was poured in here since goes there, and what others poured in there comes back. Who stays below costs no
write at all, and each process may let through a tenth more for it. Without a database a process goes on alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event, Lock
from typing import TYPE_CHECKING

from omnicrm_tui.errors import CrmError
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.identity.limits import Limit, RateLimited, Standing, level, microseconds, standing

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm

SETTLE_SECONDS = 1.0
_SHARE = 10
_MOST_KEPT = 10_000
"""Buckets before those that are empty are thrown away."""

log = logging.getLogger("omnicrm.api")


@dataclass(slots=True)
class _Bucket:
    """`poured` of what is in it is not in the database yet."""

    empty_at: int = 0
    poured: int = 0


@dataclass(frozen=True, slots=True)
class Poured:
    """What a process poured into somebody's bucket, in microseconds."""

    limit: Limit
    whose: str
    amount: int


class CallCounter:
    """The buckets of one process. Safe to use from several threads."""

    def __init__(self) -> None:
        self.noted = Event()
        self._buckets: dict[tuple[Limit, str], _Bucket] = {}
        self._prune_at = _MOST_KEPT
        self._lock = Lock()

    def count(self, limit: Limit, whose: str, now: int) -> Standing:
        """Count a call; raises RateLimited."""
        with self._lock:
            if len(self._buckets) >= self._prune_at:
                self._prune(now)
            bucket = self._buckets.setdefault((limit, whose), _Bucket())
            full = level(limit, bucket.empty_at, now) + limit.step
            if full > limit.room:
                raise RateLimited(standing(limit, bucket.empty_at, now))
            bucket.empty_at = now + full
            # What has leaked away since is not poured in again elsewhere.
            bucket.poured = min(bucket.poured + limit.step, full)
            if full * _SHARE > limit.room:
                self.noted.set()
            return standing(limit, bucket.empty_at, now)

    def take(self, now: int) -> list[Poured]:
        """Return what is to be settled: also of who has called nothing since, because others may have let it call."""
        with self._lock:
            self.noted.clear()
            taken = []
            for (limit, whose), bucket in self._buckets.items():
                full = level(limit, bucket.empty_at, now)
                if full * _SHARE > limit.room:
                    taken.append(Poured(limit, whose, min(bucket.poured, full)))
                    bucket.poured = 0
                    self.noted.set()
        return taken

    def put_back(self, taken: Iterable[Poured]) -> None:
        """Keep what could not be settled for the next time."""
        with self._lock:
            for each in taken:
                self._buckets.setdefault((each.limit, each.whose), _Bucket()).poured += each.amount
                self.noted.set()

    def learn(self, settled: Iterable[tuple[Poured, int]]) -> None:
        """Take over when the database says that buckets will be empty, and what was poured in here meanwhile."""
        with self._lock:
            for each, empty_at in settled:
                bucket = self._buckets.setdefault((each.limit, each.whose), _Bucket())
                bucket.empty_at = empty_at + bucket.poured

    def _prune(self, now: int) -> None:
        kept = {place: bucket for place, bucket in self._buckets.items() if level(place[0], bucket.empty_at, now)}
        self._buckets, self._prune_at = kept, max(_MOST_KEPT, 2 * len(kept))


def settle_calls(crm: Crm, counter: CallCounter) -> None:
    """Settle with the other processes; where that cannot be, nobody is turned away for it."""
    taken = counter.take(microseconds(crm.clock.now()))
    if not taken:
        return
    try:
        with crm.as_actor(system_actor("limits of calls")) as work:
            settled = work.limits.settle(taken)
    except CrmError as error:
        counter.put_back(taken)
        # Each second: who calls is told loudly enough that there is no database.
        log.debug("Calls could not be settled yet: %s", error.message)
    else:
        counter.learn(settled)
