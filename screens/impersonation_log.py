"""Who acted as whom, from when to when and why (SVC-365, SVC-380)."""

from __future__ import annotations

from datetime import timedelta
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Vertical

from omnicrm_tui.languages import said
from omnicrm_tui.listing import ListQuery
from screens.base import AtDesk
from screens.desk import ServiceSource, sentence
from screens.dialogs import Reading
from screens.formats import Formats
from widgets.columns import Column
from widgets.entity_table import EntityTable, Filter

if TYPE_CHECKING:
    from omnicrm_tui.identity.schemas import ImpersonationRow

LONG = 1800
"""Seconds that are worth a look."""


def columns(formats: Formats) -> tuple[Column[ImpersonationRow], ...]:
    """Return the columns of the log."""
    return (
        Column(_("Began"), lambda row: formats.moment(row.impersonation_start), width=16),
        Column(_("Who"), lambda row: row.impersonating_name, weight=1, min_width=10),
        Column(_("As"), lambda row: row.target_name, weight=1, min_width=10),
        Column(_("Lasted"), lasted, width=9, align="right"),
        Column(_("Why"), lambda row: row.purpose or "–", weight=2, min_width=16),
        Column(_("From"), lambda row: row.source_address or "–", width=15, priority=2),
    )


def lasted(row: ImpersonationRow) -> str:
    """Return for how long, in minutes and seconds."""
    if row.impersonation_duration is None:
        return _("goes on")
    minutes, seconds = divmod(row.impersonation_duration, 60)
    return f"{minutes}:{seconds:02}"


class ImpersonationLogList(AtDesk, Vertical):
    """The log as a table; nothing here can be changed (SVC-378)."""

    DEFAULT_CSS = "ImpersonationLogList { height: 1fr; }"

    def compose(self) -> ComposeResult:
        today = self.desk.now().date()
        days = [(str(n), _("in the last {n} days").format(n=n)) for n in (1, 7, 30)]
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.impersonation),
            columns(self.crm_app.formats),
            id="impersonations",
            empty_text=_("Nobody has acted as another user yet."),
            sorts=(),
            query=ListQuery(sort="impersonation_id", descending=True),
            filters=[
                Filter("start_date", _("Began"), [(str(today - timedelta(days=int(n))), words) for n, words in days]),
                Filter("open", _("State"), [("true", _("goes on")), ("false", _("over"))]),
                Filter("min_duration", _("Lasted"), [(str(LONG), _("half an hour and more"))]),
            ],
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.take_focus()

    def take_focus(self) -> None:
        """Give the keyboard to the table."""
        self.query_one(EntityTable).focus()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show the entry whole."""
        message.stop()
        row: ImpersonationRow = message.row
        formats = self.crm_app.formats
        pairs = (
            (_("Who"), f"{row.impersonating_name} #{row.impersonating_user_id}"),
            (_("As"), f"{row.target_name} #{row.target_user_id}"),
            (_("Customer"), f"#{row.customer_id}" if row.customer_id is not None else ""),
            (_("Began"), formats.moment(row.impersonation_start)),
            (_("Ended"), formats.moment(row.impersonation_end)),
            (_("Lasted"), lasted(row)),
            (_("Ended by"), said(row.end_reason)),
            (_("Why"), row.purpose),
            (_("From"), row.source_address),
        )
        heading = _("{name} as {user}").format(name=row.impersonating_name, user=row.target_name)
        self.app.push_screen(Reading(heading, [f"{label:<16} {value or '–'}" for label, value in pairs]))
