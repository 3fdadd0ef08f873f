"""A thread that writes down, while a server runs, what its requests have counted in memory."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

_END_SECONDS = 10.0


class Keeper:
    """Calls `write` once something was `noted`, then not again for `seconds`, and a last time when it ends."""

    def __init__(self, name: str, noted: Event, write: Callable[[], None], seconds: float) -> None:
        self._noted = noted
        self._write = write
        self._seconds = seconds
        self._stop = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end."""
        self._stop.set()
        self._noted.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)
        self._write()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._noted.wait()
            self._write()
            self._stop.wait(self._seconds)
