"""Which rows of a list are marked: by primary key, so that marks outlive sorting, scrolling and reloading."""

from __future__ import annotations

from dataclasses import dataclass

from omnicrm_tui.listing import ListQuery


@dataclass(frozen=True, slots=True)
class Selection:
    """What a bulk action works on.

    `ids` are the marked rows; with `everything` they are the rows left out of all that match `query`.
    """

    query: ListQuery
    ids: frozenset[int]
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or bool(self.ids)


class Marks:
    """Marked rows, and the range that is being marked."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.everything = False
        self.range_from: int | None = None
        """The place where the range began, while one is being marked."""
        self._range: dict[int, int] = {}

    def __contains__(self, row_id: object) -> bool:
        if row_id in self._range.values():
            return True
        return (row_id in self.ids) != self.everything

    def __len__(self) -> int:
        """The rows marked one by one; with `everything`, those left out."""
        return len(self.ids.union(self._range.values()))

    def toggle(self, row_id: int) -> None:
        """Mark a row, or unmark it."""
        self.ids ^= {row_id}

    def toggle_everything(self) -> None:
        """Mark all rows that match; if all are, none."""
        self.everything = not (self.everything and not self.ids)
        self.ids.clear()

    def clear(self) -> None:
        """Unmark all rows and give up the range."""
        self.ids.clear()
        self.everything = False
        self.drop_range()

    def begin_range(self, place: int) -> None:
        """Begin a range at `place`."""
        self.range_from = place
        self._range = {}

    def set_range(self, rows: dict[int, int]) -> None:
        """Let the range hold these rows (id by place)."""
        self._range = rows

    def shift_range(self, moved: int) -> None:
        """Follow the rows of the range when all places move."""
        if self.range_from is not None:
            self.range_from += moved
            self._range = {place + moved: row_id for place, row_id in self._range.items()}

    def range_rows(self) -> dict[int, int]:
        """Return the rows of the range (id by place)."""
        return self._range

    def end_range(self) -> None:
        """Keep the rows of the range marked."""
        if self.everything:
            self.ids.difference_update(self._range.values())
        else:
            self.ids.update(self._range.values())
        self.drop_range()

    def drop_range(self) -> None:
        """Give up the range: its rows are as they were."""
        self.range_from = None
        self._range = {}
