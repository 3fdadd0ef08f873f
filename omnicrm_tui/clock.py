"""One clock, injected everywhere, so that tests and the lab can stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whoever knows the time."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class FrozenClock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment at which the clock stands."""
        return self._moment

    def advance(self, by: timedelta) -> None:
        """Move the clock forward (or back, with a negative step)."""
        self._moment += by


def _since_boot() -> float:
    """Seconds since the machine was started, those asleep included, whatever its clock is set to."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Notices that a clock was set: it went another way than time did."""

    LEAST = timedelta(minutes=1)
    """What is less is a clock being kept right."""

    def __init__(self, clock: Clock, seconds: Callable[[], float] = _since_boot) -> None:
        self._clock = clock
        self._seconds = seconds
        self._ahead = self._measure()

    def look(self) -> timedelta:
        """Return by how much the clock was put forward, or back (negative), since the last look; mostly zero."""
        ahead = self._measure()
        put = ahead - self._ahead
        if abs(put) < self.LEAST:
            return timedelta(0)
        self._ahead = ahead
        return put

    def _measure(self) -> timedelta:
        return self._clock.now() - datetime.fromtimestamp(self._seconds(), UTC)
