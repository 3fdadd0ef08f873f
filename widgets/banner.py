"""A line across the top that stays until what it tells of is over; a click does the way out of it."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from widgets.text import fit, visible


class Banner(Widget):
    """`text` on the left, the way out on the right; never focusable. A click runs `action` of the application."""

    DEFAULT_CSS = """
    Banner { dock: top; height: 1; background: $warning; color: $background; text-style: bold; }
    Banner:ansi { background: ansi_yellow; color: ansi_black; }
    Banner:nocolor { text-style: bold reverse; }
    """

    def __init__(self, text: str, way_out: str, action: str) -> None:
        super().__init__()
        self._text = visible(text)
        self._way_out = visible(way_out)
        self._action = action

    async def on_click(self) -> None:
        await self.app.run_action(self._action)

    def render_line(self, y: int) -> Strip:
        """Draw the line; what it tells is cut before the way out is."""
        style = self.rich_style
        room = max(self.size.width - cell_len(self._way_out) - 3, 8)
        parts = [
            Segment(" ", style),
            Segment(fit(self._text, room), style),
            Segment(f" {self._way_out} ", style + Style(bold=True)),
        ]
        return Strip(parts).adjust_cell_length(self.size.width, style)
