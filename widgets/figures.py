"""A handful of figures on two lines: labels above, values below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from widgets.text import fit


class Figures(Widget):
    """A title, then each figure under its label, side by side. Never focusable."""

    COMPONENT_CLASSES = {"figure--label"}

    DEFAULT_CSS = """
    Figures { height: 2; background: $panel; color: $foreground; }
    Figures .figure--label { color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._title = ""
        self._figures: tuple[tuple[str, str], ...] = ()

    def show(self, title: str, figures: Sequence[tuple[str, str]]) -> None:
        """Show other figures as (label, value)."""
        if (title, tuple(figures)) != (self._title, self._figures):
            self._title, self._figures = title, tuple(figures)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        label = style + self.get_component_rich_style("figure--label")
        width = max(1, (self.size.width - 14) // max(1, len(self._figures)))
        first = Segment(f" {fit(self._title if y == 0 else '', 13)}", style + Style(bold=True))
        cells = [
            Segment(fit(pair[y], width), label if y == 0 else style + Style(bold=True))
            for pair in self._figures
            if y < 2
        ]
        return Strip([first, *cells]).adjust_cell_length(self.size.width, style)
