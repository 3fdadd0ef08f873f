"""What a job's events tell a person: its tasks in order, how far it is, what its rollback undid. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import gettext as _
from gettext import ngettext
from typing import TYPE_CHECKING, Any

from omnicrm_tui.languages import said
from omnicrm_tui.provisioning.play_failures import ADVICE, told, told_name, told_result
from omnicrm_tui.provisioning.rules import DEPROVISION, FAILED, IGNORED, REASONS, RUNNING, STATUS_NAMES, SUCCESS
from widgets.columns import Tone
from widgets.task_list import Heading, Task, TaskState

if TYPE_CHECKING:
    from omnicrm_tui.provisioning.schemas import EventView, JobView
    from screens.formats import Formats

RESCUE = "rescue"
LONGEST_NOTE = 60
LONGEST_DETAIL = 200
"""Lines of a task's result that open below it; the whole is one key away."""

_STATES: dict[int, TaskState] = {SUCCESS: "done", RUNNING: "running", FAILED: "failed", IGNORED: "ignored"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: tasks that have ended, of how many, rollback left out."""

    done: int
    total: int
    rolling_back: bool

    def bar(self, width: int) -> str:
        """Return a bar of `width` cells and the percentage, as text."""
        share = self.done / self.total if self.total else 0.0
        filled = min(width, int(share * width))
        return f"{'█' * filled}{'░' * (width - filled)} {int(min(share, 1.0) * 100)} %"


def progress(job: JobView, events: Sequence[EventView]) -> Progress:
    """Return how far the job is (SVC-077)."""
    main = [event for event in events if event.phase != RESCUE]
    done = sum(event.provisioning_status != RUNNING for event in main)
    total = max(job.task_count, len(main))
    return Progress(done, total, rolling_back=len(main) < len(events))


def status_line(job: JobView, events: Sequence[EventView]) -> str:
    """Return `Provisioning Status: Running (8 of 12 tasks completed)`, in full words (SVC-074, SVC-077)."""
    heading = _("Deprovisioning Status") if job.action == DEPROVISION else _("Provisioning Status")
    word = said(STATUS_NAMES.get(job.provisioning_status, "?"))
    reason = said(REASONS.get(job.status_reason, ""))
    if job.provisioning_status == RUNNING and job.cancel_requested:
        reason = _("cancelling")
    now = progress(job, events)
    if job.provisioning_status == RUNNING and now.rolling_back:
        reason = _("removing") if job.action == DEPROVISION else _("rolling back")
    counted = _("{done} of {total} tasks completed").format(done=now.done, total=now.total)
    return f"{heading}: {word}{f', {reason}' if reason else ''} ({counted})"


def job_word(status: int, reason: str) -> str:
    """Return a job's status in words for lists."""
    word = said(STATUS_NAMES.get(status, "?"))
    more = said(REASONS.get(reason, ""))
    return f"{word}, {more}" if more else word


def job_tone(status: int) -> Tone:
    """Return the tone that goes with a job's status."""
    tones: dict[int, Tone] = {SUCCESS: "success", RUNNING: "accent", FAILED: "error"}
    return tones.get(status, "")


def entries(
    job: JobView, events: Sequence[EventView], planned: Sequence[str], formats: Formats
) -> list[Task | Heading]:
    """Return the lines of the task list: what ran, the rollback under its heading, and what is to come.

    A planned task that never ran is "pending" while the job can still reach it, and "not run" afterwards.
    """
    shown: list[Task | Heading] = []
    main = [event for event in events if event.phase != RESCUE]
    rescue = [event for event in events if event.phase == RESCUE]
    shown += [_task(event, formats) for event in main]
    running = job.provisioning_status == RUNNING
    waiting = remaining([event.event_name for event in main], planned)
    if job.provisioning_status != SUCCESS and not (job.action == DEPROVISION and rescue):
        state: TaskState = "pending" if running and not rescue else "dropped"
        shown += [Task(-1 - at, name, state) for at, name in enumerate(waiting)]
    if rescue:
        shown.append(_rollback_heading(job, running))
        shown += [_task(event, formats, undoing=True) for event in rescue]
    return shown


def remaining(ran: Sequence[str], planned: Sequence[str]) -> list[str]:
    """Return the planned tasks behind the last one that ran; tasks that no plan knows are passed over."""
    at = 0
    for name in ran:
        if name in planned[at:]:
            at = planned.index(name, at) + 1
    return list(planned[at:])


def _rollback_heading(job: JobView, running: bool) -> Heading:
    if job.action == DEPROVISION:
        return Heading(_("Removing the service…") if running else _("Removal of the service"))
    if running:
        return Heading(_("Rolling back… what was made so far is taken back"))
    return Heading(_("Rollback: what had been made was taken back"))


def _task(event: EventView, formats: Formats, *, undoing: bool = False) -> Task:
    state = _STATES.get(event.provisioning_status, "failed")
    return Task(
        event.event_number,
        told_name(event.event_name),
        "skipped" if state == "done" and result_of(event).get("skipped") else state,
        formats.time(event.timestamp),
        _took(event.timestamp, event.finished),
        _note(event),
        undoing,
    )


def _took(started: datetime, finished: datetime | None) -> str:
    return duration(finished - started) if finished is not None else ""


def duration(span: timedelta) -> str:
    """Return `0.4 s`, `12 s` or `3 m 05 s`."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} m {int(seconds) % 60:02d} s"


def _note(event: EventView) -> str:
    """Return what stands behind the task's name: why it failed, or the few words that it says.

    What modules say of themselves when all is well ("OK (35 bytes)", "All items completed") is left out.
    """
    result = result_of(event)
    if event.provisioning_status == RUNNING or result.get("skipped"):
        return ""
    line = _message(result)
    if event.provisioning_status in (FAILED, IGNORED):
        return next((_message(one) for one in _rounds(result) if one.get("failed")), "") or line
    chatter = line == "All assertions passed" or not result.keys().isdisjoint({"status", "results"})
    return "" if chatter or len(line) > LONGEST_NOTE else line


def _message(result: dict[str, Any]) -> str:
    message = result.get("msg")
    return message.strip().splitlines()[0] if isinstance(message, str) and message.strip() else ""


def _rounds(result: dict[str, Any]) -> list[dict[str, Any]]:
    rounds = result.get("results")
    return [one for one in rounds if isinstance(one, dict)] if isinstance(rounds, list) else []


def result_of(event: EventView) -> dict[str, Any]:
    """Return a task's result, what we say in it in the reader's language; a text that is no JSON object is its msg."""
    try:
        found = json.loads(event.provisioning_result_json)
    except ValueError:
        found = event.provisioning_result_json
    return told_result(found) if isinstance(found, dict) else {"msg": found}


def output(event: EventView) -> list[str]:
    """Return a task's whole result as lines, readable: long texts in it keep their line breaks."""
    lines: list[str] = []
    for name, value in result_of(event).items():
        if isinstance(value, str) and "\n" in value:
            lines += [f"{name}:", *(f"  {line}" for line in value.splitlines())]
        elif isinstance(value, (dict, list)):
            first, *rest = json.dumps(value, ensure_ascii=False, indent=2).splitlines()
            lines += [f"{name}: {first}", *rest]
        else:
            lines.append(f"{name}: {value if isinstance(value, str) else json.dumps(value)}")
    return lines or [_("(no result yet)") if event.provisioning_status == RUNNING else _("(no result)")]


def detail(event: EventView) -> list[str]:
    """Return the first lines of a task's result."""
    lines = output(event)
    if len(lines) <= LONGEST_DETAIL:
        return lines
    more = _("… {count} more lines: o shows all").format(count=len(lines) - LONGEST_DETAIL)
    return [*lines[:LONGEST_DETAIL], more]


def failed_task(events: Sequence[EventView]) -> EventView | None:
    """Return the task that made the job fail, the last one outside the rollback."""
    failed = [e for e in events if e.provisioning_status == FAILED]
    main = [e for e in failed if e.phase != RESCUE]
    found = main or failed
    return found[-1] if found else None


def failure_lines(job: JobView, events: Sequence[EventView]) -> list[tuple[str, Tone]]:
    """Return what to tell about a failed job: the error, what was and was not undone, and what to do (SVC-177)."""
    failed = failed_task(events)
    error = (job.error_message or "").strip() or (_note(failed) if failed else "") or _("The job failed.")
    lines: list[tuple[str, Tone]] = [(_("Error: {why}").format(why=told(error.splitlines()[0])), "error")]
    if failed is not None and failed.event_name not in error:
        lines.append((_("At the task: {name}").format(name=told_name(failed.event_name)), ""))
    if failed is not None and _rounds(result_of(failed)):
        lines.append((_("Cause: {why}").format(why=_note(failed)), ""))  # of a loop, Ansible's message tells no cause
    rescue = [event for event in events if event.phase == RESCUE]
    stuck = [event.event_name for event in rescue if event.provisioning_status == IGNORED]
    undone = sum(event.provisioning_status == SUCCESS and not result_of(event).get("skipped") for event in rescue)
    if job.action != DEPROVISION:
        lines.append((_undone(undone, bool(rescue), bool(stuck)), "success" if undone and not stuck else ""))
    if stuck:
        lines.append((_("Could not be undone, check by hand: {tasks}").format(tasks="; ".join(stuck)), "warning"))
    lines += [(_("What to do: {advice}").format(advice=advice), "") for advice in _advice(job, failed)]
    return lines


def _undone(undone: int, rolled_back: bool, stuck: bool) -> str:
    if stuck:
        return _("Rolled back as far as possible ({count} tasks); the items are free again.").format(count=undone)
    if not rolled_back:
        return _("Nothing had to be taken back; the items are free again.")
    return ngettext(
        "Rolled back in {count} task: what had been made is gone, the items are free again.",
        "Rolled back in {count} tasks: what had been made is gone, the items are free again.",
        undone,
    ).format(count=undone)


def _advice(job: JobView, failed: EventView | None) -> list[str]:
    advice = result_of(failed).get(ADVICE) if failed is not None else None
    if isinstance(advice, list) and advice:
        return [". ".join(str(step) for step in advice) + "."]
    if job.status_reason == "cancelled":
        return [_("R tries again with the same items, or add the service anew.")]
    return [_("read the failed task (View Logs), put the cause right, then R tries again with the same items.")]
