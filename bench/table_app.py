"""A small app for the measurements: an entity table over a SQLite file.

python -m bench.table_app FILE          the table
python -m bench.table_app FILE --plain  the same, repainted the way Textual does
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Static

from bench.sqlite_rows import STATUSES, Person, SqliteRows
from widgets.entity_table import Column, EntityTable, Filter, Tone
from widgets.scroll_region import ScrollRegionApp


def status_tone(person: Person) -> Tone:
    """Return the tone of a person's status."""
    return {"Active": "success", "Suspended": "warning", "Closed": "muted"}[person.status]  # type: ignore[return-value]


COLUMNS: tuple[Column[Person], ...] = (
    Column("Id", lambda p: str(p.id), width=8, align="right"),
    Column("Name", lambda p: p.name, weight=3, min_width=16, sort="name"),
    Column("City", lambda p: p.city, min_width=10, sort="city"),
    Column("Status", lambda p: p.status, width=10, tone=status_tone),
    Column("Balance", lambda p: f"{p.balance / 100:,.2f}", width=10, align="right", sort="balance", priority=1),
    Column("E-mail", lambda p: p.email, weight=2, min_width=20, priority=2),
)
FILTERS = (Filter("status", "Status", [(status, status) for status in STATUSES]),)


class TableApp(ScrollRegionApp[None]):
    """A table with a footer."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "overlay", "Overlay", show=False),
        Binding("ctrl+q", "quit", "Quit", show=False),
    ]
    CSS = """
    Screen { layers: base above; }
    #overlay { layer: above; dock: right; width: 30; height: 8; offset-y: 6; background: $primary; }
    """

    def __init__(self, path: Path, plain: bool) -> None:
        super().__init__()
        self._path = path
        if plain:
            self.scroll_region = False

    def compose(self) -> ComposeResult:
        table = EntityTable(SqliteRows(self._path), COLUMNS, id="people", filters=FILTERS)
        table.scrolls_by_rows = True
        yield table
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(EntityTable).focus()

    def action_overlay(self) -> None:
        """Put something on a part of the table, or take it away."""
        shown = self.query("#overlay")
        if shown:
            shown.remove()
        else:
            self.mount(Static("Something lies on the table.", id="overlay"))


if __name__ == "__main__":
    TableApp(Path(sys.argv[1]), plain="--plain" in sys.argv).run()
