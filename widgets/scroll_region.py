"""Fewer bytes to the terminal: send what changed, and let the terminal scroll its own lines.

Textual repaints every line of a widget that scrolled (17 KB for one row at 120x40), and the whole screen, twice,
for a dialog or another tab. `ScrollRegionApp` keeps what each line of the terminal shows, compares each repaint
with it cell by cell, drops what is already there, and where the new picture is the old one moved by up to eight
lines, moves it with the scroll region (DECSTBM with IND and RI, codes of the VT100). What is sent follows from
the two pictures alone, so whatever lies on or beside a table cannot make it wrong, only larger.

This is the one module that touches private parts of Textual (`App._display` and the compositor's updates).
If they are not what they were, or a repaint has a form unknown here, Textual's own output is sent.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen, ScreenResultType
from textual.strip import Strip
from textual.widget import Widget

ReturnType = TypeVar("ReturnType")

_SHIFTS = tuple(shift for rows in range(1, 9) for shift in (rows, -rows))
"""A key that is held down moves by several rows in one frame (`widgets.key_order`)."""

Line = dict[int, Strip]
"""What is known of a line: strips by the column where they begin. A gap is unknown."""

Piece = tuple[int, int, int, Strip]
"""What is painted: line, first column, column after the last, strip."""

Colours = tuple[str, str, str]
"""The codes of attributes, foreground and background."""

_NONE: Colours = ("", "", "")
_NO_STYLE = Style.null()

_JUMP = 7
"""Equal cells that are written again rather than jumped over: a jump costs as much."""

_SINGLE = re.compile("[ -~\u00a1-\u00ac\u00ae-\u024f–‹›…·⏎←-↓─-▟]*")
"""Characters that take one cell in every terminal that this application can be used in: it draws its frames so."""

SUPPORTED = list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"] and list(
    inspect.signature(ChopsUpdate.__init__).parameters
) == ["self", "chops", "spans", "chop_ends"]


class ShownLines:
    """What each line of the terminal shows, as far as that is known.

    Whatever else may have changed the terminal (its size, another program, a pause) has to be told with `forget`.
    """

    def __init__(self) -> None:
        self._lines: dict[int, Line] = {}

    def forget(self) -> None:
        """Know nothing: the next repaint of each line is sent in full."""
        self._lines.clear()

    def encode_all(self, update: LayoutUpdate, console: Console) -> str:
        """Return the shortest output known here that turns what is shown into a repaint of the whole screen."""
        return self._written(_strips(update), console)

    def encode(self, update: ChopsUpdate, console: Console) -> str:
        """Return the shortest output known here that turns what is shown into what `update` paints."""
        return self._scroll(update) + self._written(_pieces(update), console)

    def _written(self, pieces: Iterable[Piece], console: Console) -> str:
        """Return what writes the cells of `pieces` that are not shown yet."""
        pen = Pen(console)
        for y, x, end, strip in pieces:
            line = self._lines.setdefault(y, {})
            shown = line.get(x)
            if shown == strip and strip.cell_length == end - x:
                continue
            for first, last in pen.differences(_covered(line, x, end), strip):
                pen.write(y, x + first, strip.crop(first, last))
            _put(line, x, end, strip)
        return pen.finish()

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
            if best <= abs(shift) + 2:
                break  # the lines that came in, and where the cursor was and is
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


def _pieces(update: ChopsUpdate) -> Iterator[Piece]:
    """Yield what `update` paints."""
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= x2 or end <= x1:
                continue
            # A strip that keeps itself in there waits for the garbage collector: megabytes of lines that scrolled by.
            strip._divide_cache.clear()
            if end > x2:
                end = x2
                strip = strip.crop(0, end - x)
            yield y, x, end, strip


def _strips(update: LayoutUpdate) -> Iterator[Piece]:
    """Yield what `update` paints, as `_pieces` does."""
    left, top, *_ = update.region
    for y, strips in enumerate(update.strips, top):
        x = left
        for strip in strips:
            yield y, x, x + strip.cell_length, strip
            x += strip.cell_length


class Pen:
    """Writes strips here and there, and sends of cursor and colours only what changes on the way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._system = console._color_system
        self._output: list[str] = []
        self._at: tuple[int, int] | None = None
        self._colours = _NONE

    def write(self, y: int, x: int, strip: Strip) -> None:
        """Write `strip` from column `x` of line `y` on."""
        if self._at != (y, x):
            self._output.append(f"\x1b[{y + 1};{x + 1}H")
        if self._system is None or not _is_plain(strip):
            self._change(_NONE)
            self._output.append(strip.render(self._console))
        else:
            for text, style, _control in strip:
                self._change(_codes(style or _NO_STYLE, self._system))
                self._output.append(text)
        self._at = (y, x + strip.cell_length)

    def finish(self) -> str:
        """Put the colours back and return all that was written."""
        self._change(_NONE)
        return "".join(self._output)

    def _change(self, colours: Colours) -> None:
        self._output.append(_change(self._colours, colours))
        self._colours = colours

    def differences(self, shown: Strip | None, strip: Strip) -> list[tuple[int, int]]:
        """Return the parts of `strip` (first cell, cell after the last) that differ from what is shown.

        Where it is not certain which cell of the terminal holds which character, that is the whole strip.
        """
        size = strip.cell_length
        if shown is None or shown.cell_length != size or self._system is None:
            return [(0, size)]
        if not (_is_plain(shown) and _is_plain(strip) and _is_single(shown.text) and _is_single(strip.text)):
            return [] if shown == strip else [(0, size)]
        cells = zip(shown.text, strip.text, _colours(shown, self._system), _colours(strip, self._system), strict=True)
        return _runs([at for at, (old, new, before, now) in enumerate(cells) if old != new or before != now])


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Join places into runs; what lies between near ones is cheaper to write again than to jump over."""
    runs: list[tuple[int, int]] = []
    for at in places:
        if runs and at - runs[-1][1] <= _JUMP:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    return runs


def _is_plain(strip: Strip) -> bool:
    """Whether a strip is text and colours alone."""
    return not any(control or (style is not None and style.link) for _text, style, control in strip)


def _is_single(text: str) -> bool:
    """Whether each character surely takes one cell."""
    return text.isascii() or _SINGLE.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _codes(style: Style, system: ColorSystem) -> Colours:
    """Return the codes of a style's attributes, foreground and background."""
    return (
        Strip.render_ansi(style.without_color, system),
        Strip.render_ansi(Style(color=style.color), system),
        Strip.render_ansi(Style(bgcolor=style.bgcolor), system),
    )


