"""All rows of all tables, in a form that means the same on SQLite, PostgreSQL and MariaDB.

The portable form of a value is what SQLite stores for it: money as ten-thousandths, an instant or a date as text,
a flag as 0 or 1, everything else as it is. Backup, restore, move and their proofs all read and write rows here, so
that a value has one way out of a database and one way in. Tables are taken from the database itself, not from the
models: a database of an older version is read as well as one of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    and_,
    collate,
    func,
    select,
    text,
    type_coerce,
)
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import NullType

from omnicrm_tui.database.types import MONEY_SCALE

BATCH = 1000
"""How many rows are read, checked and written at a time."""

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]

_CENT_OF_A_CENT = Decimal(10) ** MONEY_SCALE
_EXACT_ORDER = {"postgresql": "C", "mysql": "utf8mb4_bin", "mariadb": "utf8mb4_bin"}
_MICROSECONDS = len("2026-11-21 12:00:00.000000")


def tables_of(connection: Connection, names: Iterable[str]) -> list[Table]:
    """Return the named tables as the database has them, parents before children."""
    metadata = MetaData()
    metadata.reflect(connection, only=list(names))
    wanted = set(names)
    return [table for table in metadata.sorted_tables if table.name in wanted]


def secret_columns(table: Table) -> list[int]:
    """Return the places of the columns that hold bytes."""
    return [place for place, column in enumerate(table.columns) if column.type.python_type is bytes]


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees the database as it is now, whatever others write meanwhile; nobody waits for it."""
    options: dict[str, Any] = {"crm_writes": False}
    if engine.dialect.name != "sqlite":
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect().execution_options(**options) as connection:
        if engine.dialect.name in ("mysql", "mariadb"):
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        elif engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        yield connection


def read(connection: Connection, table: Table, names: Sequence[str] = ()) -> Iterator[list[Row]]:
    """Yield all rows of `table` in the portable form, in the order of its key, some at a time.

    `names` are the columns wanted, by default all, as the database has them.
    """
    columns = _columns(table, names)
    statement = select(*(type_coerce(column, NullType()) for column in columns)).order_by(*_order(connection, table))
    readers = _readers(connection, columns)
    result = connection.execute(statement, execution_options={"stream_results": True, "max_row_buffer": BATCH})
    for part in result.partitions(BATCH):
        rows: list[Row] = [tuple(row) for row in part]
        yield [_converted(row, readers) for row in rows] if readers else rows


def count(connection: Connection, table: Table) -> int:
    """Return how many rows `table` has."""
    return connection.scalar(select(func.count()).select_from(table)) or 0


