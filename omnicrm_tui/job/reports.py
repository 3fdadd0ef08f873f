"""What the play's tasks report, until it is written down."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.provisioning.play_failures import NOT_KEPT
from omnicrm_tui.provisioning.progress import EventRecord, JobProgress, LostLease
from omnicrm_tui.provisioning.task_events import TaskEvent

log = logging.getLogger("omnicrm.job")


class Unwritable(Exception):
    """Something that was reported cannot be written, however often one tries; all else has been."""


class Reports:
    """The reports of one job that wait for the database.

    A clean-up has no `keeps_facts`: those of the process that died are what another clean-up would go by.
    """

    keeps_facts = True

    def __init__(self, progress: JobProgress) -> None:
        self._progress = progress
        self._waiting: dict[int, EventRecord] = {}
        self._facts: dict[str, Any] = {}

    def add(self, tasks: Iterable[TaskEvent]) -> None:
        """Take what changed; of a task that waits already, its newest state is enough."""
        for task in tasks:
            self._waiting[task.event_number] = _record(task)
            if self.keeps_facts:
                self._facts |= task.facts

    def write(self) -> None:
        """Write what waits. It waits on after DatabaseProblem; raises LostLease, and Unwritable, too."""
        if not self._waiting:
            return
        try:
            self._progress.record(*self._waiting.values(), facts=self._facts)
        except (DatabaseProblem, LostLease):
            raise
        except Exception as error:
            log.exception("job %s: an event cannot be written", self._progress.provision_id)
            self._write_each()
            raise Unwritable from error
        self._waiting.clear()

    def _write_each(self) -> None:
        """One that cannot be written must not keep the others back; it is written without what its task said."""
        for number, event in list(self._waiting.items()):
            if not self._is_written(event) and not self._is_written(replace(event, result={"msg": NOT_KEPT})):
                log.error("job %s: event %s is not kept", self._progress.provision_id, number)
            del self._waiting[number]

    def _is_written(self, event: EventRecord) -> bool:
        try:
            self._progress.record(event, facts=self._facts)
        except (DatabaseProblem, LostLease):
            raise
        except Exception:
            return False
        return True


def _record(task: TaskEvent) -> EventRecord:
    return EventRecord(
        event_number=task.event_number,
        event_name=task.event_name,
        phase=task.phase,
        provisioning_status=task.status,
        result=task.result,
        timestamp=task.started,
        finished=task.finished,
    )
