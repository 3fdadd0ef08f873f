"""A question to something that may hang, answered in time all the same."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

PATIENCE_SECONDS = 0.9
"""How long a caller waits: a load balancer is answered within a second."""
STUCK_SECONDS = 15.0
"""After how long without an answer the question is put anew: the connection may have died in silence."""
MOST_AT_ONCE = 2
"""How many questions may be out: each may hold a connection that others need."""

T = TypeVar("T")


class Probe(Generic[T]):
    """Asks in a thread of its own, so that neither what hangs nor busy API threads delay the answer.

    Whoever calls while the question is out waits for the same answer. Safe to use from several threads.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._out: list[Future[T]] = []
        self._since = 0.0

    async def answer(self) -> T:
        """Return what the question yields, or raise what it raises; TimeoutError after `PATIENCE_SECONDS`."""
        return await asyncio.wait_for(asyncio.wrap_future(self._asked()), PATIENCE_SECONDS)

    def _asked(self) -> Future[T]:
        now = time.monotonic()
        with self._lock:
            self._out = [question for question in self._out if not question.done()]
            stuck = now - self._since >= STUCK_SECONDS and len(self._out) < MOST_AT_ONCE
            if not self._out or stuck:
                self._out.append(_in_thread(self._ask))
                self._since = now
            return self._out[-1]


def _in_thread(ask: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    # Running, it can no longer be cancelled by one of those that wait for it.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="probe", daemon=True).start()
    return future
