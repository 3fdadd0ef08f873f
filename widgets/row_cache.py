"""The stretch of a keyset-paged list that is in memory.

A keyset list knows neither positions nor, beyond its cap, how long it is. `RowWindow` holds consecutive rows
and gives each a *place*: an integer that stays the same while rows are added at either end and forgotten at
the other. When the list was read from its start, a row's place is its position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from omnicrm_tui.listing import Anchor, Edge, RowKey, Window

R = TypeVar("R")

PAGE_ROWS = 200
KEPT_ROWS = 5 * PAGE_ROWS
"""What is further away is read again: a thousand rows are two thirds of a megabyte of each terminal."""


class RowWindow(Generic[R]):
    """Consecutive rows of a list, at places `start` to `stop` (not included), at most `kept` of them."""

    def __init__(self, kept: int = KEPT_ROWS) -> None:
        self._kept = kept
        self._rows: list[R] = []
        self._keys: list[RowKey] = []
        self.start = 0
        self.more_before = False
        self.more_after = False
        self.counted = False
        """Whether places are positions in the list, counted from its first row."""

    @property
    def stop(self) -> int:
        """The place after the last row."""
        return self.start + len(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, place: object) -> bool:
        return isinstance(place, int) and self.start <= place < self.stop

    def row(self, place: int) -> R:
        """Return the row at `place`. Raises IndexError where nothing is loaded."""
        return self._rows[self._index(place)]

    def key(self, place: int) -> RowKey:
        """Return the key of the row at `place`. Raises IndexError where nothing is loaded."""
        return self._keys[self._index(place)]

    def _index(self, place: int) -> int:
        if place not in self:
            raise IndexError(place)
        return place - self.start

    def find(self, row_id: int) -> int | None:
        """Return the place of the row with this primary key, if it is loaded."""
        return next((self.start + i for i, key in enumerate(self._keys) if key.id == row_id), None)

    def replace(self, window: Window[R], start: int | None = None) -> None:
        """Start again from `window`; `start` is the position of its first row where that is known."""
        self._rows, self._keys = list(window.rows), list(window.keys)
        self.more_before, self.more_after = window.more_before, window.more_after
        if start is None and not window.more_before:
            start = 0
        self.counted = start is not None
        self.start = start or 0

    def append(self, window: Window[R]) -> None:
        """Add the rows after the last one; forget rows at the start beyond what is kept."""
        self._rows += window.rows
        self._keys += window.keys
        self.more_after = window.more_after
        surplus = len(self._rows) - self._kept
        if surplus > 0:
            del self._rows[:surplus], self._keys[:surplus]
            self.start += surplus
            self.more_before = True

    def prepend(self, window: Window[R]) -> int:
        """Add the rows before the first one; forget rows at the end beyond what is kept.

        Returns by how much every place moved: not 0 only when the first row of the list came into sight and
        places became positions.
        """
        self._rows[:0] = window.rows
        self._keys[:0] = window.keys
        self.start -= len(window.rows)
        self.more_before = window.more_before
        if len(self._rows) > self._kept:
            del self._rows[self._kept :], self._keys[self._kept :]
            self.more_after = True
        if self.more_before:
            self.counted = self.counted and self.start > 0
            return 0
        moved = -self.start
        self.start, self.counted = 0, True
        return moved

    def missing(self, first: int, last: int) -> Anchor | None:
        """Return where to read next so that places `first` to `last` are loaded; None when they are."""
        if not self._keys:
            return None
        if last >= self.stop and self.more_after:
            return Anchor(Edge.AFTER, self._keys[-1])
        if first < self.start and self.more_before:
            return Anchor(Edge.BEFORE, self._keys[0])
        return None


def joined(before: Window[R], after: Window[R]) -> Window[R]:
    """Return two neighbouring windows as one."""
    rows: Sequence[R] = [*before.rows, *after.rows]
    return Window(rows, [*before.keys, *after.keys], before.more_before, after.more_after)


def just_before(key: RowKey, descending: bool) -> RowKey:
    """Return a key that sorts directly before `key`, so that reading after it begins with that row.

    Primary keys break ties in the direction of the sort and are integers: the next integer will do, whether
    or not a row has it.
    """
    return RowKey(key.value, key.id + (1 if descending else -1))
