"""The Inventory tab: the items that the customer holds."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult

from omnicrm_tui.languages import said
from omnicrm_tui.listing import ListQuery
from screens.desk import ServiceSource, sentence
from screens.tabs.pane import Pane
from widgets.columns import Column
from widgets.entity_table import EntityTable

if TYPE_CHECKING:
    from omnicrm_tui.inventory.schemas import ItemRow

COLUMNS: tuple[Column[ItemRow], ...] = (
    Column(_("Id"), lambda row: str(row.inventory_id), width=7, align="right", sort="inventory_id"),
    Column(_("Item"), lambda row: row.item, min_width=14, sort="item"),
    Column(_("Number"), lambda row: row.itemtext1, weight=2, min_width=18, sort="itemtext1"),
    Column(_("Second number"), lambda row: row.itemtext2 or "", weight=2, min_width=16, priority=1),
    Column(_("State"), lambda row: said(row.item_state), width=12, sort="item_state"),
    Column(_("Service"), lambda row: str(row.service_id or ""), width=8, align="right"),
)


class ItemsPane(Pane):
    """The customer's items."""

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.inventory, customer_id=self.customer_id),
            COLUMNS,
            id="inventory",
            empty_text=_("This customer holds no items. A service assigns the items that it needs."),
            query=ListQuery(sort="inventory_id"),
            copied=lambda row: row.itemtext1,
            describe_error=sentence,
        )

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the item."""
        message.stop()
        self.crm_app.open_place("item", message.row.inventory_id)
