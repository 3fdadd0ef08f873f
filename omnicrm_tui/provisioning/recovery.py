"""Ending the jobs whose process died, whichever way it did, once what it had done is undone."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import func, select

from omnicrm_tui.crm import Crm
from omnicrm_tui.database.types import UtcDateTime
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.provisioning.left_folders import remove_left_folders
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.progress import LEASE_HEARTBEATS, JobProgress, milliseconds
from omnicrm_tui.provisioning.rules import RUNNING


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A running job as it was seen: it stays the same while nobody renews its lease."""

    provision_id: int
    lease_ms: int | None
    run_out: bool

    @property
    def may_be_dead(self) -> bool:
        """A job that waits for its first process is not dead before its time is up."""
        return self.run_out or self.lease_ms is not None


class Recovery:
    """Ends jobs as interrupted, or has them cleaned up first; look as often as you like.

    A lease that ran out is no proof: while the database was locked, the machine asleep or its clock put forward,
    a living process could not renew it. So a job is ended only when its lease was seen run out, and has not been
    renewed for two more heartbeats in which the process could have done so. One that does not run out, because the
    clock was put back, is given the time of a whole lease more.
    """

    def __init__(self, crm: Crm, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._crm = crm
        self._actor = system_actor("recovery")
        self._monotonic = monotonic
        self._suspects: dict[_Suspect, float] = {}

    def look(self) -> list[int]:
        """End what has been abandoned, or let another process undo what it did; return its numbers."""
        now, heartbeat = self._monotonic(), self._crm.settings.provisioning.heartbeat_seconds
        self._suspects = {suspect: self._suspects.get(suspect, now) for suspect in self._running()}
        due = []
        for suspect, since in self._suspects.items():
            beats = 2 if suspect.run_out else LEASE_HEARTBEATS + 2
            if suspect.may_be_dead and now - since >= beats * heartbeat:
                due.append(suspect)
        return [suspect.provision_id for suspect in due if self._interrupt(suspect.provision_id, suspect.lease_ms)]

    def _running(self) -> list[_Suspect]:
        """Return what runs, with its lease; a job that was never claimed may wait for a whole task time-out."""
        patience_ms = self._crm.settings.provisioning.task_timeout_seconds * 1000
        with self._crm.reading(self._actor) as work:
            now_ms = milliseconds(work.clock.now())
            waits_since = func.coalesce(Provision.started, Provision.created, type_=UtcDateTime)
            columns = (Provision.provision_id, Provision.lease_until_ms, waits_since.label("since"))
            running = work.session.execute(select(*columns).where(Provision.provisioning_status == RUNNING)).all()
        return [
            _Suspect(
                job.provision_id,
                job.lease_until_ms,
                (job.lease_until_ms or milliseconds(job.since) + patience_ms) < now_ms,
            )
            for job in running
        ]

    def _interrupt(self, provision_id: int, lease_ms: int | None) -> bool:
        has_ended = JobProgress(self._crm, provision_id, "recovery").interrupt(lease_ms)
        if has_ended is None:
            return False
        remove_left_folders(self._crm.settings.jobs_folder)
        if not has_ended:
            with suppress(OSError):  # whoever starts what nobody started tries again
                self._crm.dispatcher.dispatch(provision_id)
        return True
