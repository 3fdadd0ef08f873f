"""A keyset-paged list in a SQLite file: what the table is measured and tested with, without the application."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, Edge, ListQuery, RowKey, Window

SORTS = ("name", "city", "balance")
STATUSES = ("Active", "Suspended", "Closed")
_CITIES = ("Aachen", "Brno", "Cork", "Dijon", "Espoo", "Faro", "Ghent", "Haifa")
_NAMES = (
    "Ada Byron",
    "王小明",
    "مريم الأحمد",
    "Zoe\u0301 Du\u0308rr",
    "[bold]Bob[/bold]",
    "Eve \x1b[31mred",
    "Grace Hopper",
)


class Person(NamedTuple):
    """A row of the list."""

    id: int
    name: str
    city: str
    status: str
    balance: int
    email: str


def make_people(path: Path, count: int) -> None:
    """Fill the file at `path` with `count` people, the same every time."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, name, city, status, balance, email)")
        connection.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?)", _people(count))
        for column in SORTS:
            connection.execute(f"CREATE INDEX person_{column} ON person ({column}, id)")
    connection.close()


def _people(count: int) -> Iterator[Person]:
    for i in range(1, count + 1):
        name = f"{_NAMES[i % len(_NAMES)]} {i:07}"
        yield Person(i, name, _CITIES[i * 7 % 8], STATUSES[i % 11 % 3], i * 7919 % 100_003, f"p{i}@mail.example")


class SqliteRows:
    """A `RowSource` of people. The default order is by primary key."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[Person]:
        column = query.sort if query.sort in SORTS else "id"
        backwards = anchor.edge in (Edge.LAST, Edge.BEFORE)
        falling = query.descending != backwards
        where, values = _conditions(query)
        if anchor.key is not None:
            where.append(f"({column}, id) {'<' if falling else '>'} (?, ?)")
            values += [anchor.key.value, anchor.key.id]
        order = "DESC" if falling else "ASC"
        found = self._rows(
            f"SELECT * FROM person WHERE {' AND '.join(where)} ORDER BY {column} {order}, id {order} LIMIT ?",
            [*values, limit + 1],
        )
        more = len(found) > limit
        rows = [Person(*row) for row in found[:limit]]
        if backwards:
            rows.reverse()
        others = anchor.key is not None
        keys = [RowKey(getattr(row, column), row.id) for row in rows]
        return Window(rows, keys, more if backwards else others, others if backwards else more)

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        where, values = _conditions(query)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM person WHERE {' AND '.join(where)} LIMIT ?)"
        value = int(self._rows(sql, [*values, cap + 1])[0][0])
        return Count(min(value, cap), capped=value > cap)

    def _rows(self, sql: str, values: list[object]) -> list[Any]:
        connection = sqlite3.connect(self._path)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()


def _conditions(query: ListQuery) -> tuple[list[str], list[object]]:
    where, values = ["1"], list[object]()
    if query.search:
        where.append("instr(lower(name), lower(?))")
        values.append(query.search)
    for name, accepted in query.filters.items():
        if name == "status":
            where.append(f"status IN ({', '.join('?' * len(accepted))})")
            values += accepted
    return where, values
