"""The table of every list: customers, services, items, invoices, jobs.

A window over a keyset-paged `RowSource`: a million rows scroll like fifty, in bounded memory. Rows are opaque;
columns turn them into text, which is shown literally. Reading happens in worker threads; what is not there yet
is a placeholder until it arrives. Cursor and marks belong to rows, not to positions.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from gettext import gettext as _
from typing import Any, ClassVar, Generic, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from omnicrm_tui.listing import FIRST, LAST, ListQuery, RowKey, RowSource
from widgets.clipboard import copy
from widgets.columns import Column, Tone
from widgets.list_controls import Filter, FilterMenu, SearchLine
from widgets.marks import Selection
from widgets.row_grid import RowGrid
from widgets.row_table import RowTable
from widgets.table_status import TablePlace, TableStatus

R = TypeVar("R")

__all__ = ["Column", "EntityTable", "Filter", "Selection", "TablePlace", "TableStatus", "Tone"]

DEBOUNCE_SECONDS = 0.08
PREFIX_SECONDS = 1.0
_STEP = re.compile(r"(?P<what>move|move_half|page)\((?P<by>-?1)\)")


class EntityTable(RowTable[R], Generic[R]):
    """A list of entities with cursor, marks, search, sorts and filters, and the keys that lists share.

    `sorts` are the names of the sorts in the order in which `s` offers them (those of the columns by default).
    `copied` gives what `y` copies (the first column by default). The rest is `RowTable`'s.
    """

    DEFAULT_CSS = """
    EntityTable { layout: vertical; layers: base above; height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", _("Down"), show=False, id="table.down"),
        Binding("up,k", "move(-1)", _("Up"), show=False, id="table.up"),
        Binding("J", "move_half(1)", _("Half a page down"), show=False, id="table.half-down"),
        Binding("K", "move_half(-1)", _("Half a page up"), show=False, id="table.half-up"),
        Binding("pagedown", "page(1)", _("Page down"), show=False, id="table.page-down"),
        Binding("pageup", "page(-1)", _("Page up"), show=False, id="table.page-up"),
        Binding("home,ctrl+home,ctrl+a", "first", _("First row (also g g)"), show=False, id="table.first"),
        Binding("end,ctrl+end,ctrl+d,G", "last", _("Last row"), show=False, id="table.last"),
        Binding("enter", "open", _("Open"), tooltip=_("Open the row"), id="table.open"),
        Binding("slash", "search", _("Search"), tooltip=_("Search in this list"), id="table.search"),
        Binding("f", "filter", _("Filter"), tooltip=_("Choose filters"), id="table.filter"),
        Binding("F", "clear_filters", _("Clear filters"), show=False, id="table.clear-filters"),
        Binding("s", "sort", _("Sort"), tooltip=_("Sort by the next column"), id="table.sort"),
        Binding("S", "reverse", _("Reverse"), show=False, tooltip=_("Reverse the sort"), id="table.reverse"),
        Binding("space", "mark", _("Select"), tooltip=_("Select the row"), id="table.mark"),
        Binding("asterisk", "mark_all", _("Select all that match"), show=False, id="table.mark-all"),
        Binding("V", "mark_range", _("Mark a range"), show=False, id="table.mark-range"),
        Binding("r", "reload", _("Refresh"), show=False, tooltip=_("Read the list again"), id="table.refresh"),
        Binding("y", "copy", _("Copy"), show=False, tooltip=_("Copy to the clipboard"), id="table.copy"),
        Binding("E", "export", _("Export"), show=False, tooltip=_("Export what is shown"), id="table.export"),
        Binding("escape", "back", _("Back"), show=False, id="table.back"),
    ]

    class Opened(Message):
        """`enter` or a double click on a row; `row` is what the table's source gave."""

        def __init__(self, table: EntityTable[Any], row: Any, key: RowKey) -> None:
            super().__init__()
            self.table = table
            self.row = row
            self.key = key

        @property
        def control(self) -> Widget:
            return self.table

    class ExportRequested(Message):
        """`E`: the screen exports what `selection` holds, or all of its query when nothing is marked."""

        def __init__(self, table: EntityTable[Any], selection: Selection) -> None:
            super().__init__()
            self.table = table
            self.selection = selection

        @property
        def control(self) -> Widget:
            return self.table

    def __init__(
        self,
        source: RowSource[R],
        columns: Sequence[Column[R]],
        *,
        id: str | None = None,
        classes: str | None = None,
        empty_text: str = "",
        sorts: Sequence[str] | None = None,
        filters: Sequence[Filter] = (),
        query: ListQuery | None = None,
        place: TablePlace | None = None,
        copied: Callable[[R], str] | None = None,
        describe_error: Callable[[Exception], str] | None = None,
    ) -> None:
        super().__init__(
            source,
            columns,
            id=id,
            classes=classes,
            empty_text=empty_text,
            query=query,
            place=place,
            describe_error=describe_error,
        )
        self._sorts = list(sorts) if sorts is not None else [c.sort for c in columns if c.sort]
        self._filters = filters
        self._copied = copied or columns[0].cell
        self._search = SearchLine(self._grid)
        self._menu = FilterMenu(filters)
        self._prefix_at = -PREFIX_SECONDS
        self._debounce: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._search
        yield self._grid
        yield self._menu

    # Moving

    def repeating(self, key: str) -> Callable[[int], None] | None:
        """Return what moves as so many presses of `key` would (see `widgets.key_order`)."""
        if not self._grid.has_focus:
            return None  # in the search line a letter is a letter
        active = self.screen.active_bindings.get(key)
        found = _STEP.fullmatch(active.binding.action) if active and active.enabled and active.node is self else None
        if found is None:
            return None
        step: Callable[[int], None] = getattr(self, f"action_{found['what']}")
        return lambda times: step(times * int(found["by"]))

    def action_move(self, rows: int) -> None:
        grid = self._grid
        self._move(lambda: grid.go(grid.cursor + rows))

    def action_move_half(self, halves: int) -> None:
        grid = self._grid
        self._move(lambda: grid.go(grid.cursor + halves * max(1, grid.height // 2)))

    def action_page(self, pages: int) -> None:
        self._move(partial(self._grid.page, pages))

    def action_first(self) -> None:
        """Go to the first row."""
        self._prefix_at = -PREFIX_SECONDS
        self._move(partial(self._jump, FIRST))

    def action_last(self) -> None:
        self._move(partial(self._jump, LAST))

    def on_key(self, event: events.Key) -> None:
        """Take the second `g` of `g g`, and what is typed ahead for the search line.

        An app that has keys beginning with `g` takes them all, and calls `action_first` for `g g`.
        """
        if self._typed_ahead(event):
            event.stop()
            return
        if event.key != "g" or not self._grid.has_focus or "g" in self.screen.active_bindings:
            self._prefix_at = -PREFIX_SECONDS
            return
        now = time.monotonic()
        if now - self._prefix_at < PREFIX_SECONDS:
            event.stop()
            self.action_first()
        else:
            self._prefix_at = now

    def _typed_ahead(self, event: events.Key) -> bool:
        """Open the search line before the keys that came in one packet with `/` are lost on the rows."""
        focused = self.screen.focused
        if focused is self._search and event.is_printable:
            self._search.post_message(events.Key(event.key, event.character))
            return True
        active = self.screen.active_bindings.get("slash") if event.key == "slash" else None
        if focused is not self._grid or active is None or active.binding.action != "search":
            return False
        self.action_search()
        return True

    def on_row_grid_clicked(self, message: RowGrid.Clicked) -> None:
        message.stop()
        self._move(partial(self._grid.go, message.place))
        if message.twice:
            self.action_open()

    def on_row_grid_wheel(self, message: RowGrid.Wheel) -> None:
        message.stop()
        self.action_move(message.rows)

    # Rows

    def action_open(self) -> None:
        row, key = self.row, self.key
        if row is not None and key is not None:
            self.post_message(self.Opened(self, row, key))

    def action_mark(self) -> None:
        """Mark the row, or end the range that is being marked."""
        if self._marks.range_from is not None:
            self._marks.end_range()
        elif self.key is not None:
            self._marks.toggle(self.key.id)
        self._after_marks()

    def action_mark_all(self) -> None:
        self._marks.drop_range()
        self._marks.toggle_everything()
        self._after_marks()

    def action_mark_range(self) -> None:
        """Begin a range at the cursor, or end the one that is being marked."""
        if self._marks.range_from is not None:
            self._marks.end_range()
        elif self.key is not None:
            self._marks.begin_range(self._grid.cursor)
            self._extend_range()
        self._after_marks()

    def action_copy(self) -> None:
        row = self.row
        if row is not None:
            copy(self.app, self._copied(row))

    def action_export(self) -> None:
        self.post_message(self.ExportRequested(self, self.selection))

    def action_reload(self) -> None:
        self.reload()

    # Which rows, in which order

    def action_sort(self) -> None:
        """Sort by the next of the sorts that are offered."""
        if self._sorts:
            following = self._sorts.index(self.list_query.sort) + 1 if self.list_query.sort in self._sorts else 0
            self.show(replace(self.list_query, sort=self._sorts[following % len(self._sorts)], descending=False))

    def action_reverse(self) -> None:
        self.show(replace(self.list_query, descending=not self.list_query.descending))

    def action_search(self) -> None:
        self._search.open()

    @on(Input.Changed)
    def _search_typed(self, message: Input.Changed) -> None:
        """Search when typing pauses: the echo is at once, the question is not asked for every letter."""
        message.stop()
        self._stop_debounce()
        self._debounce = self.set_timer(DEBOUNCE_SECONDS, self._search_now)

    def on_search_line_left(self, message: SearchLine.Left) -> None:
        message.stop()
        if message.cleared:
            self._search.value = ""
        self._leave_search()

    def _search_now(self) -> None:
        self._stop_debounce()
        if self._search.value != self.list_query.search:
            self.show(replace(self.list_query, search=self._search.value))

    def _stop_debounce(self) -> None:
        if self._debounce is not None:
            self._debounce.stop()
            self._debounce = None

    def _leave_search(self) -> None:
        self._search_now()
        self._search.display = bool(self._search.value)

    def _set_query(self, query: ListQuery) -> None:
        super()._set_query(query)
        if query.search != self._search.value:
            with self._search.prevent(Input.Changed):
                self._search.value = query.search
            self._search.display = bool(query.search)

    def declare_filters(self, filters: Sequence[Filter]) -> None:
        """Offer other filters, as soon as their choices are known."""
        self._filters = filters
        self._menu.declare(filters)

    def action_filter(self) -> None:
        if self._filters:
            self._menu.open(self.list_query.filters)

    def action_clear_filters(self) -> None:
        self._filter({})

    def on_filter_menu_changed(self, message: FilterMenu.Changed) -> None:
        message.stop()
        self._filter(message.filters)

    def on_filter_menu_closed(self, message: FilterMenu.Closed) -> None:
        message.stop()
        self._grid.focus()

    def _filter(self, filters: Mapping[str, Sequence[str]]) -> None:
        if filters != self.list_query.filters:
            self.show(replace(self.list_query, filters=filters))

    # One step back

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave `esc` to the screen when there is nothing to take back here."""
        if action == "back":
            return self._marks.range_from is not None or bool(self.list_query.search)
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Give up the range that is being marked, or else the search."""
        if self._marks.range_from is not None:
            self._marks.drop_range()
            self._after_marks()
        else:
            self._search.value = ""
            self._leave_search()
