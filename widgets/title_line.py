"""The first line of each screen: where we are, whose data this is, and who is signed in."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from widgets.text import fit, visible

SEPARATOR = " › "


class TitleLine(Widget):
    """`Customers › Ada Lovelace` on the left; `DEMO` and the person on the right. Never focusable."""

    DEFAULT_CSS = """
    TitleLine { dock: top; height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self, path: Sequence[str], *, badge: str = "", person: str = "") -> None:
        super().__init__()
        self._path = tuple(path)
        self._badge = badge
        self._person = person

    def show_path(self, path: Sequence[str]) -> None:
        """Show other breadcrumbs; nothing is sent when they are the same."""
        if tuple(path) != self._path:
            self._path = tuple(path)
            self.refresh()

    def show_person(self, person: str) -> None:
        """Show who is signed in; nothing is sent when it is the same."""
        if person != self._person:
            self._person = person
            self.refresh()

    def show_badge(self, badge: str) -> None:
        """Show another badge; nothing is sent when it is the same."""
        if badge != self._badge:
            self._badge = badge
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line; the breadcrumbs are cut before the person is."""
        right = visible("  ".join(part for part in (self._badge, self._person) if part))
        room = max(self.size.width - cell_len(right) - 3, 8)
        style = self.rich_style
        parts = [
            Segment(" ", style),
            Segment(fit(SEPARATOR.join(self._path), room), style + Style(bold=True)),
            Segment(" ", style),
            Segment(right, style),
            Segment(" ", style),
        ]
        return Strip(parts).adjust_cell_length(self.size.width, style)
