"""The services room: what all customers have (SVC-229..234)."""

from __future__ import annotations

from gettext import gettext as _
from typing import Any

from textual.app import ComposeResult

from omnicrm_tui.listing import ListQuery
from screens.base import CrmScreen
from screens.desk import ServiceSource, sentence
from screens.service_columns import SORTS, service_columns, service_filters
from widgets.entity_table import EntityTable


class ServicesScreen(CrmScreen):
    """All services, newest first."""

    TITLE = _("Services")

    def body(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.customer_services),
            service_columns(self.crm_app.formats, customer=True),
            id="services",
            empty_text=_("No services yet. They are added on a customer's page."),
            sorts=SORTS,
            query=ListQuery(sort="service_id", descending=True),
            filters=service_filters(self.crm_app.settings.service_types),
            copied=lambda row: row.service_uuid,
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.query_one(EntityTable).focus()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the service's page."""
        message.stop()
        self.crm_app.open_place("service", message.row.service_id)
