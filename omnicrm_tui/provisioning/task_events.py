"""Ansible's events, told as the tasks of a job.

A task is reported when it starts (status 1) and again, under the same number, when it has ended: 0 done or
skipped, 2 failed, 3 failed but ignored (SVC-006..012). A failure that a rescue section answers is a 2: it is
why the job is rolled back. The one exception is the step that leads an intended deprovisioning into the
rescue section (SVC-089): it is expected, and a 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from omnicrm_tui.clock import Clock
from omnicrm_tui.provisioning.play_file import MAIN, RESCUE, Phase, Play
from omnicrm_tui.redaction import Redactor

DONE, RUNNING, FAILED, IGNORED = 0, 1, 2, 3

_FACT_MODULES = frozenset({"set_fact", "ansible.builtin.set_fact", "ansible.legacy.set_fact"})
_STOPPING_MODULES = frozenset({"assert", "fail"})


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One task of a run, as it stands now.

    `event_number` counts from 1 and stays the task's own; `result` is redacted and of limited size; times are
    aware UTC. `items` is how many items of a loop have ended, `item` what the last of them was. `fatal` marks
    the one event that tells why a play could not be run (SVC-033, SVC-126). `facts` are what the task set.
    """

    event_number: int
    event_name: str
    status: int
    phase: Phase
    started: datetime
    finished: datetime | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = False
    items: int = 0
    item: str | None = None
    action: str = ""
    fatal: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """How long the task took; None while it runs."""
        return (self.finished - self.started).total_seconds() if self.finished else None


class TaskEvents:
    """Turns the events of one run into TaskEvents and hands each to `report` at once."""

    def __init__(
        self,
        report: Callable[[TaskEvent], None],
        *,
        redactor: Redactor,
        clock: Clock,
        play: Play | None = None,
        deprovisioning: bool = False,
        last_number: int = 0,
    ) -> None:
        self._report = report
        self._redactor = redactor
        self._clock = clock
        self._play = play
        self._deprovisioning = deprovisioning
        self._open: dict[str, TaskEvent] = {}
        self._phase: Phase = MAIN
        self.last_number = last_number
        self.rescue_started = False
        self.facts: dict[str, Any] = {}
        self.failures: list[TaskEvent] = []
        self.ignored: list[TaskEvent] = []

    def handle(self, event: Mapping[str, Any]) -> None:
        """Take one event of ansible-runner."""
        kind, data = str(event.get("event", "")), event.get("event_data") or {}
        if kind == "playbook_on_task_start":
            self._start(data)
        elif kind.startswith("runner_item_on_"):
            self._item(kind, data)
        elif kind == "playbook_on_include":
            self._end_all({"included": str(data.get("included_file", ""))})
        elif kind in ("runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_on_unreachable"):
            self._end(kind, data)

    def close(self, reason: str) -> None:
        """End the tasks that were running when the play's process went away."""
        for key, task in list(self._open.items()):
            self._finish(key, replace(task, status=FAILED, result={"msg": reason}))

    def fatal(self, name: str, result: Mapping[str, Any]) -> TaskEvent:
        """Report the special event of a fatal error (SVC-033)."""
        now = self._clock.now()
        self.last_number += 1
        event = TaskEvent(
            self.last_number,
            name,
            FAILED,
            MAIN,
            now,
            now,
            self._redactor.result(result),
            fatal=True,
        )
        self._report(event)
        return event

    def _start(self, data: Mapping[str, Any]) -> None:
        self._end_all({})  # an include whose files were all skipped ends without an event of its own
        file, _, line = str(data.get("task_path", "")).rpartition(":")
        if self._play and line.isdigit():
            self._phase = self._play.phase_of(file.rpartition("/")[2], int(line)) or self._phase
        self.rescue_started = self.rescue_started or self._phase == RESCUE
        self.last_number += 1
        name = self._redactor.text(str(data.get("name") or data.get("task") or "task"))
        action = str(data.get("task_action", ""))
        task = TaskEvent(self.last_number, name, RUNNING, self._phase, self._clock.now(), action=action)
        self._open[str(data.get("task_uuid") or data.get("uuid"))] = task
        self._report(task)

    def _item(self, kind: str, data: Mapping[str, Any]) -> None:
        key = str(data.get("task_uuid"))
        task = self._open.get(key)
        if task is None:
            return
        result = data.get("res") or {}
        label = result.get("_ansible_item_label", result.get("item", task.items + 1))
        item = str(self._redactor.result({"item": label})["item"])
        self._open[key] = replace(task, items=task.items + 1, item=item[:200])
        self._report(self._open[key])

    def _end(self, kind: str, data: Mapping[str, Any]) -> None:
        key = str(data.get("task_uuid"))
        task = self._open.get(key)
        if task is None:
            return
        raw = data.get("res") if isinstance(data.get("res"), dict) else {}
        result = self._redactor.result(_without_internals(raw or {}))
        status = DONE
        if kind == "runner_on_skipped":
            result = {"skipped": True}
        elif kind != "runner_on_ok":
            status = IGNORED if data.get("ignore_errors") else FAILED
            if kind == "runner_on_unreachable":
                result = {"unreachable": True, **result}
        elif task.action in _FACT_MODULES:
            task = replace(task, facts=_facts(result))
            self.facts |= task.facts
        if status == FAILED and self._is_expected(task, raw or {}):
            status, result = DONE, {"expected": True, "to_rescue": True, **result}
        if status == FAILED:
            self._phase = RESCUE if self._play and self._play.rescue_count else self._phase
        elif status == DONE and result.get("to_rescue"):
            self._phase = RESCUE
        changed = bool((raw or {}).get("changed"))
        self._finish(key, replace(task, status=status, result=result, changed=changed))

    def _is_expected(self, task: TaskEvent, result: Mapping[str, Any]) -> bool:
        """Whether a failed task is the step by which a deprovisioning goes straight to the rescue section."""
        if not self._deprovisioning or task.phase != MAIN:
            return False
        if task.action.rpartition(".")[2] not in _STOPPING_MODULES:
            return False
        said = f"{task.event_name} {result.get('assertion', '')} {result.get('msg', '')}"
        return "deprovision" in said.lower()

    def _end_all(self, result: Mapping[str, Any]) -> None:
        for key, task in list(self._open.items()):
            self._finish(key, replace(task, status=DONE, result=dict(result)))

    def _finish(self, key: str, task: TaskEvent) -> None:
        task = replace(task, finished=self._clock.now())
        del self._open[key]
        if task.status == FAILED:
            self.failures.append(task)
        elif task.status == IGNORED:
            self.ignored.append(task)
        self._report(task)


def _without_internals(result: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if not name.startswith("_ansible_")}


def _facts(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a set_fact set; a loop has it in the results of its items, the last of which stands."""
    rounds = [result, *(result.get("results") or ())]
    return {name: value for one in rounds for name, value in (one.get("ansible_facts") or {}).items()}
