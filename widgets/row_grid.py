"""The body of an entity table: draws the rows in view from what is loaded, and knows cursor and top.

Heading, rows and status are lines of one widget, so that a key costs one frame and not one for each part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from gettext import gettext as _
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from omnicrm_tui.listing import ListQuery
from widgets.columns import GAP, Column, lay_out
from widgets.marks import Marks
from widgets.row_cache import RowWindow
from widgets.scroll_region import scrolls_by_rows
from widgets.text import fit

R = TypeVar("R")

HEADER = 1
FOOTER = 1
GUTTER = 2
SMALL_MOVE = 3
"""Moves past the edge of up to this many rows scroll by as many, where that is cheap."""

_CACHED_SCREENS = 4
"""Lines are kept for: Textual gives each caches of its own, several kilobytes."""


class RowGrid(Widget, Generic[R], can_focus=True):
    """Rows from `top` on, a heading above and a status below them. `cursor` and `top` are places."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--heading",
        "grid--status",
        "grid--cursor",
        "grid--marked",
        "grid--muted",
        "grid--success",
        "grid--warning",
        "grid--error",
        "grid--accent",
    }

    DEFAULT_CSS = """
    RowGrid { height: 1fr; background: $surface; color: $foreground; }
    RowGrid .grid--heading { background: $panel; color: $foreground; text-style: bold; }
    RowGrid .grid--status { color: $text-muted; }
    RowGrid .grid--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    RowGrid .grid--marked { color: $text-accent; text-style: bold; }
    RowGrid .grid--muted { color: $text-muted; }
    RowGrid .grid--success { color: $text-success; }
    RowGrid .grid--warning { color: $text-warning; }
    RowGrid .grid--error { color: $text-error; }
    RowGrid .grid--accent { color: $text-accent; }
    """

    class Clicked(Message):
        """The mouse chose a place; `twice` opens it."""

        def __init__(self, place: int, twice: bool) -> None:
            super().__init__()
            self.place = place
            self.twice = twice

    class Wheel(Message):
        """The mouse wheel turned by this many rows."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, columns: Sequence[Column[R]], window: RowWindow[R], marks: Marks) -> None:
        super().__init__()
        self._columns = columns
        self._laid_out: tuple[int, list[tuple[Column[R], int]]] = (-1, [])
        self._window = window
        self._marks = marks
        self._strips: dict[tuple[int, int, bool, bool], Strip] = {}
        self._styles: dict[str, Style] = {}
        self.query_shown = ListQuery()
        self.notice: Callable[[], str] = str
        """What an empty table says."""
        self.error = ""
        self._status = ""
        self.by_rows: bool | None = None
        """Whether small moves past the edge scroll by single rows; None: where the terminal makes it cheap."""
        self.top = 0
        self.cursor = 0

    # Places

    @property
    def height(self) -> int:
        """How many rows are in view."""
        return max(1, self.size.height - HEADER - FOOTER)

    @property
    def first(self) -> int:
        """The first place that the cursor may go to: one screen of rows that are not loaded yet counts."""
        return self._window.start - (self.height if self._window.more_before else 0)

    @property
    def last(self) -> int:
        """The last place that the cursor may go to."""
        last = self._window.stop - 1 + (self.height if self._window.more_after else 0)
        return max(self.first, last)

    def go(self, place: int) -> None:
        """Put the cursor on `place`, or as near as the list allows, and scroll as little as that takes."""
        place = max(self.first, min(self.last, place))
        self._show(self._top_for(place), place)

    def page(self, pages: int) -> None:
        """Move view and cursor by whole screens."""
        rows = pages * self.height
        cursor = max(self.first, min(self.last, self.cursor + rows))
        self._show(self._within(self.top + rows, cursor), cursor)

    def place_at(self, top: int, cursor: int) -> None:
        """Show the list from `top` on, as far as it goes, and draw every row anew."""
        self.cursor = max(self.first, min(self.last, cursor))
        self.top = self._within(top, self.cursor)
        self.redraw()

    def settle(self) -> None:
        """Bring cursor and view back into the list after it turned out shorter than it seemed."""
        cursor = max(self.first, min(self.last, self.cursor))
        self._show(self._within(self.top, cursor), cursor)

    def shift(self, moved: int) -> None:
        """Follow the rows in view when all places move."""
        if moved:
            self.top += moved
            self.cursor += moved
            self._strips.clear()

    def _top_for(self, place: int) -> int:
        below = place - (self.top + self.height - 1)
        above = self.top - place
        beyond = max(below, above)
        if beyond <= 0:
            return self._within(self.top, place)
        if beyond <= SMALL_MOVE and not self._scrolls_by_rows():
            beyond += self.height // 2
        return self._within(self.top + (beyond if below > 0 else -beyond), place)

    def _within(self, top: int, cursor: int) -> int:
        """Return the top nearest to `top` that shows the cursor and no more emptiness than there must be."""
        if not self.size.height:
            return top  # rows came before the layout did, which brings a resize
        top = max(cursor - self.height + 1, min(cursor, top))
        return max(self.first, min(top, self.last - self.height + 1))

    def _scrolls_by_rows(self) -> bool:
        return scrolls_by_rows(self) if self.by_rows is None else self.by_rows

    def _show(self, top: int, cursor: int) -> None:
        old, self.cursor = self.cursor, cursor
        if top == self.top:
            if cursor != old:
                self.repaint(old, old)
                self.repaint(cursor, cursor)
        else:
            self.top = top
            self.refresh(Region(0, HEADER, self.size.width, self.height))

    # Painting

    def repaint(self, first: int, last: int) -> None:
        """Repaint the rows at places `first` to `last`, as far as they are in view."""
        y1 = max(first - self.top, 0)
        y2 = min(last - self.top, self.height - 1)
        if y1 <= y2:
            self.refresh(Region(0, HEADER + y1, self.size.width, y2 - y1 + 1))

    def tell(self, status: str) -> None:
        """Show another status."""
        if status != self._status:
            self._status = status
            self.refresh(Region(0, self.size.height - FOOTER, self.size.width, FOOTER))

    def redraw(self) -> None:
        """Forget every drawn line and paint the table."""
        self._strips.clear()
        self.refresh()

    def on_resize(self) -> None:
        self.place_at(self.top, self.cursor)

    def _layout(self) -> list[tuple[Column[R], int]]:
        """Return the columns with their widths.

        Worked out when it is drawn, not when the resize is told: a table that was hidden is painted first.
        """
        width = self.size.width - GUTTER - GAP
        if self._laid_out[0] != width:
            self._laid_out = (width, lay_out(self._columns, width))
        return self._laid_out[1]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines in `crop` as they are drawn.

        Without border, padding and opacity the general way, which styles each line anew whenever the list
        scrolls, has nothing to add: it would double the time of a scrolled row.
        """
        filters = self.get_line_filters()
        background = self.background_colors[1]
        size = self.size
        lines = []
        for y in crop.line_range:
            strip = self._line_at(y, size)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            lines.append(strip)
        if crop.column_span != (0, size.width):
            lines = [strip.crop(*crop.column_span) for strip in lines]
        return lines

    def render_line(self, y: int) -> Strip:
        return self._line_at(y, self.size)

    def _line_at(self, y: int, size: Size) -> Strip:
        if y < HEADER:
            return self._error_line() if self.error else self._heading()
        if y >= size.height - FOOTER:
            return self._line(f" {self._status}", self._style("status"))
        place = self.top + y - HEADER
        if place in self._window:
            return self._row(place, size.width)
        return self._line(self._filler(place, y), self._style("muted"))

    def _filler(self, place: int, y: int) -> str:
        """Return what stands where no row is loaded."""
        if not len(self._window):
            return f"  {self.notice()}" if y == HEADER else ""
        beyond = place >= self._window.stop
        more = self._window.more_after if beyond else self._window.more_before
        return "  …" if more else ""

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"grid--{name}")
        return style

    def _line(self, text: str, style: Style) -> Strip:
        return Strip([Segment(fit(text, self.size.width), style)], self.size.width)

    def _error_line(self) -> Strip:
        text = _("{error}  Press r to try again.").format(error=self.error)
        return self._line(f"! {text}", self._style("error"))

    def _heading(self) -> Strip:
        titles = [" " * GUTTER]
        for column, width in self._layout():
            titles.append(fit(self._title(column), width, column.align) + " " * GAP)
        return self._line("".join(titles), self._style("heading"))

    def _title(self, column: Column[R]) -> str:
        query = self.query_shown
        if not column.sort or column.sort != query.sort:
            return column.title
        return f"{column.title} {'▼' if query.descending else '▲'}"

    def _row(self, place: int, width: int) -> Strip:
        marked = self._window.key(place).id in self._marks
        key = (width, place, place == self.cursor, marked)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _CACHED_SCREENS * self.height:
                self._strips.clear()
            strip = self._strips[key] = self._draw(place, place == self.cursor, marked)
        return strip

    def _draw(self, place: int, at_cursor: bool, marked: bool) -> Strip:
        """Draw one row. Cells of one style become one segment: each change of style costs 40 bytes."""
        base = self._style("cursor") if at_cursor else self.rich_style
        row = self._window.row(place)
        gutter = ("›" if at_cursor else " ") + ("•" if marked else " ")
        pieces: list[tuple[str, Style]] = [(gutter, base)]
        for column, width in self._layout():
            style = base
            if not at_cursor:
                tone = "marked" if marked else column.tone(row) if column.tone else ""
                if tone:
                    style = self._style(tone)
            text = fit(column.cell(row), width, column.align)
            if style != pieces[-1][1]:
                pieces.append((text, style))
            else:
                pieces[-1] = (pieces[-1][0] + text, style)
            pieces[-1] = (pieces[-1][0] + " " * GAP, style)
        strip = Strip([Segment(text, style) for text, style in pieces])
        return strip.adjust_cell_length(self.size.width, base)

    # Mouse

    def on_click(self, event: events.Click) -> None:
        place = self.top + event.y - HEADER
        if HEADER <= event.y < HEADER + self.height and place in self._window:
            self.post_message(self.Clicked(place, event.chain > 1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Wheel(SMALL_MOVE))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Wheel(-SMALL_MOVE))
