"""A table that reads its rows as they come into view: loading, place and status, without any keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from gettext import gettext as _
from typing import Any, Generic, Self, TypeVar

from textual.message import Message
from textual.widget import Widget

from omnicrm_tui.listing import FIRST, LAST, Anchor, Count, Edge, ListQuery, RowKey, RowSource
from widgets.columns import Column
from widgets.marks import Marks, Selection
from widgets.row_cache import RowWindow
from widgets.row_grid import RowGrid
from widgets.table_reader import Around, Arrived, Counted, Failed, Job, read_count, read_rows
from widgets.table_status import TablePlace, TableStatus
from widgets.text import visible

R = TypeVar("R")

_QUEUED_MOVES = 64
"""Moves kept while a jump to the other end is being read: nobody types further ahead."""


class RowTable(Widget, Generic[R]):
    """A window over a `RowSource`: what is in view and a screen either way is read in worker threads.

    `describe_error` turns what the source raised into one line for the user.
    """

    class StatusChanged(Message):
        """Cursor, count, marks, query or state of loading changed."""

        def __init__(self, table: RowTable[Any], status: TableStatus) -> None:
            super().__init__()
            self.table = table
            self.status = status

        @property
        def control(self) -> Widget:
            return self.table

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RowTable.StatusChanged) and message.table is self.table

    def __init__(
        self,
        source: RowSource[R],
        columns: Sequence[Column[R]],
        *,
        id: str | None = None,
        classes: str | None = None,
        empty_text: str = "",
        query: ListQuery | None = None,
        place: TablePlace | None = None,
        describe_error: Callable[[Exception], str] | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.source = source
        self.columns = tuple(columns)
        self.list_query = query or ListQuery()
        self.status = TableStatus(query=self.list_query)
        self._empty_text = empty_text or _("Nothing here yet.")
        self._describe_error = describe_error or _first_line
        self._window: RowWindow[R] = RowWindow()
        self._marks = Marks()
        self._grid: RowGrid[R] = RowGrid(columns, self._window, self._marks)
        self._grid.notice = self._notice
        self._place = place
        self._count: Count | None = None
        self._count_due = True
        self._error = ""
        self._generation = 0
        self._reading = False
        self._replacing = True
        self._jumping = False
        self._queued: list[Callable[[], None]] = []

    def on_mount(self) -> None:
        if self._place is None:
            self._load(FIRST)
        else:
            self.restore(self._place)

    # What a screen may ask

    @property
    def scrolls_by_rows(self) -> bool | None:
        """Whether small moves past the edge scroll by rows, not by half a page; None: where that is cheap."""
        return self._grid.by_rows

    @scrolls_by_rows.setter
    def scrolls_by_rows(self, by_rows: bool | None) -> None:
        self._grid.by_rows = by_rows

    @property
    def row(self) -> R | None:
        """The row under the cursor; None while there is none."""
        return self._window.row(self._grid.cursor) if self._grid.cursor in self._window else None

    @property
    def key(self) -> RowKey | None:
        """The key of the row under the cursor."""
        return self._window.key(self._grid.cursor) if self._grid.cursor in self._window else None

    @property
    def selection(self) -> Selection:
        """The marked rows."""
        ids = frozenset(self._marks.ids).union(self._marks.range_rows().values())
        return Selection(self.list_query, ids, self._marks.everything)

    def clear_selection(self) -> None:
        """Unmark all rows, as after a bulk action."""
        self._marks.clear()
        self._after_marks()

    def state(self) -> TablePlace:
        """Return where the user is, for `restore` or the `place` of a new table."""
        if self._place is not None:
            return self._place  # still on the way there
        top, cursor = None, None
        if self._grid.query_shown == self.list_query and self._grid.top in self._window:
            # A key is a place in the order it was read in: in another one its value may not even be of that type.
            top, cursor = self._window.key(self._grid.top), self.key
        return TablePlace(self.list_query, top, cursor, frozenset(self._marks.ids), self._marks.everything)

    def restore(self, place: TablePlace) -> None:
        """Come back to where `state` was taken; rows that are gone are passed over."""
        self._set_query(place.query)
        self._marks.clear()
        self._marks.ids.update(place.marks)
        self._marks.everything = place.everything
        self._load(_around(place))
        self._place = place

    def reload(self) -> None:
        """Read the list again and stay where the user is."""
        self._count_due = True
        on_the_way = self._place
        self._load(_around(self.state()))
        self._place = on_the_way

    def show(self, query: ListQuery) -> None:
        """Show the rows of another query from its start; the old ones stay until the new ones arrive."""
        self._set_query(query)
        self._load(FIRST)

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the keyboard to the rows."""
        self._grid.focus(scroll_visible)
        return self

    # Moving

    def _move(self, move: Callable[[], None]) -> None:
        """Do a move of the grid, after the jump that is under way if there is one."""
        if not self._jumping:
            move()
            self._after_move()
        elif len(self._queued) < _QUEUED_MOVES:
            self._queued.append(move)

    def _jump(self, end: Anchor) -> None:
        """Go to an end of the list, reading it where it is not loaded."""
        window, grid = self._window, self._grid
        if window.more_before if end == FIRST else window.more_after:
            self._load(end)
            self._jumping = True
        else:
            grid.go(window.start if end == FIRST else window.stop - 1)

    def _after_move(self) -> None:
        """Follow a move: paint first, then read ahead, unless rows in view are missing."""
        self._extend_range()
        self._tell()
        if self._window.missing(self._grid.top, self._grid.top + self._grid.height - 1):
            self._prefetch()
        else:
            self.call_after_refresh(self._prefetch)

    def _extend_range(self) -> None:
        """Let the range that is being marked reach to the cursor.

        Rows that were seen and are no longer loaded stay in it; rows that were jumped over are not in it.
        """
        start = self._marks.range_from
        if start is None:
            return
        first, last = sorted((start, self._grid.cursor))
        kept = {place: i for place, i in self._marks.range_rows().items() if first <= place <= last}
        for place in range(max(first, self._window.start), min(last + 1, self._window.stop)):
            kept[place] = self._window.key(place).id
        changed = kept.keys() ^ self._marks.range_rows().keys()
        self._marks.set_range(kept)
        if changed:
            self._grid.repaint(min(changed), max(changed))

    def _after_marks(self) -> None:
        self._grid.repaint(self._grid.top, self._grid.top + self._grid.height)
        self._tell()

    # Reading

    def _set_query(self, query: ListQuery) -> None:
        if not _same_rows(query, self.list_query):
            self._marks.everything = False
            self._count = None
            self._count_due = True
        self._marks.drop_range()
        self.list_query = query

    def _load(self, place: Anchor | Around) -> None:
        """Read the rows at `place`, which then replace those that are loaded."""
        self._generation += 1
        self._error = ""
        self._queued.clear()
        self._jumping = False
        self._replacing = True
        self._place = None
        self._start(place)
        self._tell()

    def _start(self, place: Anchor | Around) -> None:
        self._reading = True
        job = Job(self._generation, self.list_query, place)
        self._in_thread(partial(read_rows, self.source, job, self.post_message), "rows")

    def _in_thread(self, work: Callable[[], None], group: str) -> None:
        self.run_worker(work, group=group, thread=True, exclusive=True, exit_on_error=False)

    def _prefetch(self) -> None:
        """Have one screen of rows either way of what is in view."""
        if self._reading or self._error:
            return
        top, height = self._grid.top, self._grid.height
        anchor = self._window.missing(top - height, top + 2 * height - 1)
        if anchor is not None:
            self._start(anchor)

    def on_arrived(self, message: Arrived[R]) -> None:
        """Show the rows that a worker read, unless other ones were asked for since."""
        message.stop()
        if message.job.generation != self._generation:
            return
        self._reading = False
        if message.job.extends:
            self._extend(message)
        else:
            self._replacing = self._jumping = False
            self._replace(message)
            self._ask_count()
        queued, self._queued = self._queued, []
        for move in queued:
            move()
        self._after_move()

    def _extend(self, message: Arrived[R]) -> None:
        """Add rows at an end and paint those of them that are in view."""
        grid, place, rows = self._grid, message.job.place, len(message.window.rows)
        if isinstance(place, Anchor) and place.edge is Edge.AFTER:
            first = self._window.stop
            self._window.append(message.window)
        else:
            moved = self._window.prepend(message.window)
            first = self._window.start
            grid.shift(moved)
            self._marks.shift_range(moved)
        grid.repaint(first, first + rows)
        grid.settle()

    def _replace(self, message: Arrived[R]) -> None:
        """Show other rows, beginning where the job said."""
        grid, window, place = self._grid, self._window, message.job.place
        self._place = None
        self._marks.end_range()  # its places mean nothing among other rows
        window.replace(message.window, self._position(message))
        grid.query_shown = message.job.query
        grid.error = ""
        if isinstance(place, Around):
            top = window.start + message.top
            cursor = window.find(place.cursor.id)
            grid.place_at(top, top if cursor is None else cursor)
        elif place == LAST:
            grid.place_at(window.stop - grid.height, window.stop - 1)
        else:
            grid.place_at(window.start, window.start)

    def _position(self, message: Arrived[R]) -> int | None:
        """Return the position of the first row that arrived, where it is known."""
        if message.job.place == FIRST:
            return 0
        if message.job.place != LAST or self._count is None or self._count.capped:
            return None
        start = self._count.value - len(message.window.rows)
        return start if (start > 0) == message.window.more_before else None

    def _ask_count(self) -> None:
        if self._count_due:
            self._count_due = False
            job = Job(self._generation, self.list_query, FIRST)
            self._in_thread(partial(read_count, self.source, job, self.post_message), "count")

    def on_counted(self, message: Counted) -> None:
        """Take over a count, unless other rows are shown by now."""
        message.stop()
        if _same_rows(message.query, self.list_query):
            self._count = message.count
            self._tell()

    def on_failed(self, message: Failed) -> None:
        """Show what went wrong in place of the heading; the rows stay."""
        message.stop()
        if message.job.generation != self._generation:
            return
        self._reading = self._replacing = self._jumping = False
        self._queued.clear()
        self._count_due = True
        self._error = self._grid.error = visible(self._describe_error(message.error))
        self._grid.redraw()
        self._tell()

    def _notice(self) -> str:
        """Return what a table without rows says."""
        if self._replacing:
            return "…"
        if self._error:
            return ""
        return _("Nothing matches.") if self.list_query.search or self.list_query.filters else self._empty_text

    def _tell(self) -> None:
        """Post the status if it changed."""
        marks, window, grid = self._marks, self._window, self._grid
        status = TableStatus(
            position=grid.cursor + 1 if window.counted and grid.cursor in window else None,
            count=self._count,
            marked=None if marks.everything else len(marks),
            left_out=len(marks) if marks.everything else 0,
            marking_range=marks.range_from is not None,
            loading=self._replacing,
            error=self._error,
            query=self.list_query,
        )
        if status != self.status:
            self.status = status
            grid.tell(status.text())
            self.post_message(self.StatusChanged(self, status))


def _around(place: TablePlace) -> Anchor | Around:
    return Around(place.top, place.cursor or place.top) if place.top else FIRST


def _same_rows(one: ListQuery, other: ListQuery) -> bool:
    """Whether two queries are answered by the same rows, in whatever order."""
    return (one.search, one.filters) == (other.search, other.filters)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return _("The list cannot be read: {why}.").format(why=lines[0] if lines else type(error).__name__)
