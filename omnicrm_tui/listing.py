"""What every list in the product is made of: a query, a window of rows, a place in the list.

Pure standard library: widgets, services and the API share these shapes, and the first frame of the
terminal is drawn before the ORM is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, Protocol, TypeVar

Row_co = TypeVar("Row_co", covariant=True)

COUNT_CAP = 10_000
"""The terminal never counts further than this: "10,000+" is answer enough and costs 3 ms, not 60."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which rows, in which order.

    `filters` maps a declared filter name to the accepted values (OR within one filter, AND between
    filters). `sort` is the name of a declared sort, "" the list's default. The primary key always breaks
    ties, in the same direction.
    """

    search: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class RowKey:
    """Where a row stands in a sorted list: the value it is sorted by, and its primary key."""

    value: str | int | None
    id: int


class Edge(Enum):
    """The four ways to ask for a window."""

    FIRST = "first"
    LAST = "last"
    AFTER = "after"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place to read from: an end of the list, or just after or before a key."""

    edge: Edge
    key: RowKey | None = None


FIRST = Anchor(Edge.FIRST)
LAST = Anchor(Edge.LAST)


@dataclass(frozen=True, slots=True)
class Window(Generic[Row_co]):
    """Consecutive rows in list order, whichever way they were asked for.

    `keys[i]` belongs to `rows[i]`. `more_before` and `more_after` tell whether the list goes on.
    """

    rows: Sequence[Row_co]
    keys: Sequence[RowKey]
    more_before: bool
    more_after: bool


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows match; `capped` means "at least this many"."""

    value: int
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row_co]):
    """A numbered page with an exact total, as REST lists answer it."""

    rows: Sequence[Row_co]
    page: int
    per_page: int
    total: int


class RowSource(Protocol[Row_co]):
    """What an entity table reads from. Every call blocks and is made in a worker thread."""

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[Row_co]:
        """Return up to `limit` rows next to `anchor`, in list order."""
        ...

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching rows, up to `cap`."""
        ...
