"""One line of tabs: `1 Overview  2 Contacts`; the number is the key. Drawn from data, never focusable."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget


class TabLine(Widget):
    """The titles of the tabs; the chosen one is bold, underlined and between bars."""

    DEFAULT_CSS = """
    TabLine { height: 1; background: $surface; color: $text-muted; }
    """

    COMPONENT_CLASSES = {"tab--chosen"}
    DEFAULT_CSS += "TabLine .tab--chosen { color: $text-primary; text-style: bold underline; }"

    class Chosen(Message):
        """The mouse chose a tab."""

        def __init__(self, at: int) -> None:
            super().__init__()
            self.at = at

    def __init__(self, titles: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.titles = tuple(titles)
        self.at = 0

    def choose(self, at: int) -> None:
        """Show the tab at `at` as the chosen one."""
        if at != self.at:
            self.at = at
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return Strip(list(self._segments())).adjust_cell_length(self.size.width, self.rich_style)

    def _segments(self) -> list[Segment]:
        plain = self.rich_style
        chosen = plain + self.get_component_rich_style("tab--chosen")
        drawn: list[Segment] = []
        for at, label in enumerate(self._labels()):
            drawn.append(Segment("▐" if at == self.at else " ", chosen + Style(underline=False)))
            drawn.append(Segment(label, chosen if at == self.at else plain))
            drawn.append(Segment("▌" if at == self.at else " ", chosen + Style(underline=False)))
        return drawn

    def _labels(self) -> list[str]:
        return [f"{at + 1} {title}" for at, title in enumerate(self.titles)]

    def on_click(self, event: events.Click) -> None:
        x = 0
        for at, label in enumerate(self._labels()):
            x += len(label) + 2
            if event.x < x:
                self.post_message(self.Chosen(at))
                return
