"""The last line of each screen: the keys that do something here and now."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from gettext import gettext as _

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.dom import DOMNode
from textual.strip import Strip
from textual.widget import Widget

HELP = ("?", _("All keys"))


class KeyLine(Widget):
    """As many shown bindings of the focused widget and its screen as fit, and always `?` for all of them.

    One line drawn from data, not a row of widgets: a change of focus sends a line, and only if it differs.
    """

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[tuple[str, str], ...] = ()
        self._choices: tuple[tuple[str, str], ...] = ()

    def offer(self, choices: Iterable[tuple[str, str]]) -> None:
        """Show what may follow a prefix key in place of the keys, on two lines where needed; nothing ends it."""
        self._choices = tuple(choices)
        self.styles.height = len(self._lines_of_choices()) or 1
        self.refresh()

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self._follow())
        self._show_keys()  # also on a screen that is only about to be current: its first frame is complete

    def _follow(self) -> None:
        if self.is_attached and self.screen.is_current:
            self._show_keys()

    def _show_keys(self) -> None:
        shown = [entry for entry in self.screen.active_bindings.values() if entry.binding.show and entry.enabled]
        shown.sort(key=lambda entry: self._rank(entry.node))
        keys = tuple(self._named(entry.binding for entry in shown))
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def _rank(self, node: DOMNode) -> int:
        """What only this place offers comes first, then what every list has, then what the application has."""
        return 2 if node is self.app else 1 if _is_list(node) else 0

    def _named(self, bindings: Iterable[Binding]) -> Iterable[tuple[str, str]]:
        seen: dict[str, tuple[str, str]] = {}
        for binding in bindings:
            seen.setdefault(binding.action, (self.app.get_key_display(binding), binding.description))
        return (entry for entry in seen.values() if entry[0] != HELP[0])

    def render_line(self, y: int) -> Strip:
        """Draw the choices, or the keys from the left until the next one would not fit beside the help key."""
        style = self.rich_style
        key_style = style + Style(bold=True)
        segments: list[Segment] = []
        if self._choices:
            lines = self._lines_of_choices()
            choices = lines[y] if y < len(lines) else ()
            return Strip(self._drawn_choices(choices, key_style, style)).adjust_cell_length(self.size.width, style)
        left = self.size.width - _width(HELP) - 1
        for entry in self._keys:
            if (left := left - _width(entry)) < 0:
                break
            segments += _drawn(entry, key_style, style)
        drawn = Strip(segments).adjust_cell_length(max(self.size.width - _width(HELP), 0), style)
        return Strip([*drawn, *_drawn(HELP, key_style, style)]).adjust_cell_length(self.size.width, style)

    def _lines_of_choices(self) -> list[tuple[tuple[str, str], ...]]:
        """Put the choices on one line, drawn closer where they would not fit, or half of them on each of two."""
        least = sum(_width(choice) - 1 for choice in self._choices)
        if not self._choices or least <= self.size.width:
            return [self._choices] if self._choices else []
        middle = -(-len(self._choices) // 2)
        return [self._choices[:middle], self._choices[middle:]]

    def _drawn_choices(self, choices: tuple[tuple[str, str], ...], key_style: Style, style: Style) -> list[Segment]:
        close = sum(_width(choice) for choice in choices) > self.size.width
        drawn = [_drawn(choice, key_style, style) for choice in choices]
        return [segment for part in drawn for segment in (_closer(part) if close else part)]


def _closer(drawn: list[Segment]) -> list[Segment]:
    key, words = drawn
    return [key, Segment(words.text.rstrip(), words.style)]


def _is_list(node: DOMNode) -> bool:
    # The first frame pays for no table: where its module was not imported, there is none.
    tables = sys.modules.get("widgets.row_table")
    return tables is not None and isinstance(node, tables.RowTable)


def _width(entry: tuple[str, str]) -> int:
    return cell_len(entry[0]) + cell_len(entry[1]) + 3


def _drawn(entry: tuple[str, str], key_style: Style, style: Style) -> list[Segment]:
    return [Segment(f" {entry[0]}", key_style), Segment(f" {entry[1]} ", style)]
