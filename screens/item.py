"""One inventory item: what it is, whose it is, and everything that ever happened to it (PLT-390, PLT-391)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from omnicrm_tui.errors import CrmError
from omnicrm_tui.languages import said
from screens.base import CrmScreen
from screens.desk import sentence
from screens.formats import Formats
from screens.history import History, entry, history_table
from screens.inventory import item_fields, secret_names, state_tone, text_names
from widgets.entity_table import EntityTable
from widgets.facts import Fact, Facts

if TYPE_CHECKING:
    from omnicrm_tui.inventory.schemas import ItemChange, ItemView


class ItemScreen(CrmScreen):
    """One item, by number."""

    DEFAULT_CSS = """
    ItemScreen #about { height: auto; max-height: 60%; background: $surface; }
    ItemScreen EntityTable { height: 1fr; min-height: 6; }
    """

    NEEDS: ClassVar = {"edit": "update_inventory", "reveal": "update_inventory"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", _("Edit"), id="item.edit", tooltip=_("Edit the item")),
        Binding(
            "u", "reveal", _("Reveal secrets"), id="item.reveal", tooltip=_("Show the item's secrets; this is logged")
        ),
        Binding("c", "customer", _("Customer"), show=False, id="item.customer", tooltip=_("Open the customer")),
    ]

    def __init__(self, inventory_id: int) -> None:
        super().__init__()
        self.inventory_id = inventory_id
        self.item: ItemView | None = None
        self._revealed = False

    def path(self) -> tuple[str, ...]:
        """Inventory, then what people call the item."""
        name = f"{self.item.item} {self.item.itemtext1}" if self.item else f"#{self.inventory_id}"
        return (_("Inventory"), name)

    def body(self) -> ComposeResult:
        with VerticalScroll(id="about", can_focus=True):
            yield Facts([Fact(_("Reading…"))])
        if self.desk.may("view_customer_activity"):
            history = History(self.desk, "inventory", self.inventory_id)
            yield history_table(history, self.crm_app.formats, _("Nothing has happened to this item yet."))

    def on_mount(self) -> None:
        for table in self.query(EntityTable).results(EntityTable):
            table.focus()
        self.load()

    def load(self) -> None:
        """Read the item (again), its secrets hidden."""
        self._revealed = False
        self.do(self._load, group="item", exclusive=True, on_error=self._not_found)

    async def _load(self) -> None:
        self._show(await self.desk.read(lambda work: work.inventory.get(self.inventory_id)))
        for table in self.query(EntityTable).results(EntityTable):
            table.reload()

    def _show(self, item: ItemView) -> None:
        self.item = item
        self.show_path()
        self.query_one(Facts).show(item_facts(item, self.crm_app.formats))

    def _not_found(self, error: CrmError) -> None:
        self.tell(sentence(error), severity="error")
        if self.is_active:
            self.action_back()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show an entry of the history whole."""
        message.stop()
        self.app.push_screen(entry(message.row, self.crm_app.formats))

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the customer where the item has one."""
        if action == "customer":
            return self.item is not None and self.item.customer_id is not None
        return super().check_action(action, parameters)

    def action_reveal(self) -> None:
        """Show the secrets until one leaves; who did so is in the history."""

        async def reveal() -> None:
            # `change`, because reading secrets writes an entry.
            self._show(await self.desk.change(lambda work: work.inventory.get(self.inventory_id, secrets=True)))
            for table in self.query(EntityTable).results(EntityTable):
                table.reload()

        if self._revealed:
            self.load()
        else:
            self._revealed = True
            self.do(reveal, group="item", exclusive=True)

    def action_customer(self) -> None:
        """Open the customer who holds the item."""
        if self.item is not None and self.item.customer_id is not None:
            self.crm_app.open_customer(self.item.customer_id)

    def action_edit(self) -> None:
        """Change the item; a step of its state that is not a matter of course needs a reason."""
        item = self.item
        if item is None:
            return
        from omnicrm_tui.inventory.schemas import ItemChange
        from screens.dialogs import FormDialog
        from screens.views import values_of

        secrets = secret_names(item.labels)
        names = [*text_names(item.labels), "item_state", "reason", "item_location", "wholesale_cost", "retail_cost"]
        shown = [*names, "inventory_notes"]
        dialog = FormDialog(
            _("Edit {item}").format(item=item.item),
            ItemChange,
            item_fields(ItemChange, [*names, *secrets, "inventory_notes"], item.labels),
            self._save,
            values=values_of(item, [name for name in shown if name != "reason"]),
            only_changed=True,
            extra={"version": item.version},
            about=f"edit item {item.inventory_id}",
            again="edit",
        )
        self.app.push_screen(dialog, self._saved)

    async def _save(self, change: ItemChange) -> ItemView:
        return await self.desk.change(lambda work: work.inventory.update(self.inventory_id, change))

    def _saved(self, saved: ItemView | None) -> None:
        if saved is not None:
            self.load()


def item_facts(item: ItemView, formats: Formats) -> list[Fact]:
    """Return an item's facts; blank ones are left out."""
    texts = [(label, getattr(item, f"itemtext{at}")) for at, label in enumerate(item.labels, 1) if label]
    address = ", ".join(
        part for part in (item.address_line_1, item.address_line_2, item.zip_code, item.city, item.country) if part
    )
    held = _("job {id} until {when}").format(id=item.reserved_by, when=formats.moment(item.reserved_until))
    owner = f"{item.customer_name or ''} (ID: {item.customer_id})" if item.customer_id is not None else ""
    pairs = [
        *texts,
        ("Ki", item.ki),
        ("OPc", item.opc),
        (_("Location"), item.item_location),
        (_("Customer"), owner),
        (_("Service"), str(item.service_id or "")),
        (_("Held for"), held if item.reserved_by and item.reserved_until else ""),
        (_("Sold"), formats.day(item.sold_date)),
        (_("Retail cost"), formats.money(item.retail_cost)),
        (_("Wholesale cost"), formats.money(item.wholesale_cost)),
        (_("Address"), address),
        (_("Managed at"), item.management_url),
        (_("Managed as"), item.management_username),
        (_("Password"), item.management_password),
        (_("Added"), formats.moment(item.created)),
        (_("Last changed"), formats.moment(item.last_modified)),
        (_("Notes"), (item.inventory_notes or "").replace("\n", " ")),
    ]
    facts = [
        Fact(f"{item.item} #{item.inventory_id}"),
        Fact(_("State"), said(item.item_state), state_tone(item.item_state)),
    ]
    return facts + [Fact(label, value) for label, value in pairs if value]
