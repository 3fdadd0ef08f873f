"""The inventory room: all items, and new ones from their template (PLT-388, PLT-389)."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.inventory.rules import ITEM_STATES
from omnicrm_tui.languages import said
from omnicrm_tui.listing import ListQuery
from screens.base import CrmScreen
from screens.choose import Choose
from screens.desk import ServiceSource, sentence
from widgets.columns import Column, Tone
from widgets.entity_table import EntityTable, Filter

if TYPE_CHECKING:
    from omnicrm_tui.inventory.schemas import ItemInput, ItemRow, ItemView, TemplateView
    from widgets.form import Field

_TONES: dict[str, Tone] = {
    "New": "success",
    "In Stock": "success",
    "Used": "accent",
    "Damaged": "warning",
    "Out Of Service": "warning",
    "Lost": "error",
    "Stolen": "error",
    "Decommissioned": "muted",
}


def state_tone(state: str) -> Tone:
    """Return the tone that goes with an item's state."""
    return _TONES.get(state, "")


def _owner(row: ItemRow) -> str:
    if row.customer_name:
        return row.customer_name
    return _("held for job {id}").format(id=row.reserved_by) if row.reserved_by else ""


COLUMNS: tuple[Column[ItemRow], ...] = (
    Column(_("Id"), lambda row: str(row.inventory_id), width=7, align="right", sort="inventory_id"),
    Column(_("Item"), lambda row: row.item, min_width=13, sort="item"),
    Column(_("Number"), lambda row: row.itemtext1, weight=2, min_width=20, sort="itemtext1"),
    Column(_("Second number"), lambda row: row.itemtext2 or "", weight=1, min_width=16, priority=3),
    Column(
        _("State"),
        lambda row: said(row.item_state),
        width=14,
        sort="item_state",
        tone=lambda row: state_tone(row.item_state),
    ),
    Column(_("Location"), lambda row: row.item_location, min_width=12, sort="item_location", priority=2),
    Column(_("Customer"), _owner, weight=2, min_width=14, priority=1),
)


class InventoryScreen(CrmScreen):
    """All items."""

    TITLE = _("Inventory")

    NEEDS: ClassVar = {"new": "create_inventory"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New item"), id="inventory.new", tooltip=_("New item from a template")),
    ]

    def body(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.inventory),
            COLUMNS,
            id="items",
            empty_text=_("No items yet. Press n to add the first one."),
            sorts=("inventory_id", "itemtext1", "item", "item_state", "item_location"),
            query=ListQuery(sort="inventory_id"),
            filters=(Filter("item_state", _("State"), [(state, said(state)) for state in ITEM_STATES]),),
            copied=lambda row: row.itemtext1,
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.query_one(EntityTable).focus()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the item."""
        message.stop()
        self.crm_app.open_place("item", message.row.inventory_id)

    def action_new(self) -> None:
        """Ask for the template, then for what an item of it has."""
        self.do(self._new, group="new", exclusive=True)

    async def _new(self) -> None:
        kinds = await self.desk.read(lambda work: work.inventory.templates())
        if not kinds:
            self.tell(_("There is no inventory template yet: an item is always of a kind."), severity="warning")
            return
        at = await self.app.push_screen_wait(Choose(_("New item: of which kind?"), [kind.item for kind in kinds]))
        if at is not None:
            made = await self.app.push_screen_wait(new_item(kinds[at], self._create))
            if made is not None:
                self.tell(
                    _("{item} {number} added, number {id}.").format(
                        item=made.item, number=made.itemtext1, id=made.inventory_id
                    )
                )
                self.query_one(EntityTable).reload()

    async def _create(self, data: ItemInput) -> ItemView:
        return await self.desk.change(lambda work: work.inventory.create(data))


def new_item(kind: TemplateView, save: Any) -> Any:
    """Return the dialog for a new item of a kind: its labelled texts, with the kind's costs filled in."""
    from omnicrm_tui.inventory.schemas import ItemInput
    from screens.dialogs import FormDialog

    names = [*text_names(kind.labels), "item_state", "item_location", "wholesale_cost", "retail_cost"]
    fields = item_fields(ItemInput, names + secret_names(kind.labels) + ["inventory_notes"], kind.labels)
    values = {"wholesale_cost": kind.wholesale_cost, "retail_cost": kind.retail_cost, "item_state": "New"}
    heading = _("New {item}").format(item=kind.item)
    extra = {"item": kind.item}
    return FormDialog(heading, ItemInput, fields, save, values=values, extra=extra, about=f"new {kind.item}")


def text_names(labels: Sequence[str | None]) -> list[str]:
    """Return the text fields that a kind has a label for."""
    return [f"itemtext{at}" for at, label in enumerate(labels, 1) if label]


def secret_names(labels: Sequence[str | None]) -> list[str]:
    """Return the sealed fields that make sense for a kind: keys for a SIM, a password for a device."""
    known = {(label or "").casefold() for label in labels}
    if known & {"iccid", "imsi"}:
        return ["ki", "opc"]
    return ["management_password"] if any("mac" in label or "serial" in label for label in known) else []


def item_fields(schema: Any, names: Sequence[str], labels: Sequence[str | None]) -> list[Field]:
    """Return the form's fields, labelled as the kind says."""
    from widgets.form import fields_of

    named = {f"itemtext{at}": label for at, label in enumerate(labels, 1) if label}
    named |= {
        "item_state": _("State"),
        "item_location": _("Location"),
        "inventory_notes": _("Notes"),
        "ki": "Ki",
        "opc": "OPc",
    }
    states = {"item_state": [(state, said(state)) for state in ITEM_STATES]}
    return fields_of(schema, names, labels=named, choices=states, lines=("inventory_notes",))