def _change(before: Colours, now: Colours) -> str:
    """Return the shortest code that leads from one style to the next."""
    if before == now:
        return ""
    lost = before[0] != now[0] or any(old and not new for old, new in zip(before, now, strict=True))
    if lost and any(before):
        return "\x1b[0m" + _change(_NONE, now)
    codes = [new for old, new in zip(before, now, strict=True) if new != old]
    return f"\x1b[{';'.join(codes)}m"


def _colours(strip: Strip, system: ColorSystem) -> list[Colours]:
    """Return the codes of each character."""
    found: list[Colours] = []
    for text, style, _control in strip:
        found += [_codes(style or _NO_STYLE, system)] * len(text)
    return found


def _covered(line: Line, x: int, end: int) -> Strip | None:
    """Return what is shown in columns `x` to `end`; None where that is not known for each of them."""
    parts: list[Strip] = []
    at = x
    for start in sorted(line):
        strip = line[start]
        stop = start + strip.cell_length
        if stop <= at or start >= end:
            continue
        if start > at:
            return None
        if (start < x or stop > end) and not _is_single(strip.text):
            return None
        parts.append(strip.crop(max(x - start, 0), min(stop, end) - start))
        at = min(stop, end)
    return Strip.join(parts) if at >= end and parts else None


def _put(line: Line, x: int, end: int, strip: Strip) -> None:
    """Note that `strip` now covers columns `x` to `end`; what is left of a line's older strips stays known."""
    for start in list(line):
        known = line[start]
        stop = start + known.cell_length
        if start >= end or stop <= x:
            continue
        del line[start]
        if not _is_single(known.text):
            continue
        if start < x:
            line[start] = known.crop(0, x - start)
        if stop > end:
            line[end] = known.crop(end - start, stop - start)
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

    def on_resize(self) -> None:
        """Terminals cut, wrap or clear their lines when their size changes, also when it changes back."""
        self._shown_lines.forget()

    def action_repaint(self) -> None:
        """Paint everything again: another program wrote on the terminal."""
        self._shown_lines.forget()
        self.screen.refresh()

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


class PaintedScreen(Screen[ScreenResultType]):
    """A screen that draws nothing while its app shows nothing: Textual draws, forgets that it did, and draws again."""

    def _compositor_refresh(self) -> None:
        if not self.app._batch_count:
            super()._compositor_refresh()


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
