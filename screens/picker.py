"""The inventory picker: one chooser for each type that a product needs (SVC-166..170, BIL-102..105, BIL-114)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from omnicrm_tui.languages import said
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Window
from screens.base import Dialog
from screens.desk import Desk, sentence
from widgets.action_line import Action, ActionLine
from widgets.columns import Column
from widgets.entity_table import EntityTable
from widgets.row_table import RowTable
from widgets.text import fit, visible

if TYPE_CHECKING:
    from omnicrm_tui.inventory.schemas import ItemRow

Picked = Mapping[str, "ItemRow"]
"""The chosen item of each type."""

Labels = Mapping[str, tuple[str, str]]
"""What a type calls the first two texts of its items, such as ICCID and IMSI."""

_UNLABELLED = (_("Identifier"), _("Second identifier"))


class PickableItems:
    """The items of one type that are free now, as the source of a table."""

    def __init__(self, desk: Desk, kind: str) -> None:
        self._desk = desk
        self._kind = kind

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[ItemRow]:
        """Return up to `limit` free items next to `anchor`."""
        return self._desk.read_here(lambda work: work.inventory.pickable(self._kind, query, anchor, limit))

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the free items, up to `cap`."""
        return self._desk.read_here(lambda work: work.inventory.pickable_count(self._kind, query, cap))


def called(row: ItemRow, labels: Labels) -> str:
    """Return what tells an item apart: `SIM Card #123 - ICCID: 8944…01 (New)` (SVC-166)."""
    return f"{row.item} {_apart(row, labels)}"


def _apart(row: ItemRow, labels: Labels) -> str:
    label = labels.get(row.item, _UNLABELLED)[0]
    return f"#{row.inventory_id} - {label}: {row.itemtext1} ({said(row.item_state)})"


