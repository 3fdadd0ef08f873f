"""A terminal that may go away: a lost connection must end the application, not hang it."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any, TextIO


class LastingTerminal:
    """Writes to a terminal for as long as there is one.

    Textual writes in a thread, through a queue with an end. A write that fails would end that thread, and the
    application would then wait for room in the queue for ever: a process for every connection that was lost.
    """

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Write `text`, or nothing where the terminal is gone."""
        with suppress(OSError, ValueError):
            return self._terminal.write(text)
        return len(text)

    def flush(self) -> None:
        """Send what was written."""
        with suppress(OSError, ValueError):
            self._terminal.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)


def outlive_terminal() -> None:
    """Let Textual, which writes to `sys.__stderr__`, survive the end of its terminal. Call it before an app runs."""
    if sys.__stderr__ is not None and not isinstance(sys.__stderr__, LastingTerminal):
        sys.__stderr__ = LastingTerminal(sys.__stderr__)  # type: ignore[misc, assignment]


def end_input(driver: object) -> None:
    """Let the thread that reads the terminal end, whether or not Textual's driver came to tell it so.

    The process waits for that thread when it ends. Where the terminal is gone, it would read nothing for ever.
    """
    ended = getattr(driver, "exit_event", None)
    if ended is not None:
        ended.set()