def orphans(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Return, one sentence each, the foreign keys that point at rows that are not there."""
    found = []
    for table in tables:
        for key in table.foreign_key_constraints:
            parent, child = key.referred_table.alias("parent"), table.alias("child")
            pairs = [(child.c[item.parent.name], parent.c[item.column.name]) for item in key.elements]
            joined = child.outerjoin(parent, and_(*(own == other for own, other in pairs)))
            lost = and_(*(own.is_not(None) for own, _ in pairs), pairs[0][1].is_(None))
            number = connection.scalar(select(func.count()).select_from(joined).where(lost)) or 0
            if number:
                columns = ", ".join(key.column_keys)
                found.append(f"{number} of {table.name}.{columns} point at no {key.referred_table.name}")
    return found


@contextmanager
def loading(engine: Engine) -> Iterator[Connection]:
    """Give a connection to fill an empty database with `load`; foreign keys are looked at afterwards (`orphans`)."""
    with engine.connect() as connection:
        # Settings of the connection, not of a transaction: they go to the driver before one begins.
        cursor = connection.connection.cursor()
        for statement in _LOADING.get(engine.dialect.name, ()):
            cursor.execute(statement)
        if engine.dialect.name != "sqlite":
            connection.connection.driver_connection.commit()  # type: ignore[union-attr]
        cursor.close()
        try:
            yield connection
        finally:
            connection.invalidate()


_LOADING = {
    "sqlite": ("PRAGMA foreign_keys=OFF", "PRAGMA cache_size=-131072", "PRAGMA temp_store=MEMORY"),
    "postgresql": ("SET TIME ZONE 'UTC'", "SET maintenance_work_mem = '256MB'", "SET synchronous_commit = off"),
    "mysql": ("SET SESSION foreign_key_checks = 0, unique_checks = 0",),
    "mariadb": ("SET SESSION foreign_key_checks = 0, unique_checks = 0",),
}


def load(connection: Connection, table: Table, names: Sequence[str], batches: Iterable[Sequence[Row]]) -> None:
    """Insert portable rows into the empty `table`, in the running transaction of a connection of `loading`.

    `names` are the columns in the order of the rows' values; a KeyError tells of one that the table does not have.
    Indexes are built after the rows where the database can do that in a transaction: it takes half the time.
    """
    columns = _columns(table, names)
    if connection.dialect.name == "sqlite":
        with _without(connection, _plain_indexes(table), []):
            _insert(connection, table, columns, "?", batches)
    elif connection.dialect.name == "postgresql":
        # Without its own foreign keys, too: a row may point at a later one of the same table.
        with _without(connection, _plain_indexes(table), list(table.foreign_key_constraints)):
            _copy(connection, table, columns, batches)
        follow_with_sequence(connection, table)
    else:
        writers = _writers(columns)
        converted = ([_converted(row, writers) for row in rows] for rows in batches)
        _insert(connection, table, columns, "%s", converted)


def follow_with_sequence(connection: Connection, table: Table) -> None:
    """Let PostgreSQL, which counts ids apart from the table, go on after the greatest; others do so by themselves."""
    key = next(iter(table.primary_key.columns))
    if connection.dialect.name != "postgresql" or not isinstance(key.type, Integer):
        return
    sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, key.name)))
    greatest = connection.scalar(select(func.max(key)))
    if sequence and greatest:
        connection.execute(text("SELECT setval(:sequence, :greatest)"), {"sequence": sequence, "greatest": greatest})


# --- how rows are read


def _order(connection: Connection, table: Table) -> list[ColumnElement[Any]]:
    """The key's columns, text by code point everywhere: the same rows have the same order on every database."""
    exact = _EXACT_ORDER.get(connection.dialect.name)
    return [
        collate(column, exact) if exact and isinstance(column.type, String) else column.expression
        for column in table.primary_key.columns
    ]


def _columns(table: Table, names: Sequence[str]) -> list[Column[Any]]:
    return [table.columns[name] for name in names] if names else list(table.columns)


def _readers(connection: Connection, columns: Sequence[Column[Any]]) -> list[tuple[int, Convert]]:
    """What must be done to which places of a row; nothing on SQLite."""
    if connection.dialect.name == "sqlite":
        return []
    return [(place, way) for place, column in enumerate(columns) if (way := _reader(column))]


def _reader(column: Column[Any]) -> Convert | None:
    kind = column.type
    if isinstance(kind, Float):
        return None
    if isinstance(kind, Numeric):
        return lambda amount: int(amount * _CENT_OF_A_CENT)
    if isinstance(kind, DateTime):
        return lambda moment: moment.isoformat(" ", "microseconds")[:_MICROSECONDS]
    if isinstance(kind, Date):
        return date.isoformat
    return int if isinstance(kind, Boolean) else None


def _converted(row: Row, ways: list[tuple[int, Convert]]) -> Row:
    values = list(row)
    for place, way in ways:
        if values[place] is not None:
            values[place] = way(values[place])
    return tuple(values)


# --- how rows are written


def _insert(
    connection: Connection, table: Table, columns: Sequence[Column[Any]], mark: str, batches: Iterable[Sequence[Row]]
) -> None:
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {_names(connection, table, columns)} VALUES ({marks})"  # noqa: S608 - names of our own
    for rows in batches:
        connection.exec_driver_sql(statement, list(rows))


def _copy(
    connection: Connection, table: Table, columns: Sequence[Column[Any]], batches: Iterable[Sequence[Row]]
) -> None:
    """PostgreSQL's own way in: text that it reads at its full speed."""
    writers = _writers(columns)
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {_names(connection, table, columns)} FROM STDIN") as copy:
        for rows in batches:
            for row in rows:
                copy.write_row(_converted(row, writers) if writers else row)


def _names(connection: Connection, table: Table, columns: Sequence[Column[Any]]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(table.name)} ({', '.join(quote(column.name) for column in columns)})"


def _writers(columns: Sequence[Column[Any]]) -> list[tuple[int, Convert]]:
    """Money alone needs a hand: instants, dates and flags are read from their portable form by every server."""
    return [
        (place, lambda units: Decimal(units).scaleb(-MONEY_SCALE))
        for place, column in enumerate(columns)
        if isinstance(column.type, Numeric) and not isinstance(column.type, Float)
    ]


def _plain_indexes(table: Table) -> list[Index]:
    return sorted((index for index in table.indexes if not index.unique), key=lambda index: str(index.name))


@contextmanager
def _without(connection: Connection, indexes: list[Index], keys: list[ForeignKeyConstraint]) -> Iterator[None]:
    """Take indexes and foreign keys off a table, and put them back as they were."""
    for key in keys:
        connection.execute(DropConstraint(key))
    for index in indexes:
        connection.execute(DropIndex(index))
    yield
    for index in indexes:
        connection.execute(CreateIndex(index))
    for key in keys:
        connection.execute(AddConstraint(key))
