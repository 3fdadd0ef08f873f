"""Starting the jobs that nobody started: whoever ordered them died between the order and its process."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import select

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.rules import RUNNING

PATIENCE_SECONDS = 15.0
"""How long a job may wait for the process that was started with it; the claim decides if there are two."""

AT_ONCE = 4
"""Processes that one look starts, so that a heap of jobs does not starve the machine."""


class Starting:
    """Hands jobs on that nobody has claimed for a while; look as often as you like."""

    def __init__(self, crm: Crm, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._crm = crm
        self._actor = system_actor("jobs")
        self._monotonic = monotonic
        self._waiting: dict[int, float] = {}

    def look(self) -> list[int]:
        """Start a process for what waits too long, oldest first, and return its numbers."""
        now = self._monotonic()
        self._waiting = {job: self._waiting.get(job, now) for job in self._unclaimed()}
        due = [job for job, since in self._waiting.items() if now - since >= PATIENCE_SECONDS][:AT_ONCE]
        for job in due:
            self._crm.dispatcher.dispatch(job)
            self._waiting[job] = now
        return due

    def _unclaimed(self) -> list[int]:
        statement = (
            select(Provision.provision_id)
            .where(Provision.provisioning_status == RUNNING, Provision.lease_until_ms.is_(None))
            .order_by(Provision.provision_id)
        )
        with self._crm.reading(self._actor) as work:
            return list(work.session.scalars(statement))
