"""Leading: whoever holds the lease of a duty does it, in a thread of the terminal, the server or a worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import TYPE_CHECKING

from omnicrm_tui.errors import CrmError, ProgramOutdated
from omnicrm_tui.messaging.leases import Lease

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm

LOOK_SECONDS = 1.0
FOLLOW_SECONDS = 2.0
"""How often a process looks whose duty another one leads: fifty terminals that look all the time cost a processor."""

GoOn = Callable[[], bool]
Duty = Callable[[GoOn], object]
"""What a leader does each time it looks. A duty that takes long asks, between its parts, whether to go on."""

_log = logging.getLogger(__name__)


class Leader:
    """Leads one lease as long as it can be had, and does its duties."""

    def __init__(
        self, crm: Crm, name: str, stop: Event, duties: Sequence[Duty], look_seconds: float = LOOK_SECONDS
    ) -> None:
        """Do `duties` every `look_seconds` while leading."""
        self._duties = duties
        self._lease = Lease(crm, name)
        self._stop = stop
        self._look_seconds = look_seconds
        self._leading = False
        self._troubles: dict[str, str] = {}
        self._outdated = False

    def run(self) -> None:
        """Look every now and then until `stop` is set, then give the lease back. Never raises.

        Ends by itself once the database was upgraded: whoever runs the newer program leads from then on.
        """
        while not (self._stop.is_set() or self._outdated):
            self._look()
            self._stop.wait(self._look_seconds if self._leading else FOLLOW_SECONDS)
        self._safely("lease", self._lease.release)

    def _look(self) -> None:
        leading = self._safely("lease", self._lease.hold) is True
        if leading != self._leading:
            self._leading = leading
            _log.info("Leading %s from now on" if leading else "Not leading %s any more", self._lease.name)
        for number, duty in enumerate(self._duties if leading else ()):
            self._safely(f"duty {number}", lambda duty=duty: duty(self._goes_on))  # type: ignore[misc]

    def _goes_on(self) -> bool:
        return not self._stop.is_set() and self._lease.hold()

    def _safely(self, what: str, task: Callable[[], object]) -> object:
        """Do `task` and return its result, None where that failed; a trouble that lasts is told once."""
        try:
            result = task()
        except ProgramOutdated as error:
            if not self._outdated:
                _log.error("The duty %s is left to the newer program: %s", self._lease.name, error.message)
            self._outdated = True
            return None
        except CrmError as error:
            if self._troubles.get(what) != error.message:
                _log.warning("The duty %s waits: %s", self._lease.name, error.message)
            self._troubles[what] = error.message
            return None
        except Exception:
            # A leader that dies of a surprise would stop all mail without a word.
            _log.exception("The duty %s met an unexpected error", self._lease.name)
            return None
        if self._troubles.pop(what, None) is not None:
            _log.info("The duty %s goes on", self._lease.name)
        return result


def every(seconds: float, duty: Duty, monotonic: Callable[[], float] = time.monotonic) -> Duty:
    """Return `duty`, done at the first look and then once in so many seconds."""
    due = monotonic()

    def now_and_then(go_on: GoOn) -> None:
        nonlocal due
        if monotonic() >= due:
            due = monotonic() + seconds
            duty(go_on)

    return now_and_then