class Picker(Dialog["dict[str, ItemRow]"]):
    """Chooses one free item of each of `kinds`: enter takes the row and goes on to the next type.

    `picked` is what was chosen before, `problem` why it has to be chosen again.
    """

    DEFAULT_CSS = """
    Picker #box { width: 110; height: 100%; max-height: 34; }
    Picker #problem { height: auto; color: $text-error; text-style: bold; display: none; }
    Picker #problem.-open { display: block; }
    Picker #types { height: auto; }
    Picker #tables { height: 1fr; margin: 1 0 0 0; }
    Picker #none { height: auto; color: $text-warning; display: none; }
    Picker #none.-open { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_type(1)", _("Next type"), id="picker.next", tooltip=_("Next type, then the buttons")),
        Binding("shift+tab", "next_type(-1)", _("Previous type"), show=False, id="picker.previous"),
        *(Binding(str(at + 1), f"type({at})", _("This type"), show=False, id=f"picker.{at + 1}") for at in range(9)),
    ]

    heading = _("Required Inventory Items")
    keys = _("enter take   / search   1-9 tab type   esc back")

    def __init__(self, kinds: Sequence[str], labels: Labels, picked: Picked | None = None, problem: str = "") -> None:
        super().__init__()
        self._kinds = tuple(dict.fromkeys(kinds))
        self._labels = labels
        self._picked: dict[str, ItemRow] = {kind: row for kind, row in (picked or {}).items() if kind in self._kinds}
        self._problem = problem
        self._at = 0
        self._tables: dict[int, EntityTable[Any]] = {}
        self._buttons = ActionLine(self._actions(), chosen="continue")

    def body(self) -> ComposeResult:
        yield Static(visible(self._problem), id="problem", classes="-open" if self._problem else "", markup=False)
        yield Static(id="types", markup=False)
        yield Vertical(id="tables")
        yield Static(_no_inventory(), id="none", markup=False)
        yield self._buttons

    def on_mount(self) -> None:
        missing = [at for at, kind in enumerate(self._kinds) if kind not in self._picked]
        self.action_type(missing[0] if missing else 0)
        if not missing:
            self._buttons.focus()

    @property
    def unsaved(self) -> bool:
        """Choosing again takes seconds; nothing is lost that has to be asked about."""
        return False

    # Which type

    def action_type(self, at: int) -> None:
        """Show the free items of a type; number keys go there."""
        if at >= len(self._kinds):
            return
        self._at = at
        for number, table in self._tables.items():
            table.display = number == at
        if at not in self._tables:
            table = self._tables[at] = self._table(self._kinds[at])
            self.query_one("#tables").mount(table)
            self.call_after_refresh(table.focus)
        else:
            self._tables[at].focus()
        self._show()

    def action_next_type(self, by: int) -> None:
        """Go to the next type, and behind the last one to the buttons."""
        at = (len(self._kinds) if self._buttons.has_focus else self._at) + by
        at %= len(self._kinds) + 1
        if at == len(self._kinds):
            self._buttons.focus()
        else:
            self.action_type(at)

    def _table(self, kind: str) -> EntityTable[Any]:
        first, second = self._labels.get(kind, _UNLABELLED)
        columns: tuple[Column[ItemRow], ...] = (
            Column(_("Item"), lambda row: f"#{row.inventory_id}", width=8, align="right"),
            Column(first, lambda row: row.itemtext1, weight=2, min_width=20, sort="itemtext1"),
            Column(second, lambda row: row.itemtext2 or "", weight=1, min_width=12, priority=1),
            Column(_("State"), lambda row: said(row.item_state), width=9, sort="item_state"),
            Column(
                _("Location"), lambda row: row.item_location, weight=1, min_width=12, sort="item_location", priority=2
            ),
        )
        return EntityTable(
            PickableItems(self.desk, kind),
            columns,
            empty_text=_("No inventory available."),
            sorts=("itemtext1", "item_location", "inventory_id"),
            query=ListQuery(sort="itemtext1"),
            copied=lambda row: row.itemtext1,
            describe_error=sentence,
        )

    # Choosing

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Take the row, and go on to the next type that lacks an item, or to Continue."""
        message.stop()
        self._picked[self._kinds[self._at]] = message.row
        self.query_one("#problem").remove_class("-open")
        order = [*range(self._at + 1, len(self._kinds)), *range(self._at)]
        missing = [at for at in order if self._kinds[at] not in self._picked]
        if missing:
            self.action_type(missing[0])
        else:
            self._show()
            self._buttons.show(self._actions(), chosen="continue")
            self._buttons.focus()

    def on_row_table_status_changed(self, message: RowTable.StatusChanged) -> None:
        """Say why there may be nothing to choose (BIL-114)."""
        message.stop()
        shown = self._tables.get(self._at)
        if message.table is shown:
            status = message.status
            nothing = status.count is not None and status.count.value == 0 and not status.query.search
            self.query_one("#none").set_class(nothing, "-open")

    def on_action_line_chosen(self, message: ActionLine.Chosen) -> None:
        message.stop()
        self.finish(dict(self._picked) if message.name == "continue" else None)

    def _show(self) -> None:
        """Show the types with what is chosen."""
        text = Text(no_wrap=True)
        widest = max(cell_len(visible(kind)) for kind in self._kinds)
        for at, kind in enumerate(self._kinds):
            row = self._picked.get(kind)
            mark = "›" if at == self._at else " "
            chosen = f"✓ {_apart(row, self._labels)}" if row is not None else _("· – choose one below –")
            line = fit(f"{mark}{at + 1} {kind} *", widest + 5) + f" {chosen}"
            text.append(fit(line, self.query_one("#types").size.width or 76) + "\n", "bold" if at == self._at else "")
        text.right_crop(1)
        self.query_one("#types", Static).update(text)
        self._buttons.show(self._actions())

    def _actions(self) -> list[Action]:
        left = sum(kind not in self._picked for kind in self._kinds)
        missing = _("{count} to choose").format(count=left) if left else ""
        return [Action("back", _("Back")), Action("continue", _("Continue"), missing)]


def _no_inventory() -> str:
    return _(
        "No inventory available. Possible causes:\n"
        "· nothing of this type is in stock: add items (g i, n)\n"
        "· all are assigned, held for another order, damaged or out of service\n"
        "· the product names the type differently from its inventory template"
    )
