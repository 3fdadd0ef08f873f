"""Lists for the tests of the table: in memory, slow on demand, failing on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.pilot import Pilot

from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, Edge, ListQuery, RowKey, Window
from widgets.entity_table import Column, EntityTable, Filter
from widgets.row_grid import HEADER, RowGrid
from widgets.scroll_region import ScrollRegionApp


@dataclass(frozen=True)
class Thing:
    """A row."""

    id: int
    name: str
    kind: str = "a"


def things(count: int) -> list[Thing]:
    """Return rows whose order by name is not that by id, with equal names among them."""
    return [Thing(i, f"n{i * 37 % 100:03}", "ab"[i % 2]) for i in range(1, count + 1)]


class ListRows:
    """A `RowSource` over a list that is sorted by id, or by name."""

    def __init__(self, rows: list[Thing]) -> None:
        self.rows = rows
        self.windows: list[tuple[ListQuery, Anchor]] = []
        self.error: Exception | None = None
        self.gate: Callable[[ListQuery, Anchor], None] = lambda query, anchor: None

    def matching(self, query: ListQuery) -> list[Thing]:
        kinds = query.filters.get("kind", ("a", "b"))
        found = [row for row in self.rows if query.search in row.name and row.kind in kinds]
        return sorted(found, key=lambda row: self._order(query, row), reverse=query.descending)

    def key(self, query: ListQuery, row: Thing) -> RowKey:
        return RowKey(row.name if query.sort == "name" else row.id, row.id)

    def _order(self, query: ListQuery, row: Thing) -> tuple[object, int]:
        return (row.name if query.sort == "name" else row.id, row.id)

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[Thing]:
        self.windows.append((query, anchor))
        self.gate(query, anchor)
        if self.error is not None:
            raise self.error
        rows = self.matching(query)
        first, last = self._bounds(query, anchor, rows)
        if anchor.edge in (Edge.LAST, Edge.BEFORE):
            first = max(first, last - limit)
        else:
            last = min(last, first + limit)
        taken = rows[first:last]
        keys = [self.key(query, row) for row in taken]
        return Window(taken, keys, first > 0, last < len(rows))

    def _bounds(self, query: ListQuery, anchor: Anchor, rows: list[Thing]) -> tuple[int, int]:
        if anchor.key is None:
            return 0, len(rows)
        at = (anchor.key.value, anchor.key.id)
        smaller = sum(1 for row in rows if self._order(query, row) < at)  # type: ignore[operator]
        equal = sum(1 for row in rows if self._order(query, row) == at)
        before = len(rows) - smaller - equal if query.descending else smaller
        return (0, before) if anchor.edge is Edge.BEFORE else (before + equal, len(rows))

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        if self.error is not None:
            raise self.error
        found = len(self.matching(query))
        return Count(min(found, cap), found > cap)


class Gate:
    """Holds calls back until they are let go, so that a test decides which answer comes late."""

    def __init__(self, holds: Callable[[ListQuery, Anchor], bool]) -> None:
        self._holds = holds
        self._open = threading.Event()
        self.held = threading.Event()

    def __call__(self, query: ListQuery, anchor: Anchor) -> None:
        if self._holds(query, anchor):
            self.held.set()
            assert self._open.wait(10), "the gate was never opened"

    def open(self) -> None:
        self._open.set()


COLUMNS = (
    Column[Thing]("Id", lambda row: str(row.id), width=6),
    Column[Thing]("Name", lambda row: row.name, sort="name"),
    Column[Thing]("Kind", lambda row: row.kind, width=6, priority=1),
)
FILTERS = (Filter("kind", "Kind", [("a", "Alpha"), ("b", "Beta")]),)


class TableApp(ScrollRegionApp[None]):
    """An app with one table that keeps the messages it posts."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Leave")]

    def __init__(self, source: ListRows) -> None:
        super().__init__()
        self.table: EntityTable[Thing] = EntityTable(source, COLUMNS, id="things", filters=FILTERS)
        self.table.scrolls_by_rows = True
        self.opened: list[EntityTable.Opened] = []
        self.exports: list[EntityTable.ExportRequested] = []
        self.keys: list[str] = []
        self.left = 0

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        self.opened.append(message)

    def on_entity_table_export_requested(self, message: EntityTable.ExportRequested) -> None:
        self.exports.append(message)

    def on_key(self, event: events.Key) -> None:
        self.keys.append(event.key)

    def action_leave(self) -> None:
        self.left += 1


async def settled(pilot: Pilot[None]) -> None:
    """Wait until nothing is being read and everything is painted."""
    for _ in range(500):
        await pilot.pause()
        if all(worker.is_finished for worker in pilot.app.workers):
            await pilot.pause()
            if all(worker.is_finished for worker in pilot.app.workers):
                return
    raise AssertionError("the table is still reading")


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    for _ in range(1000):
        if condition():
            return
        await pilot.pause(0.005)
    raise AssertionError("what was waited for did not come")


def grid_of(app: App[None]) -> RowGrid[Thing]:
    """Return the body of the table."""
    return app.query_one(RowGrid)


def lines(app: App[None]) -> list[str]:
    """Return the table's lines: heading, rows, status."""
    grid = grid_of(app)
    return [grid.render_line(y).text.rstrip() for y in range(grid.size.height)]


def ids(app: App[None]) -> list[int]:
    """Return the ids of the rows in view."""
    rows = lines(app)[HEADER:-1]
    return [int(row[2:].split()[0]) for row in rows if row[2:].strip()[:1].isdigit()]
