"""A grid of check boxes under column titles: a matrix that is filled in by keyboard alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from gettext import gettext as _
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.text import fit

Cell = tuple[int, int]
"""Row and column."""

_LEAST = 7
_LABEL = 24


class CheckGrid(Widget, can_focus=True):
    """Rows of boxes; `names` says which cells have one, and what it stands for. `checked` are the names that are on.

    A box that differs from how the grid began has a `*` behind it.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"grid--head", "grid--cursor", "grid--changed", "grid--none"}

    DEFAULT_CSS = """
    CheckGrid { height: auto; background: $surface; color: $foreground; }
    CheckGrid .grid--head { color: $text-primary; text-style: bold; }
    CheckGrid .grid--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    CheckGrid .grid--changed { color: $text-warning; text-style: bold; }
    CheckGrid .grid--none { color: $text-muted; }
    CheckGrid:nocolor .grid--cursor { text-style: reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "flip", _("Take in or out"), key_display="space", id="grid.flip"),
        Binding("asterisk", "flip_row", _("Whole row"), id="grid.row", tooltip=_("Take the whole row in or out")),
        Binding("V", "flip_column", _("Whole column"), show=False, id="grid.column"),
        Binding("down,j", "move(1, 0)", _("Down"), show=False, id="grid.down"),
        Binding("up,k", "move(-1, 0)", _("Up"), show=False, id="grid.up"),
        Binding("right,l", "move(0, 1)", _("Right"), show=False, id="grid.right"),
        Binding("left,h", "move(0, -1)", _("Left"), show=False, id="grid.left"),
        Binding("home,ctrl+a", "end(False)", _("First row"), show=False, id="grid.first"),
        Binding("end,ctrl+d,G", "end(True)", _("Last row"), show=False, id="grid.last"),
    ]

    class Moved(Message):
        """The cursor is elsewhere, or a box was changed."""

    def __init__(
        self, rows: Sequence[str], columns: Sequence[str], names: Mapping[Cell, str], checked: AbstractSet[str]
    ) -> None:
        super().__init__()
        self.checked = set(checked)
        self._before = frozenset(checked)
        self._rows, self._columns, self._names = tuple(rows), tuple(columns), dict(names)
        self._row = self._column = 0

    @property
    def name_here(self) -> str:
        """What the box under the cursor stands for; "" where there is none."""
        return self._names.get((self._row, self._column), "")

    @property
    def added(self) -> set[str]:
        """What was taken in since the grid began."""
        return self.checked - self._before

    @property
    def removed(self) -> set[str]:
        """What was taken out since the grid began."""
        return set(self._before - self.checked)

    def check(self, names: AbstractSet[str]) -> None:
        """Take these in, and all others that have a box out."""
        boxes = set(self._names.values())
        self.checked = (self.checked - boxes) | (set(names) & boxes)
        self._changed()

    # Keys

    def action_flip(self) -> None:
        """Change the box under the cursor."""
        if self.name_here:
            self.checked ^= {self.name_here}
            self._changed()

    def action_flip_row(self) -> None:
        """Take the whole row in, or out when all of it is in."""
        self._flip({name for (row, _column), name in self._names.items() if row == self._row})

    def action_flip_column(self) -> None:
        """Take the whole column in, or out when all of it is in."""
        self._flip({name for (_row, column), name in self._names.items() if column == self._column})

    def _flip(self, names: set[str]) -> None:
        self.checked = self.checked - names if names <= self.checked else self.checked | names
        self._changed()

    def action_move(self, down: int, right: int) -> None:
        """Go to a neighbour; stop at the ends."""
        self._go(self._row + down, self._column + right)

    def action_end(self, last: bool) -> None:
        """Go to the first or last row."""
        self._go(len(self._rows) - 1 if last else 0, self._column)

    def _go(self, row: int, column: int) -> None:
        self._row = max(0, min(len(self._rows) - 1, row))
        self._column = max(0, min(len(self._columns) - 1, column))
        self._changed()

    def _changed(self) -> None:
        # The parent scrolls: the grid is as high as it has rows.
        if isinstance(self.parent, Widget):
            self.parent.scroll_to_region(Region(0, self._row, 1, 3), animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved())

    # Painting

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows) + 1

    def render_line(self, y: int) -> Strip:
        if y == 0:
            head = "".join(f" {fit(title, self._width_of(title))}" for title in self._columns)
            return Strip([Segment(fit("", _LABEL) + head, self._style("head"))]).adjust_cell_length(
                self.size.width, self.rich_style
            )
        row = y - 1
        if row >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        here = row == self._row
        label = Segment(fit(self._rows[row], _LABEL), self.rich_style + Style(bold=here))
        boxes = [self._box(row, column) for column in range(len(self._columns))]
        return Strip([label, *boxes]).adjust_cell_length(self.size.width, self.rich_style)

    def _box(self, row: int, column: int) -> Segment:
        name = self._names.get((row, column), "")
        width = self._width_of(self._columns[column]) + 1
        changed = (name in self.checked) != (name in self._before)
        text = f"[{'x' if name in self.checked else ' '}]{'*' if changed else ' '}" if name else " ·  "
        style = self._style("changed" if changed else "none") if changed or not name else self.rich_style
        if self.has_focus and (row, column) == (self._row, self._column):
            style = self._style("cursor")
        return Segment(fit(f" {text}", width), style)

    def _width_of(self, title: str) -> int:
        return max(_LEAST, cell_len(title) + 1)

    def _style(self, name: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"grid--{name}")

    # Focus and mouse

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        x = _LABEL
        for column, title in enumerate(self._columns):
            width = self._width_of(title) + 1
            if event.y >= 1 and x <= event.x < x + width:
                self._go(event.y - 1, column)
                self.action_flip()
                return
            x += width
