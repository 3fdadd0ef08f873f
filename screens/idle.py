"""How long nobody has touched this terminal."""

from __future__ import annotations

import time
from collections.abc import Callable


class Idle:
    """Counts from the last key or mouse event, by a clock that nobody sets."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last = now()

    def touched(self) -> None:
        """Begin to count anew."""
        self._last = self._now()

    def lasts(self, minutes: int) -> bool:
        """Tell whether it has been that long; never for 0 minutes."""
        return minutes > 0 and self._now() - self._last >= minutes * 60
