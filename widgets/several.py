"""A control of a form for several of a few: one line each, with the cursor on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from widgets.controls import OneLine
from widgets.text import fit

SEPARATOR = ","


class Several(OneLine):
    """Up and down go along the choices, and past the ends to the next field; space takes one in or out.

    `choices` are (value, label); `text` is the chosen values, with commas between.
    """

    DEFAULT_CSS = """
    Several { height: auto; }
    Several:focus { text-style: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "flip", _("Take in or out"), show=False, id="several.change"),
    ]

    def __init__(self, choices: Sequence[tuple[str, str]], text: str = "") -> None:
        super().__init__()
        self._choices = tuple(choices)
        self._chosen = {part.strip() for part in text.split(SEPARATOR)} & {value for value, _label in choices}
        self._at = 0

    @property
    def text(self) -> str:
        """The chosen values in the order of the choices, with commas between."""
        return SEPARATOR.join(value for value, _label in self._choices if value in self._chosen)

    def choose(self, text: str) -> None:
        """Choose these values and no others."""
        self._chosen = {part.strip() for part in text.split(SEPARATOR)} & {value for value, _label in self._choices}
        self.refresh()
        self.post_message(self.Changed(self))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._choices))

    def render_line(self, y: int) -> Strip:
        value, label = self._choices[y] if y < len(self._choices) else ("", "–")
        here = self.has_focus and y == self._at
        mark = "x" if value in self._chosen else " "
        style = self.rich_style + Style(reverse=True) if here else self.rich_style
        return Strip([Segment(fit(f" [{mark}] {label}", self.size.width), style)], self.size.width)

    def on_key(self, event: events.Key) -> None:
        """Go along the choices; at the ends the form goes on."""
        by = {"up": -1, "down": 1}.get(event.key, 0)
        if by and 0 <= self._at + by < len(self._choices):
            event.stop()
            event.prevent_default()
            self._at += by
            self.refresh()

    def action_flip(self) -> None:
        if self._choices:
            self._chosen ^= {self._choices[self._at][0]}
            self.refresh()
            self.post_message(self.Changed(self))
