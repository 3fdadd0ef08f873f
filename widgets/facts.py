"""Labels and values under headings, drawn as text: what a page tells about its subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.columns import Tone
from widgets.text import fit, visible

TWO_COLUMNS = 100
"""From this width on, facts stand in two columns."""

_LABEL = 18


@dataclass(frozen=True, slots=True)
class Fact:
    """One label with its value. Without a value it goes over the whole width: a heading, or text that is indented."""

    label: str
    value: str | None = None
    tone: Tone = ""


class Facts(Widget):
    """Facts in one column, or in two where there is room; every text is shown literally."""

    COMPONENT_CLASSES = {
        "fact--label",
        "fact--heading",
        "fact--muted",
        "fact--success",
        "fact--warning",
        "fact--error",
        "fact--accent",
    }

    DEFAULT_CSS = """
    Facts { height: auto; background: $surface; color: $foreground; }
    Facts .fact--label { color: $text-muted; }
    Facts .fact--heading { color: $text-primary; text-style: bold; }
    Facts .fact--muted { color: $text-muted; }
    Facts .fact--success { color: $text-success; }
    Facts .fact--warning { color: $text-warning; }
    Facts .fact--error { color: $text-error; }
    Facts .fact--accent { color: $text-accent; }
    """

    def __init__(self, facts: Sequence[Fact] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._facts = tuple(facts)
        self._rows: list[tuple[Fact, ...]] = []
        self._laid_out = -1

    def show(self, facts: Sequence[Fact]) -> None:
        """Show other facts."""
        if tuple(facts) != self._facts:
            self._facts = tuple(facts)
            self._laid_out = -1
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def _lines(self, width: int) -> list[tuple[Fact, ...]]:
        if width != self._laid_out:
            self._laid_out = width
            facts = [piece for fact in self._facts for piece in _wrapped(fact, width - 2)]
            self._rows = rows_of(facts, 2 if width >= TWO_COLUMNS else 1)
        return self._rows

    def render_line(self, y: int) -> Strip:
        rows = self._lines(self.size.width)
        segments = self._drawn(rows[y]) if y < len(rows) else []
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _drawn(self, row: tuple[Fact, ...]) -> list[Segment]:
        if len(row) == 1 and row[0].value is None:
            text = row[0].label
            style = self.rich_style if text.startswith(" ") else self._style("heading")
            return [Segment(f" {fit(text, max(0, self.size.width - 1))}", style)]
        width = self.size.width // (2 if self.size.width >= TWO_COLUMNS else 1)
        segments: list[Segment] = []
        for fact in row:
            segments.append(Segment(f"  {fit(fact.label, _LABEL)} ", self._style("label")))
            style = self._style(fact.tone) if fact.tone else self.rich_style
            segments.append(Segment(fit(fact.value or "", max(0, width - _LABEL - 3)), style))
        return segments

    def _style(self, name: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"fact--{name}")


def rows_of(facts: Sequence[Fact], columns: int) -> list[tuple[Fact, ...]]:
    """Lay facts out in rows of `columns`, down one column and then the next; headings stand alone."""
    rows: list[tuple[Fact, ...]] = []
    block: list[Fact] = []

    def flush() -> None:
        height = -(-len(block) // columns)
        rows.extend(tuple(block[at::height]) for at in range(height))
        block.clear()

    for fact in facts:
        if fact.value is None:
            flush()
            if rows and not fact.label.startswith(" "):
                rows.append(())
            rows.append((fact,))
        else:
            block.append(fact)
    flush()
    return rows


def _wrapped(fact: Fact, width: int) -> list[Fact]:
    """Break text that goes over the whole width into lines that fit, between words."""
    if fact.value is not None or not fact.label.startswith(" "):
        return [fact]
    lines = [""]
    for word in visible(fact.label).split():
        if cell_len(lines[-1]) + cell_len(word) + 1 > width and lines[-1]:
            lines.append("")
        lines[-1] += f" {word}"
    return [replace(fact, label=line or " ") for line in lines]
