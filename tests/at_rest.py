"""A program in a terminal that says when it is at rest, so that whoever types need not guess how long that takes.

The program's side is `SaysWhenAtRest`, in front of the application's class; the typist's side is `at_rest(program)`:
all that was typed before has been understood, what it began in threads is done, and what came of it is painted.
The question travels with the keys, as a report of the cursor's place, of which an application makes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from textual import events
from textual.app import App
from textual.pilot import Pilot

from bench.pty_run import PtyProgram

ASK, SAID = b"\x1b[7;7R", b"\x1b]7777;at rest\x07"
TIMEOUT = 30.0
"""Seconds until an answer must have come; much more than a busy machine needs."""


class _CountedThreads(ThreadPoolExecutor):
    """The threads of `asyncio.to_thread`, and how many calls are not done."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        call = super().submit(fn, *args, **kwargs)
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        return call


class SaysWhenAtRest(App[None]):
    """An application that answers `ASK` with `SAID` once it has nothing more to do."""

    def on_load(self) -> None:
        """Count what is done in threads."""
        self._threads = _CountedThreads()
        self._answers: set[asyncio.Task[None]] = set()
        asyncio.get_running_loop().set_default_executor(self._threads)

    def on_cursor_position(self, event: events.CursorPosition) -> None:
        """Answer, beside the queue of messages that has to become empty."""
        task = asyncio.create_task(self._answer())
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self) -> None:
        pilot = Pilot(self)
        calm = 0
        while calm < 2:
            await pilot.pause()
            threads = any(worker._thread_worker and not worker.is_finished for worker in self.workers)
            calm = 0 if threads or self._threads.calls else calm + 1
        if self._driver is not None:
            self._driver.write(SAID.decode())


def at_rest(*programs: PtyProgram) -> None:
    """Wait until the programs, which say so, are at rest with what was typed; raises TimeoutError."""
    for program in programs:
        program.output.clear()
        program.write(ASK)
    for program in programs:
        program.wait_until(lambda program=program: SAID in program.output, TIMEOUT)


def sent_for(program: PtyProgram, *keys: bytes) -> int:
    """Type keys, each when the one before is done with, and return the bytes that were sent until all is painted."""
    at_rest(program)
    before = program.sent
    for key in keys:
        program.write(key)
        at_rest(program)
    return program.sent - before - len(SAID) * len(keys)


def resize(*programs: PtyProgram, columns: int, rows: int) -> None:
    """Give the programs' terminals another size, and wait until it has been seen: it does not come with the keys."""
    at_rest(*programs)
    before = [program.sent for program in programs]
    for program in programs:
        program.resize(columns, rows)
    for program, sent in zip(programs, before, strict=True):
        program.wait_until(lambda program=program, sent=sent: program.sent > sent, TIMEOUT)
    at_rest(*programs)


def wait_for_same(one: PtyProgram, other: PtyProgram, step: object) -> None:
    """Wait until two programs show the same, cell by cell; raises AssertionError with the lines that differ."""

    def same() -> bool:
        at_rest(one, other)
        return one.cells == other.cells

    try:
        one.wait_until(same, TIMEOUT)
    except TimeoutError:
        differing = [(a, b) for a, b in zip(one.lines, other.lines, strict=True) if a != b]
        raise AssertionError((step, differing or "only colours differ")) from None
