"""Sealed values and the keys that opened them last belong together: a database without its keys gets no new ones."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, LargeBinary, inspect, select
from sqlalchemy.types import TypeDecorator

from omnicrm_tui.database.engine import speaking_database
from omnicrm_tui.errors import DatabaseProblem


def require_keys(engine: Engine, keys_folder: Path) -> None:
    """Raise DatabaseProblem where the database holds sealed values and `keys_folder` no key at all.

    A new key of the same number would make what is sealed look altered, and seal new values beside it: with the old
    keys back, those would be lost. Looks at the database only while there are no keys.
    """
    if any(keys_folder.glob("column-*.key")):
        return
    with speaking_database(), engine.connect() as connection:
        sealed = _first_sealed(connection)
    if sealed:
        raise DatabaseProblem(
            _(
                "The database holds values that were sealed ({column}), and {folder} has no key. Copy the folder keys "
                "of the home that the data come from, then start again."
            ).format(column=sealed, folder=keys_folder)
        )


def _first_sealed(connection: Connection) -> str:
    there = set(inspect(connection).get_table_names())
    for column in _sealed_columns():
        if column.table.name in there and _holds_something(connection, column):
            return f"{column.table.name}.{column.name}"
    return ""


def _sealed_columns() -> list[Column[bytes]]:
    from omnicrm_tui.database.schema import metadata

    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type.impl if isinstance(column.type, TypeDecorator) else column.type, LargeBinary)
    ]


def _holds_something(connection: Connection, column: Column[bytes]) -> bool:
    known = {found["name"] for found in inspect(connection).get_columns(column.table.name)}
    if column.name not in known:
        return False  # of an older version
    return connection.execute(select(column).where(column.is_not(None)).limit(1)).first() is not None
