"""Lists, declared once per table: search, filters, sorts, keyset windows, capped counts and numbered pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from gettext import gettext as _
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, Edge, ListQuery, Page, RowKey, Window

Row = TypeVar("Row")
MAX_PER_PAGE = 1000

Condition = Callable[[Sequence[str]], ColumnElement[bool]]
SortColumn = InstrumentedAttribute[Any]


def fold(text: str) -> str:
    """Return `text` as lists sort and search it: without case, accents or width variants."""
    if text.isascii():
        return text.lower().strip()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip()


def contains(column: ColumnElement[Any] | InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """Return "column contains text", with the pattern characters of LIKE taken literally."""
    return column.contains(text, autoescape=True)


def numbered(column: SortColumn) -> Condition:
    """Return the condition of a filter whose values are whole numbers; what is none matches nothing."""
    return lambda values: column.in_([int(value) for value in values if value.isdecimal() and len(value) <= 18])


def flag(column: SortColumn) -> Condition:
    """Return the condition of a filter whose values are "true" and "false"; others raise InvalidInput."""

    def condition(values: Sequence[str]) -> ColumnElement[bool]:
        if not set(values) <= {"true", "false"}:
            raise InvalidInput(_("Some filters are not right."), {column.key: _("true or false")})
        return column.in_([value == "true" for value in values])

    return condition


@dataclass(frozen=True)
class ListSpec(Generic[Row]):
    """How one table is listed.

    `entities` are selected (columns or mapped classes), `build` makes the read model of a result row.
    `sorts` maps a sort's name to its column, each non-null and indexed together with the primary key; the
    first is the default. `filters` maps a filter's name to its condition. `search` turns the typed words
    into a condition.
    """

    entities: Sequence[Any]
    build: Callable[[Any], Row]
    primary_key: SortColumn
    sorts: Mapping[str, SortColumn]
    search: Callable[[str], ColumnElement[bool]]
    filters: Mapping[str, Condition] = field(default_factory=dict)
    joins: Callable[[Select[Any]], Select[Any]] = lambda statement: statement
    default_descending: bool = False

    def window(self, session: Session, query: ListQuery, anchor: Anchor, limit: int, *scope: Any) -> Window[Row]:
        """Return up to `limit` rows next to `anchor`, in list order (keyset, never OFFSET)."""
        sort = self._sort(query)
        backwards = anchor.edge in (Edge.LAST, Edge.BEFORE)
        descending = query.descending != backwards
        columns = self._columns(sort)
        statement = self._matching(self.joins(select(*columns)), query, scope)
        if anchor.key is not None:
            statement = statement.where(_beyond(sort, self.primary_key, anchor.key, descending))
        statement = statement.order_by(*_ordering(sort, self.primary_key, descending)).limit(limit + 1)
        found = session.execute(statement).all()
        more, found = len(found) > limit, list(found[:limit])
        if backwards:
            found.reverse()
        return Window(
            rows=[self.build(row) for row in found],
            keys=[RowKey(row[-2], row[-1]) for row in found],
            more_before=more if backwards else anchor.edge is Edge.AFTER,
            more_after=more if not backwards else anchor.edge is Edge.BEFORE,
        )

    def count(self, session: Session, query: ListQuery, cap: int = COUNT_CAP, *scope: Any) -> Count:
        """Count the matching rows, looking no further than `cap`."""
        inner = self._matching(self.joins(select(self.primary_key)), query, scope).limit(cap + 1).subquery()
        number = session.scalar(select(func.count()).select_from(inner)) or 0
        return Count(min(number, cap), capped=number > cap)

    def page(self, session: Session, query: ListQuery, page: int, per_page: int, *scope: Any) -> Page[Row]:
        """Return a numbered page with the exact total, as REST lists answer.

        Raises InvalidInput for a page below 1 or a size outside 1..1000.
        """
        if page < 1 or not 1 <= per_page <= MAX_PER_PAGE:
            raise InvalidInput(
                _("Page numbers start at 1."),
                {"per_page": _("between 1 and {n}").format(n=MAX_PER_PAGE)},
            )
        sort = self._sort(query)
        total = session.scalar(self._matching(self.joins(select(func.count(self.primary_key))), query, scope)) or 0
        statement = self._matching(self.joins(select(*self._columns(sort))), query, scope)
        statement = statement.order_by(*_ordering(sort, self.primary_key, query.descending))
        found = session.execute(statement.offset((page - 1) * per_page).limit(per_page)).all()
        return Page([self.build(row) for row in found], page, per_page, total)

    def _columns(self, sort: SortColumn) -> tuple[Any, ...]:
        return (*self.entities, sort.label("_sort"), self.primary_key.label("_id"))

    def _sort(self, query: ListQuery) -> SortColumn:
        if not query.sort:
            return next(iter(self.sorts.values()))
        try:
            return self.sorts[query.sort]
        except KeyError:
            raise InvalidInput(
                _("Sort by one of: {sorts}.").format(sorts=", ".join(self.sorts)), {"sort": _("unknown")}
            ) from None

    def _matching(self, statement: Select[Any], query: ListQuery, scope: Sequence[Any]) -> Select[Any]:
        for condition in scope:
            statement = statement.where(condition)
        if words := query.search.strip():
            statement = statement.where(self.search(words))
        for name, values in query.filters.items():
            if name not in self.filters:
                raise InvalidInput(
                    _("Filter by one of: {filters}.").format(filters=", ".join(self.filters)),
                    {name: _("unknown filter")},
                )
            if values:
                statement = statement.where(self.filters[name](values))
        return statement


def _ordering(sort: SortColumn, key: SortColumn, descending: bool) -> list[ColumnElement[Any]]:
    columns: list[SortColumn] = [sort] if sort is key else [sort, key]
    return [column.desc() if descending else column.asc() for column in columns]


def _beyond(sort: SortColumn, key: SortColumn, place: RowKey, descending: bool) -> ColumnElement[bool]:
    """`s >= v AND (s > v OR (s = v AND id > i))`: the one form that all three databases answer from the index."""
    if sort is key:
        return key < place.id if descending else key > place.id
    value = place.value
    if descending:
        return and_(sort <= value, or_(sort < value, and_(sort == value, key < place.id)))
    return and_(sort >= value, or_(sort > value, and_(sort == value, key > place.id)))
