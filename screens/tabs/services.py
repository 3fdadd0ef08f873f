"""The Services tab: what the customer has; `a` on the page adds one, `A` an add-on to the one under the cursor."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.listing import ListQuery
from screens.desk import ServiceSource, sentence
from screens.service_columns import SORTS, service_columns, service_filters
from screens.tabs.pane import Pane
from widgets.entity_table import EntityTable

if TYPE_CHECKING:
    from omnicrm_tui.customer_services.schemas import ServiceRow


class ServicesPane(Pane):
    """The customer's services, newest first."""

    NEEDS: ClassVar = {"addons": "create_provision"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("A", "addons", _("Add-ons"), id="services.addons", tooltip=_("What can be added to the service")),
    ]

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

    def action_addons(self) -> None:
        """Show the add-ons for the service under the cursor (SVC-184)."""
        from screens.service import show_addons

        row: ServiceRow | None = self.query_one(EntityTable).row
        if row is not None:
            show_addons(self, row)

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the service's page."""
        message.stop()
        self.crm_app.open_place("service", message.row.service_id)
