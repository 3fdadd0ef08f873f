"""How far a long command is: one line on standard error that is written over, where a person looks at it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PAUSE_SECONDS = 0.2
_WIDTH = 60


@contextmanager
def progress(doing: str) -> Iterator[Callable[[str, int], None]]:
    """Give a function that takes the name of what is worked on and how many of it are done."""
    if not sys.stderr.isatty():
        yield lambda _name, _done: None
        return
    last = 0.0

    def tell(name: str, done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PAUSE_SECONDS:
            last = now
            line = f"{doing}: {name} {done:,}"
            sys.stderr.write(f"\r{line[:_WIDTH]:<{_WIDTH}}")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        sys.stderr.write("\r" + " " * _WIDTH + "\r")
        sys.stderr.flush()
