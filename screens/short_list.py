"""Short lists that a service returns whole (a customer's contacts, sites) as the source of an entity table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, Edge, ListQuery, RowKey, Window

if TYPE_CHECKING:
    from omnicrm_tui.work import Work
    from screens.desk import Desk

T = TypeVar("T")


class ShortList(Generic[T]):
    """`read` returns all rows, `identity` a row's id, `text` what a search looks in.

    Rows are sorted by id, unless `in_order` says that `read` already gives them in the order wanted.
    """

    def __init__(
        self,
        desk: Desk,
        read: Callable[[Work], Sequence[T]],
        identity: Callable[[T], int],
        text: Callable[[T], str],
        *,
        in_order: bool = False,
    ) -> None:
        self._desk = desk
        self._read = read
        self._identity = identity
        self._text = text
        self._in_order = in_order

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[T]:
        """Return up to `limit` rows next to `anchor`, by id."""
        rows = self._matching(query)
        first, last = 0, len(rows)
        if anchor.key is not None:
            at = next((i for i, row in enumerate(rows) if self._identity(row) == anchor.key.id), 0)
            first, last = (0, at) if anchor.edge is Edge.BEFORE else (at + 1, len(rows))
        if anchor.edge in (Edge.LAST, Edge.BEFORE):
            first = max(first, last - limit)
        else:
            last = min(last, first + limit)
        taken = rows[first:last]
        keys = [RowKey(self._identity(row), self._identity(row)) for row in taken]
        return Window(taken, keys, first > 0, last < len(rows))

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching rows."""
        return Count(len(self._matching(query)))

    def _matching(self, query: ListQuery) -> list[T]:
        words = query.search.casefold()
        rows = [row for row in self._desk.read_here(self._read) if words in self._text(row).casefold()]
        return rows if self._in_order else sorted(rows, key=self._identity, reverse=query.descending)
