"""Ending in good order when the system or the person asks for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def until_told_to_end() -> Iterator[threading.Event]:
    """Yield an event that is set by SIGTERM, SIGINT (ctrl+c) or SIGHUP, instead of what they usually do."""
    ending = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    before = {number: signal.signal(number, tell) for number in _SIGNALS}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
