"""The jobs room: every provisioning job, newest first (SVC-078)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.listing import ListQuery
from omnicrm_tui.provisioning.rules import DEPROVISION
from screens.base import CrmScreen
from screens.desk import ServiceSource, sentence
from screens.formats import Formats
from screens.job_story import job_tone, job_word
from widgets.columns import Column
from widgets.entity_table import EntityTable, Filter

if TYPE_CHECKING:
    from omnicrm_tui.provisioning.schemas import JobRow

STATUSES = (("1", _("Running")), ("0", _("Success")), ("2", _("Failed")))
REASONS = (
    ("failed", _("a task failed")),
    ("fatal", _("could not be run")),
    ("cancelled", _("cancelled")),
    ("timed_out", _("timed out")),
    ("interrupted", _("interrupted")),
)


def columns(formats: Formats) -> tuple[Column[JobRow], ...]:
    """Return the columns of a list of jobs."""
    return (
        Column(_("Job"), lambda row: str(row.provision_id), width=6, align="right", sort="provision_id"),
        Column(
            _("Status"),
            lambda row: job_word(row.provisioning_status, row.status_reason),
            width=26,
            tone=lambda row: job_tone(row.provisioning_status),
        ),
        Column(_("Customer"), lambda row: row.customer_name or "", weight=2, min_width=16),
        Column(_("What"), _what, weight=2, min_width=16, priority=1),
        Column(_("Tasks"), lambda row: f"{row.event_count}/{row.task_count}", width=7, align="right", priority=3),
        Column(_("Created"), lambda row: formats.moment(row.created), width=16, priority=2),
    )


def _what(row: JobRow) -> str:
    what = row.playbook_description or row.provisioning_play
    return _("remove: {what}").format(what=what) if row.action == DEPROVISION else what


class JobsScreen(CrmScreen):
    """All jobs."""

    TITLE = _("Jobs")

    NEEDS: ClassVar = {"retry": "create_provision"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "retry", _("Retry"), id="jobs.retry", tooltip=_("Try the failed job again")),
    ]

    def body(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.provisioning),
            columns(self.crm_app.formats),
            id="jobs",
            empty_text=_("No jobs yet. Adding a service to a customer starts one."),
            sorts=("provision_id",),
            query=ListQuery(sort="provision_id", descending=True),
            filters=(
                Filter("provisioning_status", _("Status"), STATUSES),
                Filter("status_reason", _("Why"), REASONS),
            ),
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.query_one(EntityTable).focus()

    def on_screen_resume(self) -> None:
        """Coming back: jobs have gone on meanwhile."""
        super().on_screen_resume()
        for table in self.query(EntityTable).results(EntityTable):
            if not table.status.loading:
                table.reload()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the job."""
        message.stop()
        self.crm_app.open_place("job", message.row.provision_id)

    def action_retry(self) -> None:
        """Try the job under the cursor again, and watch it."""
        row: JobRow | None = self.query_one(EntityTable).row
        if row is None:
            return
        number = row.provision_id

        async def retry() -> None:
            again = await self.desk.change(lambda work: work.provisioning.retry(number))
            self.crm_app.open_place("job", again.provision_id)

        self.do(retry, group="retry", exclusive=True)
