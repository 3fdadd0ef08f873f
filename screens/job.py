"""A job, live: how far it is, each task with its state, the rollback, and how it ended (SVC-076, SVC-077, SVC-175)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from omnicrm_tui.errors import CrmError, NotFound
from omnicrm_tui.languages import said
from screens.base import CrmScreen
from screens.desk import sentence
from widgets.action_line import Action, ActionLine
from widgets.facts import Fact, Facts
from widgets.task_list import TaskList

if TYPE_CHECKING:
    from omnicrm_tui.customer_services.schemas import ServiceView
    from omnicrm_tui.provisioning.schemas import EventView, JobView
    from omnicrm_tui.work import Work

BAR_CELLS = 40


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read of a job: `service` only of one that succeeded, as far as the person may see it."""

    job: JobView
    events: tuple[EventView, ...]
    planned: tuple[str, ...] = ()
    service: ServiceView | None = None

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.job.provisioning_status == 1

    @property
    def next_after(self) -> int:
        """Every event up to this number is final: only later ones are read again."""
        open_numbers = [event.event_number for event in self.events if event.provisioning_status == 1]
        return min(open_numbers) - 1 if open_numbers else len(self.events) and self.events[-1].event_number


class JobScreen(CrmScreen):
    """One job, by number. It reads on while the job runs; leaving does not stop the job."""

    DEFAULT_CSS = """
    JobScreen #status { height: auto; padding: 0 1; background: $surface; text-style: bold; }
    JobScreen #about { height: 1; padding: 0 1; background: $surface; color: $text-muted; }
    JobScreen #end { height: auto; max-height: 12; display: none; background: $surface; }
    JobScreen #end.-open { display: block; }
    JobScreen #outcome { height: auto; padding: 0 1; background: $surface; }
    JobScreen Facts { padding: 0 0; }
    JobScreen TaskList { margin: 1 0 0 0; }
    """

    NEEDS: ClassVar = {"retry": "create_provision"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel", _("Cancel job"), id="job.cancel", tooltip=_("Cancel the job and roll back")),
        Binding("R", "retry", _("Retry"), id="job.retry", tooltip=_("Try the job again")),
        Binding("v", "view_service", _("View service"), id="job.service", tooltip=_("Open the service")),
        Binding("o", "output", _("Output"), id="job.output", tooltip=_("All that the task returned")),
        Binding("P", "pause", _("Pause"), id="job.pause", tooltip=_("Hold the live view, or go on")),
        Binding("r", "refresh_job", _("Refresh"), show=False, id="job.refresh", tooltip=_("Read the job again")),
        Binding("y", "copy", _("Copy"), show=False, id="job.copy", tooltip=_("Copy the job's number")),
    ]

    def __init__(self, provision_id: int) -> None:
        super().__init__()
        self.provision_id = provision_id
        self._seen: _Seen | None = None
        self._paused = False
        self._reading = False
        self._timer: Timer | None = None
        self._ended = False
        self._tasks = TaskList(self._detail, id="tasks")
        self._buttons = ActionLine()

    def path(self) -> tuple[str, ...]:
        """Jobs, then the number."""
        return (_("Jobs"), f"#{self.provision_id}")

    def body(self) -> ComposeResult:
        yield Static(_("Reading…"), id="status", markup=False)
        yield Static("", id="about", markup=False)
        with Vertical(id="end"):
            yield Static("", id="outcome", markup=False)
            yield Facts(id="service")
            yield self._buttons
        yield self._tasks

    def on_mount(self) -> None:
        self._tasks.focus()
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._colour())
        self._read_soon()
        self._timer = self.set_interval(self.desk.settings.provisioning.poll_seconds, self._tick)

    # Reading

    def _tick(self) -> None:
        """Read what is new, unless that is under way, held, or nobody looks."""
        if self._seen is not None and self._seen.running and not self._paused and self in self.app.screen_stack:
            self._read_soon()

    def _read_soon(self) -> None:
        if not self._reading:
            self._reading = True
            self.do(self._read, group="job", on_error=self._failed)

    async def _read(self) -> None:
        try:
            seen = await self.desk.read(partial(read_on, provision_id=self.provision_id, seen=self._seen))
        finally:
            self._reading = False
        if seen != self._seen:
            self._seen = seen
            self._show(seen)

    def _failed(self, error: CrmError) -> None:
        self.tell(sentence(error), severity="error")
        if isinstance(error, NotFound) and self.is_active:
            self.action_back()

    # Showing

    def _show(self, seen: _Seen) -> None:
        from screens.job_story import entries

        self._show_status()
        self._tasks.show(entries(seen.job, seen.events, seen.planned, self.crm_app.formats))
        if not seen.running and not self._ended:
            self._ended = True
            self._tasks.settle()
            self._show_end(seen)
            if self._timer is not None:
                self._timer.stop()
        self.refresh_bindings()

    def _show_status(self) -> None:
        from screens.job_story import job_tone, progress, status_line

        seen = self._seen
        if seen is None:
            return
        tone = self._tasks.get_component_rich_style(f"task--{job_tone(seen.job.provisioning_status)}", partial=True)
        text = Text(status_line(seen.job, seen.events), style=tone + Style(bold=True), no_wrap=True)
        held = _("   HELD: P goes on") if self._paused else ""
        follow = _("   following") if self._tasks.following and seen.running else ""
        text.append(f"\n{progress(seen.job, seen.events).bar(min(BAR_CELLS, self.size.width // 2))}{held or follow}")
        self.query_one("#status", Static).update(text)
        self.query_one("#about", Static).update(self._about(seen.job))

    def _about(self, job: JobView) -> str:
        from screens.job_story import duration
        from widgets.text import visible

        formats = self.crm_app.formats
        parts = [
            job.customer_name or "",
            job.playbook_description or job.provisioning_play,
            _("retry of #{id}").format(id=job.retry_of) if job.retry_of else "",
            formats.moment(job.started or job.created),
            duration(job.finished - job.started) if job.finished and job.started else "",
        ]
        return visible(" · ".join(part for part in parts if part))

    def _show_end(self, seen: _Seen) -> None:
        """Show how the job ended, and what can be done now (SVC-176, SVC-177)."""
        self._show_outcome(seen)
        if seen.job.provisioning_status == 0:
            self.query_one(Facts).show(_service_facts(seen))
        self._buttons.show(self._offers(seen))
        self.query_one("#end").add_class("-open")
        if self.focused is self._tasks or self.focused is None:
            self._buttons.focus()

    def _show_outcome(self, seen: _Seen) -> None:
        ok = seen.job.provisioning_status == 0
        self.query_one("#outcome", Static).update(self._success(seen) if ok else self._failure(seen))

    def _colour(self) -> None:
        """Show what has a colour of its own in those of another theme."""
        self._show_status()
        if self._ended and self._seen is not None:
            self._show_outcome(self._seen)

    def _success(self, seen: _Seen) -> Text:
        from omnicrm_tui.provisioning.rules import DEPROVISION
        from widgets.text import visible

        removed = seen.job.action == DEPROVISION
        text = (
            _("Service successfully removed for {name}")
            if removed
            else _("Service successfully provisioned for {name}")
        )
        name = seen.job.customer_name or _("customer {id}").format(id=seen.job.customer_id)
        told = Text(f"✓ {visible(text.format(name=name))}", style=self._tone("success") + Style(bold=True))
        if day := "" if removed else str(seen.job.provisioning_json_vars.get("installation_date") or ""):
            due = _("Installation is agreed for {day}: make the ticket for it.").format(day=day)
            told.append(f"\n  {visible(due)}", style=self._tone("warning"))
        return told

    def _failure(self, seen: _Seen) -> Text:
        from screens.job_story import failure_lines
        from widgets.text import visible

        text = Text()
        for at, (line, tone) in enumerate(failure_lines(seen.job, seen.events)):
            mark = "✗ " if at == 0 else "  "
            text.append(f"{chr(10) if at else ''}{mark}{visible(line)}", style=self._tone(tone) if tone else Style())
        return text

    def _tone(self, tone: str) -> Style:
        return self._tasks.get_component_rich_style(f"task--{tone}", partial=True)

    def _offers(self, seen: _Seen) -> list[Action]:
        close = Action("back", _("Close"))
        if seen.job.provisioning_status == 0:
            view = [Action("view_service", _("View Service"))] if seen.service is not None else []
            return [*view, close]
        retry = [Action("retry", _("Retry"))] if self.desk.may("create_provision") else []
        return [*retry, Action("view_logs", _("View Logs")), close]

    def _detail(self, key: int) -> list[str]:
        from screens.job_story import detail

        event = self._event(key)
        return detail(event) if event is not None else [_("This task has not run.")]

    def _event(self, key: int | None) -> EventView | None:
        events = self._seen.events if self._seen is not None else ()
        return next((event for event in events if event.event_number == key), None)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done with the job as it is now."""
        seen = self._seen
        if action in ("cancel", "pause") and (seen is None or not seen.running):
            return False
        if action == "retry" and (seen is None or seen.job.provisioning_status != 2):
            return False
        if action == "view_service":
            return seen is not None and not seen.running and seen.service is not None
        return super().check_action(action, parameters)

    def needed_for(self, action: str) -> str:
        """Return what an action needs; one's own job is cancelled with less."""
        if action == "cancel" and self._seen is not None and not self._may_cancel(self._seen.job):
            return "update_provision"
        return super().needed_for(action)

    def _may_cancel(self, job: JobView) -> bool:
        from omnicrm_tui.provisioning.rules import may_cancel

        return self.desk.actor is not None and may_cancel(self.desk.actor, job.initiating_user)

    def on_action_line_chosen(self, message: ActionLine.Chosen) -> None:
        """Do what the button says."""
        message.stop()
        self.call_later(self.run_action, message.name)

    def on_task_list_follow_changed(self, message: TaskList.FollowChanged) -> None:
        message.stop()
        self._show_status()

    def action_pause(self) -> None:
        """Hold the live view, or go on with it; the job itself goes on."""
        self._paused = not self._paused
        self._show_status()
        if not self._paused:
            self._read_soon()

    def action_refresh_job(self) -> None:
        """Read the job again."""
        self._read_soon()

    def action_copy(self) -> None:
        """Copy the job's number."""
        from widgets.clipboard import copy

        copy(self.app, str(self.provision_id))

    def action_output(self) -> None:
        """Show the whole result of the task under the cursor."""
        from omnicrm_tui.provisioning.play_failures import told_name
        from screens.dialogs import Reading
        from screens.job_story import output

        event = self._event(self._tasks.task_key)
        if event is not None:
            self.app.push_screen(Reading(told_name(event.event_name), output(event)))

    def action_view_logs(self) -> None:
        """Go to the task that failed, opened."""
        from screens.job_story import failed_task

        failed = failed_task(self._seen.events) if self._seen is not None else None
        self._tasks.focus()
        if failed is not None:
            self._tasks.open_task(failed.event_number)

    def action_view_service(self) -> None:
        """Open the service that the job made."""
        if self._seen is not None and self._seen.service is not None:
            self.crm_app.open_place("service", self._seen.service.service_id)

    def action_cancel(self) -> None:
        """Ask, then have the job stopped and rolled back."""
        from screens.dialogs import Confirm

        done = sum(event.provisioning_status != 1 for event in self._seen.events) if self._seen else 0
        detail = _("{count} tasks are done. The job stops after the current one and takes back what it made.")
        question = _("Cancel job {id}?").format(id=self.provision_id)
        dialog = Confirm(question, detail.format(count=done), yes=_("Cancel the job"), no=_("Let it go on"))
        self.app.push_screen(dialog, self._cancel)

    def _cancel(self, sure: bool | None) -> None:
        async def cancel() -> None:
            await self.desk.change(lambda work: work.provisioning.cancel(self.provision_id))
            self._read_soon()

        if sure:
            self.do(cancel)

    def action_retry(self) -> None:
        """Start another attempt with the same items, and watch that one (SVC-011)."""

        async def retry() -> None:
            again = await self.desk.change(lambda work: work.provisioning.retry(self.provision_id))
            if self.is_active:
                self.app.switch_screen(JobScreen(again.provision_id))

        self.do(retry, group="retry", exclusive=True)


def read_on(work: Work, provision_id: int, seen: _Seen | None) -> _Seen:
    """Return the job as it is now: of its events only those are read that are new or were not final."""
    job = work.provisioning.get(provision_id)
    if seen is None:
        planned = tuple(work.provisioning.planned_tasks(provision_id))
        seen = _Seen(job, (), planned)
    fresh = work.provisioning.events(provision_id, seen.next_after)
    if fresh:
        kept = tuple(event for event in seen.events if event.event_number < fresh[0].event_number)
        seen = replace(seen, events=(*kept, *fresh))
    service = seen.service
    if job.provisioning_status == 0 and job.service_id is not None and work.actor.may("view_customer_service"):
        service = work.customer_services.get(job.service_id)
    return replace(seen, job=job, service=service)


def _service_facts(seen: _Seen) -> list[Fact]:
    if seen.service is None:
        return []
    return [
        Fact(_("Service ID"), str(seen.service.service_id)),
        Fact(_("Service Name"), seen.service.service_name),
        Fact(
            _("Status"), said(seen.service.service_status), "success" if seen.service.service_status == "Active" else ""
        ),
    ]
