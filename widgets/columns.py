"""Columns of a table: what they show, and how they share the width of the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from widgets.text import Align

R = TypeVar("R")

Tone = Literal["", "success", "warning", "error", "muted", "accent"]
"""The meaning of a cell's colour. A tone never says something that the text does not say."""

GAP = 1


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column: `cell` gives the text, shown literally.

    A column is `width` cells wide, or shares what is left in proportion to its `weight`, with `min_width`
    cells at least. Where the terminal is too narrow for all, the columns of the highest `priority` number
    vanish first; those of priority 0 never do. `sort` names the list's sort that this column stands for,
    `tone` chooses a cell's colour.
    """

    title: str
    cell: Callable[[R], str]
    width: int | None = None
    weight: int = 1
    min_width: int = 8
    align: Align = "left"
    sort: str | None = None
    tone: Callable[[R], Tone] | None = None
    priority: int = 0

    @property
    def least(self) -> int:
        """The fewest cells that this column makes do with."""
        return self.min_width if self.width is None else self.width


def lay_out(columns: Sequence[Column[R]], width: int) -> list[tuple[Column[R], int]]:
    """Return the columns that fit into `width` cells, in order, with the cells each of them gets."""
    shown = list(columns)
    while len(shown) > 1 and _needed(shown) > width:
        expendable = max(shown, key=lambda column: column.priority)
        if expendable.priority == 0:
            break
        last = max(i for i, column in enumerate(shown) if column.priority == expendable.priority)
        del shown[last]
    return list(zip(shown, _shares(shown, width), strict=True))


def _needed(columns: Sequence[Column[R]]) -> int:
    return sum(column.least for column in columns) + GAP * (len(columns) - 1)


def _shares(columns: Sequence[Column[R]], width: int) -> list[int]:
    """Divide what is left between the flexible columns; cut the last ones where even the least is too wide."""
    spare = max(0, width - _needed(columns))
    weights = sum(column.weight for column in columns if column.width is None)
    shares: list[int] = []
    room = width
    for column in columns:
        share = column.least
        if column.width is None and weights:
            extra = spare * column.weight // weights
            spare -= extra
            weights -= column.weight
            share += extra
        share = max(0, min(share, room))
        room -= share + GAP
        shares.append(share)
    return shares
