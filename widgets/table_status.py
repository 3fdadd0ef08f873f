"""What a table tells about itself, and where somebody was in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from gettext import gettext as _
from gettext import ngettext

from omnicrm_tui.listing import Count, ListQuery, RowKey


@dataclass(frozen=True, slots=True)
class TableStatus:
    """What a status line tells about a table.

    `position` is that of the cursor, from 1, where it is known; `marked` is None when all rows that match are
    marked but for `left_out`.
    """

    position: int | None = None
    count: Count | None = None
    marked: int | None = 0
    left_out: int = 0
    marking_range: bool = False
    loading: bool = True
    error: str = ""
    query: ListQuery = field(default_factory=ListQuery)

    def text(self) -> str:
        """Return the status as one line for people: "17 of 10,000+ · 3 selected"."""
        parts = [self._place(), self._marks()]
        if self.marking_range:
            parts.append(_("marking a range"))
        if self.query.search:
            parts.append(_("search: {text}").format(text=self.query.search))
        if self.query.filters:
            parts.append(_("filtered"))
        return " · ".join(part for part in parts if part)

    def _place(self) -> str:
        if self.count is None:
            return _("loading…") if self.loading else ""
        total = f"{self.count.value:,}{'+' if self.count.capped else ''}"
        if self.position is None:
            return total
        return _("{position} of {total}").format(position=f"{self.position:,}", total=total)

    def _marks(self) -> str:
        if self.marked is None:
            all_marked = _("all selected")
            return _("{all} but {n}").format(all=all_marked, n=self.left_out) if self.left_out else all_marked
        if not self.marked:
            return ""
        return ngettext("{n} selected", "{n} selected", self.marked).format(n=f"{self.marked:,}")


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Where somebody was in a list, good for coming back later."""

    query: ListQuery
    top: RowKey | None
    cursor: RowKey | None
    marks: frozenset[int]
    everything: bool
