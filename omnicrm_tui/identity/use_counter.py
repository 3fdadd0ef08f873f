"""Counts what the credentials of machines are used for, without a write for each request.

A process counts in its memory. The first use after a quiet minute is written at once, in a thread of its own; what
comes in the minute after it is written together, and the rest when the process ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from threading import Event, Lock
from typing import TYPE_CHECKING

from omnicrm_tui.errors import CrmError
from omnicrm_tui.identity.access import KeyRefused
from omnicrm_tui.identity.actor import Actor, system_actor
from omnicrm_tui.identity.key_schemas import Use

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm

WRITE_SECONDS = 60.0

log = logging.getLogger("omnicrm.api")


class UseCounter:
    """Uses that were not written yet. Safe to use from several threads."""

    def __init__(self) -> None:
        self.noted = Event()
        self._uses: dict[tuple[str, str], Use] = {}
        self._lock = Lock()

    def counted(self, identify: Callable[[], Actor], address: str, now: datetime) -> Actor:
        """Return the machine that `identify` finds, counted; a refused key is counted too, and KeyRefused goes on."""
        try:
            actor = identify()
        except KeyRefused as error:
            self._note(Use(error.credential, address, now, now, refused=1))
            raise
        self._note(Use(actor.credential, address, now, now, uses=1))
        return actor

    def take(self) -> list[Use]:
        """Return what was counted, and begin anew."""
        with self._lock:
            taken, self._uses = list(self._uses.values()), {}
            self.noted.clear()
        return taken

    def put_back(self, uses: list[Use]) -> None:
        """Count again what could not be written."""
        for use in uses:
            self._note(use)

    def _note(self, use: Use) -> None:
        place = (use.credential, use.address)
        with self._lock:
            so_far = self._uses.get(place)
            self._uses[place] = use if so_far is None else _together(so_far, use)
            self.noted.set()


def _together(one: Use, other: Use) -> Use:
    return replace(
        one,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        uses=one.uses + other.uses,
        refused=one.refused + other.refused,
    )


def write_uses(crm: Crm, counter: UseCounter) -> None:
    """Write down what was counted; where that cannot be, it stays counted: nobody is turned away for it."""
    uses = counter.take()
    if not uses:
        return
    try:
        with crm.as_actor(system_actor("uses of keys")) as work:
            work.identity.record_uses(uses)
    except CrmError as error:
        counter.put_back(uses)
        log.warning("Uses of API keys could not be written yet: %s", error.message)
