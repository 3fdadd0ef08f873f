"""Sealed values and the keys that opened them last belong together: a database without its keys gets no new ones."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

from sqlalchemy import ColumnClause, Connection, Engine, column, inspect, select, table

from omnicrm_tui.database.engine import speaking_database
from omnicrm_tui.errors import DatabaseProblem

SEALED = (
    "crm_user.totp_secret",
    "inventory.ki",
    "inventory.opc",
    "inventory.management_password",
    "outbox.sealed_text",
    "provision.sealed_vars",
)
"""The columns whose values the vault seals. A test holds every other column of bytes to being known to it."""


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
    for name in SEALED:
        table_name, _dot, column_name = name.partition(".")
        if table_name in there and _holds_something(connection, table_name, column_name):
            return name
    return ""


def _holds_something(connection: Connection, table_name: str, column_name: str) -> bool:
    known = {found["name"] for found in inspect(connection).get_columns(table_name)}
    if column_name not in known:
        return False  # of an older version
    sealed: ColumnClause[bytes] = column(column_name)
    statement = select(sealed).select_from(table(table_name)).where(sealed.is_not(None)).limit(1)
    return connection.execute(statement).first() is not None
