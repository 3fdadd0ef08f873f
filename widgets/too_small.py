"""An honest word where the terminal is too small to work in; it goes away when that changes."""

from __future__ import annotations

from gettext import gettext as _

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.text import fit

LEAST = Size(80, 24)


def too_small(size: Size) -> bool:
    """Tell whether a terminal of this size is too small."""
    return size.width < LEAST.width or size.height < LEAST.height


class TooSmall(Widget):
    """Covers its screen while the terminal is smaller than 80x24. Never focusable."""

    DEFAULT_CSS = """
    TooSmall {
        layer: notice; overlay: screen; position: absolute; offset: 0 0; width: 100vw; height: 100vh;
        display: none; background: $surface; color: $foreground;
    }
    TooSmall.-open { display: block; }
    """

    def on_mount(self) -> None:
        self.screen.screen_layout_refresh_signal.subscribe(self, lambda _screen: self._check())
        self._check()

    def _check(self) -> None:
        self.set_class(too_small(self.app.size), "-open")

    def render_line(self, y: int) -> Strip:
        lines = (
            _("This terminal is too small."),
            _("It has {width}x{height}; {w}x{h} is the least.").format(
                width=self.app.size.width, height=self.app.size.height, w=LEAST.width, h=LEAST.height
            ),
            _("Make it larger, or press ctrl+q to leave."),
        )
        at = y - max(0, (self.size.height - len(lines)) // 2)
        text = lines[at] if 0 <= at < len(lines) else ""
        return Strip([Segment(fit(f" {text}", self.size.width), self.rich_style)], self.size.width)
