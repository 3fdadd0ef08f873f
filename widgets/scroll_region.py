"""Fewer bytes to the terminal: send what changed, and let the terminal scroll its own lines.

Textual repaints every line of a widget that scrolled: 17 KB for one row at 120x40. `ScrollRegionApp` keeps
what each line of the terminal shows, compares each repaint with it, drops what is already there, and where
the new picture is the old one moved by up to three lines, moves it with the scroll region (DECSTBM with IND
and RI, codes of the VT100). What is sent follows from the two pictures alone, so whatever lies on or beside a
table cannot make it wrong, only larger.

This is the one module that touches private parts of Textual (`App._display` and the compositor's updates).
If they are not what they were, or a repaint has a form unknown here, Textual's own output is sent.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

ReturnType = TypeVar("ReturnType")

_SHIFTS = (1, -1, 2, -2, 3, -3)

Line = dict[int, Strip]
"""What is known of a line: strips by the column where they begin. A gap is unknown."""

SUPPORTED = list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"] and list(
    inspect.signature(ChopsUpdate.__init__).parameters
) == ["self", "chops", "spans", "chop_ends"]


class ShownLines:
    """What each line of the terminal shows, as far as that is known."""

    def __init__(self) -> None:
        self._lines: dict[int, Line] = {}

    def forget(self) -> None:
        """Know nothing: the next repaint of each line is sent in full."""
        self._lines.clear()

    def encode_all(self, update: LayoutUpdate, console: Console) -> str:
        """Return a repaint of the whole screen, in full: nothing is taken for granted."""
        self.forget()
        output: list[str] = []
        left, top, *_ = update.region
        for y, strips in enumerate(update.strips, top):
            line = self._lines[y] = {}
            x = left
            output.append(f"\x1b[{y + 1};{x + 1}H")
            for strip in strips:
                output.append(_rendered(strip, console))
                line[x] = strip
                x += strip.cell_length
        return "".join(output)

    def encode(self, update: ChopsUpdate, console: Console) -> str:
        """Return the shortest output known here that turns what is shown into what `update` paints."""
        output = [self._scroll(update)]
        write_at: tuple[int, int] | None = None
        for y, x, end, strip in _pieces(update):
            line = self._lines.setdefault(y, {})
            shown = line.get(x)
            if shown == strip:
                continue
            first, last = _difference(shown, strip)
            if write_at != (x + first, y):
                output.append(f"\x1b[{y + 1};{x + first + 1}H")
            whole = (first, last) == (0, strip.cell_length)
            output.append(_rendered(strip if whole else strip.crop(first, last), console))
            write_at = (x + last, y)
            _put(line, x, end, strip)
        return "".join(output)

    def _scroll(self, update: ChopsUpdate) -> str:
        """Move lines that `update` only moves; return what makes the terminal do the same."""
        wanted = _whole_lines(update)
        best = sum(1 for y, line in wanted.items() if self._lines.get(y) != line)
        if best <= 2:
            return ""
        chosen: tuple[int, int, int] | None = None
        for shift in _SHIFTS:
            region = self._region(wanted, shift)
            if region is None:
                continue
            moved = _moved(self._lines, *region, shift)
            changed = sum(1 for y, line in wanted.items() if moved.get(y) != line)
            if changed < best:
                best, chosen = changed, (*region, shift)
        if chosen is None:
            return ""
        self._lines = _moved(self._lines, *chosen)
        return scroll_codes(*chosen)

    def _region(self, wanted: Mapping[int, Line], shift: int) -> tuple[int, int] | None:
        """Return the first and last line of the smallest region that holds all lines moved by `shift`.

        Every line of the region must be repainted anyway: others are not ours to move.
        """
        moved = [
            y
            for y, line in wanted.items()
            if y + shift in wanted and self._lines.get(y + shift) == line and self._lines.get(y) != line
        ]
        if not moved:
            return None
        first = min(moved) + min(0, shift)
        last = max(moved) + max(0, shift)
        if any(y not in wanted for y in range(first, last + 1)):
            return None
        return first, last


def scroll_codes(first: int, last: int, shift: int) -> str:
    """Return the codes that move lines `first` to `last` up by `shift` (down where it is negative)."""
    move = f"\x1b[{last + 1};1H" + "\x1bD" * shift if shift > 0 else f"\x1b[{first + 1};1H" + "\x1bM" * -shift
    return f"\x1b[{first + 1};{last + 1}r{move}\x1b[r"


def _moved(lines: Mapping[int, Line], first: int, last: int, shift: int) -> dict[int, Line]:
    """Return `lines` after the terminal scrolled: lines that came in are unknown."""
    moved = dict(lines)
    for y in range(first, last + 1):
        origin = y + shift
        moved[y] = dict(lines.get(origin, {})) if first <= origin <= last else {}
    return moved


def _whole_lines(update: ChopsUpdate) -> dict[int, Line]:
    """Return the lines that `update` repaints from edge to edge."""
    whole: dict[int, Line] = {}
    for y, x1, x2 in update.spans:
        line = update.chops[y]
        if x1 > 0 or x2 < update.chop_ends[y][-1]:
            continue
        strips = {x: strip for x, strip in line.items() if strip is not None}
        if len(strips) == len(line):
            whole[y] = strips
    return whole


def _pieces(update: ChopsUpdate) -> Iterator[tuple[int, int, int, Strip]]:
    """Yield what `update` paints as (line, first column, column after the last, strip)."""
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= x2 or end <= x1:
                continue
            if end > x2:
                end = x2
                strip = strip.crop(0, end - x)
            yield y, x, end, strip


def _rendered(strip: Strip, console: Console) -> str:
    """Return the strip as text and colour codes: where only a colour changes, only that colour is sent."""
    system = console._color_system
    if system is None or any(style is None or style.link for _text, style, _control in strip):
        return strip.render(console)
    output: list[str] = []
    before = ("", "", "")
    for text, style, _control in strip:
        now = _codes(style or Style.null(), system)
        output.append(_change(before, now))
        output.append(text)
        before = now
    return "".join([*output, "\x1b[0m" if any(before) else ""])


@lru_cache(maxsize=4096)
def _codes(style: Style, system: ColorSystem) -> tuple[str, str, str]:
    """Return the codes of a style's attributes, foreground and background."""
    return (
        Strip.render_ansi(style.without_color, system),
        Strip.render_ansi(Style(color=style.color), system),
        Strip.render_ansi(Style(bgcolor=style.bgcolor), system),
    )


