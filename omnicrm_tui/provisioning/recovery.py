"""Ending the jobs whose process died, whichever way it did."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import select

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.provisioning.job_folder import remove_folders_of
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.progress import JobEnd, JobProgress, milliseconds
from omnicrm_tui.provisioning.rules import FAILED, RUNNING

_MESSAGE = "The process that ran this job ended. What its finished tasks made may have to be removed by hand."


class Recovery:
    """Ends jobs as interrupted; look as often as you like.

    A lease that ran out is no proof: while the database was locked, the machine asleep or its clock put forward,
    a living process could not renew it. So a job is ended only when its lease was seen run out, and has not been
    renewed for two more heartbeats in which the process could have done so.
    """

    def __init__(self, crm: Crm, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._crm = crm
        self._actor = system_actor("recovery")
        self._monotonic = monotonic
        self._suspects: dict[tuple[int, int | None], float] = {}

    def look(self) -> list[int]:
        """End what has been abandoned and return its numbers."""
        now, patience = self._monotonic(), 2 * self._crm.settings.provisioning.heartbeat_seconds
        self._suspects = {suspect: self._suspects.get(suspect, now) for suspect in self._run_out()}
        due = [suspect for suspect, since in self._suspects.items() if now - since >= patience]
        return [provision_id for provision_id, lease_ms in due if self._interrupt(provision_id, lease_ms)]

    def _run_out(self) -> list[tuple[int, int | None]]:
        """Return jobs with the lease that ran out; one that was never claimed may wait for a whole task time-out."""
        patience_ms = self._crm.settings.provisioning.task_timeout_seconds * 1000
        with self._crm.reading(self._actor) as work:
            now_ms = milliseconds(work.clock.now())
            columns = (Provision.provision_id, Provision.lease_until_ms, Provision.created)
            running = work.session.execute(select(*columns).where(Provision.provisioning_status == RUNNING)).all()
        return [
            (job.provision_id, job.lease_until_ms)
            for job in running
            if (job.lease_until_ms or milliseconds(job.created) + patience_ms) < now_ms
        ]

    def _interrupt(self, provision_id: int, lease_ms: int | None) -> bool:
        end = JobEnd(FAILED, "interrupted", _MESSAGE, {})
        if not JobProgress(self._crm, provision_id, "recovery").interrupt(end, lease_ms):
            return False
        # It holds tokens and the keys of outside systems; whoever was killed could not remove it.
        remove_folders_of(provision_id, self._crm.settings.jobs_folder)
        return True
