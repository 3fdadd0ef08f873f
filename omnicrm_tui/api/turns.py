"""Whoever has a password hashed waits for a turn, without keeping a thread from everybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from gettext import gettext as _
from typing import Annotated

from anyio import Semaphore
from anyio.lowlevel import RunVar
from fastapi import Depends

from omnicrm_tui.errors import TooManyRequests
from omnicrm_tui.identity import passwords

MOST_WAITING = 100
"""Who comes after so many would wait longer than clients do; some of them wait 15 seconds on a small machine."""
_COME_AGAIN_SECONDS = 15

_turns: RunVar[Semaphore] = RunVar("turns")


async def _turn() -> AsyncIterator[None]:
    """Wait for a turn: one more than hash at once, so that its database work is done meanwhile."""
    try:
        turns = _turns.get()
    except LookupError:
        turns = Semaphore(passwords.AT_ONCE + 1)
        _turns.set(turns)
    if turns.statistics().tasks_waiting >= MOST_WAITING:
        raise TooManyRequests(_("Too many log-ins at once. Try again in a moment."), _COME_AGAIN_SECONDS)
    async with turns:
        yield


TurnDep = Annotated[None, Depends(_turn, scope="function")]
"""Stands last among a handler's dependencies: nobody has a turn whose request is not here as a whole."""
