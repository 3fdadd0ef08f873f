"""Columns and filters of services, for the room and for a customer's tab."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from typing import TYPE_CHECKING

from omnicrm_tui.languages import said
from widgets.columns import Column, Tone
from widgets.entity_table import Filter

if TYPE_CHECKING:
    from omnicrm_tui.customer_services.schemas import ServiceRow
    from screens.formats import Formats

SORTS = ("service_id", "service_name", "service_type", "start_date", "end_date", "retail_cost")


def status_text(row: ServiceRow) -> str:
    """Return the status, with what its dates say."""
    return ", ".join(said(word) for word in (row.service_status, row.end_notice) if word)


def status_tone(row: ServiceRow) -> Tone:
    """Return the tone of a service's status."""
    if row.end_notice == "Expired":
        return "error"
    tones: dict[str, Tone] = {"Active": "success", "Suspended": "warning", "Pending Cancellation": "warning"}
    return "warning" if row.end_notice else tones.get(row.service_status, "muted")


def service_columns(formats: Formats, *, customer: bool) -> list[Column[ServiceRow]]:
    """Return the columns of a list of services; `customer` tells whether it holds several customers'."""
    columns: list[Column[ServiceRow]] = [
        Column(_("Id"), lambda row: str(row.service_id), width=7, align="right", sort="service_id"),
        Column(_("Service"), lambda row: row.service_name, weight=2, min_width=18, sort="service_name"),
        Column(_("Type"), lambda row: row.service_type, width=10, sort="service_type", priority=2),
        Column(_("Status"), status_text, min_width=14, tone=status_tone),
        Column(_("Started"), lambda row: formats.day(row.start_date), width=10, sort="start_date", priority=1),
        Column(_("Ends"), lambda row: formats.day(row.end_date), width=10, sort="end_date", priority=3),
        Column(_("Price"), lambda row: formats.money(row.retail_cost), width=11, align="right", sort="retail_cost"),
        Column(_("Renews"), lambda row: _("yes") if row.auto_renew else "", width=6, priority=3),
        Column(_("UUID"), lambda row: row.service_uuid, min_width=20, priority=4),
    ]
    if customer:
        columns.insert(2, Column(_("Customer"), lambda row: row.customer_name or "", weight=2, min_width=16))
    return columns


def service_filters(types: Sequence[str]) -> list[Filter]:
    """Return the filters of services; `types` are those of the configuration."""
    from omnicrm_tui.customer_services.rules import SERVICE_STATUSES

    yes_no = [("true", _("yes")), ("false", _("no"))]
    return [
        Filter("service_status", _("Status"), [(status, said(status)) for status in SERVICE_STATUSES]),
        Filter("service_type", _("Type"), [(kind, kind) for kind in types]),
        Filter("auto_renew", _("Renews"), yes_no),
    ]
