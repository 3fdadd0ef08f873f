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

    Rows are sorted by id, unless `in_order` says that `read` already gives them in the order wanted: a row's key
    is then its place.
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
        """Return up to `limit` rows next to `anchor`, by id or place."""
        rows = self._matching(query)
        places = [at if self._in_order else self._identity(row) for at, row in enumerate(rows)]
        way = -1 if query.descending and not self._in_order else 1
        first, last = 0, len(rows)
        if anchor.key is not None and anchor.edge is Edge.BEFORE:
            last = sum(way * place < way * anchor.key.id for place in places)
        elif anchor.key is not None:
            first = sum(way * place <= way * anchor.key.id for place in places)
        if anchor.edge in (Edge.LAST, Edge.BEFORE):
            first = max(first, last - limit)
        else:
            last = min(last, first + limit)
        keys = [RowKey(place, place) for place in places[first:last]]
        return Window(rows[first:last], keys, first > 0, last < len(rows))

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching rows."""
        return Count(len(self._matching(query)))

    def _matching(self, query: ListQuery) -> list[T]:
        words = query.search.casefold()
        rows = [row for row in self._desk.read_here(self._read) if words in self._text(row).casefold()]
        return rows if self._in_order else sorted(rows, key=self._identity, reverse=query.descending)
