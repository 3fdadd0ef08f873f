"""The Services tab: what the customer has; `a` on the page adds one."""

from __future__ import annotations

from gettext import gettext as _
from typing import Any

from textual.app import ComposeResult

from omnicrm_tui.listing import ListQuery
from screens.desk import ServiceSource, sentence
from screens.service_columns import SORTS, service_columns, service_filters
from screens.tabs.pane import Pane
from widgets.entity_table import EntityTable


class ServicesPane(Pane):
    """The customer's services, newest first."""

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.customer_services, customer_id=self.customer_id),
            service_columns(self.crm_app.formats, customer=False),
            id="services",
            empty_text=_("No services yet. Press a to add one."),
            sorts=SORTS,
            query=ListQuery(sort="service_id", descending=True),
            filters=service_filters(self.crm_app.settings.service_types),
            copied=lambda row: row.service_uuid,
            describe_error=sentence,
        )

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the service's page."""
        message.stop()
        self.crm_app.open_place("service", message.row.service_id)