def _change(before: tuple[str, str, str], now: tuple[str, str, str]) -> str:
    """Return the shortest code that leads from one style to the next."""
    if before == now:
        return ""
    lost = before[0] != now[0] or any(old and not new for old, new in zip(before, now, strict=True))
    if lost and any(before):
        return "\x1b[0m" + _change(("", "", ""), now)
    codes = [new for old, new in zip(before, now, strict=True) if new != old]
    return f"\x1b[{';'.join(codes)}m"


def _difference(shown: Strip | None, strip: Strip) -> tuple[int, int]:
    """Return the first cell, and the cell after the last, in which `strip` differs from what is shown.

    Only of plain ASCII is it certain which cell of the terminal holds which character.
    """
    size = strip.cell_length
    if shown is None or shown.cell_length != size or not (shown.text.isascii() and strip.text.isascii()):
        return 0, size
    pairs = list(zip(_cells(shown), _cells(strip), strict=True))
    different = [i for i, (old, new) in enumerate(pairs) if old != new]
    return (different[0], different[-1] + 1) if different else (0, size)


def _cells(strip: Strip) -> Iterator[tuple[str, Style | None]]:
    for text, style, _control in strip:
        for character in text:
            yield character, style


def _put(line: Line, x: int, end: int, strip: Strip) -> None:
    """Note that `strip` now covers columns `x` to `end`: what it covered in part is unknown."""
    for known in list(line):
        if known < end and known + line[known].cell_length > x:
            del line[known]
    if strip.cell_length == end - x:
        line[x] = strip


class DiffedUpdate(CompositorUpdate):
    """A repaint that is compared with what the terminal shows at the moment when it is really sent."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, lines: ShownLines) -> None:
        self._update = update
        self._lines = lines

    def render_segments(self, console: Console) -> str:
        try:
            if isinstance(self._update, ChopsUpdate):
                return self._lines.encode(self._update, console)
            return self._lines.encode_all(self._update, console)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            self._lines.forget()
            return self._update.render_segments(console)


class ScrollRegionApp(App[ReturnType]):
    """An app whose repaints cost few bytes. `scroll_region = False` gives Textual's own output."""

    scroll_region: bool = SUPPORTED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shown_lines = ShownLines()

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self._shown_lines.forget(), immediate=True)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if renderable is not None and self.scroll_region:
            if isinstance(renderable, (ChopsUpdate, LayoutUpdate)):
                renderable = cast("RenderableType", DiffedUpdate(renderable, self._shown_lines))
            else:
                self._shown_lines.forget()
        super()._display(screen, renderable)

    def write_to_terminal(self, codes: str) -> None:
        """Send codes that paint nothing, such as an OSC sequence."""
        if self._driver is not None:
            self._driver.write(codes)


def scrolls_by_rows(widget: Widget) -> bool:
    """Whether moving this widget's lines by a row or three is cheap: full width, nothing lies on it."""
    app = widget.app
    return (
        isinstance(app, ScrollRegionApp)
        and app.scroll_region
        and widget.region.x == 0
        and widget.region.width == app.size.width
        and widget.screen.is_current
        and not app._notifications
    )
