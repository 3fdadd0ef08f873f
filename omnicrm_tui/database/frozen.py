"""A database that refuses every change, whoever asks: while its data are moved, and after they have been.

Triggers do it, not a flag that each writer would have to look at: making one waits until those have ended who write to
the table, and from then on nobody can, whichever program it is. So what is read once all are made is complete, nothing
is slower before, and a kill leaves them in place.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine

from omnicrm_tui.database.engine import REFUSES_CHANGES

_CHANGES = ("insert", "update", "delete")
_FUNCTION = "omnicrm_moved"


def freeze(engine: Engine, tables: Iterable[str]) -> None:
    """Let nobody change the tables any more; those that are frozen already stay so."""
    dialect = engine.dialect.name
    if dialect == "postgresql":
        _run(engine, [_POSTGRESQL_FUNCTION])
    for table in tables:
        # One by one: locks on two tables at once could stand in the way of somebody who has them the other way round.
        _run(engine, _frozen(dialect, table))


def thaw(engine: Engine, tables: Iterable[str]) -> None:
    """Let everybody change the tables again."""
    dialect = engine.dialect.name
    for table in tables:
        _run(engine, _thawed(dialect, table))
    if dialect == "postgresql":
        _run(engine, [f"DROP FUNCTION IF EXISTS {_FUNCTION}()"])


def is_frozen(engine: Engine) -> bool:
    """Tell whether any table is frozen."""
    with engine.connect() as connection:
        return connection.exec_driver_sql(_LOOK[engine.dialect.name]).first() is not None


_POSTGRESQL_FUNCTION = (
    f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSES_CHANGES}'; END $$"
)
_IN_INFORMATION_SCHEMA = (
    "SELECT 1 FROM information_schema.triggers WHERE trigger_schema = DATABASE() "  # noqa: S608 - names of our own
    f"AND LEFT(trigger_name, {len(_FUNCTION)}) = '{_FUNCTION}' LIMIT 1"
)
_LOOK = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'trigger' "  # noqa: S608
    f"AND substr(name, 1, {len(_FUNCTION)}) = '{_FUNCTION}'",
    "postgresql": f"SELECT 1 FROM pg_trigger WHERE tgname = '{_FUNCTION}'",  # noqa: S608
    "mysql": _IN_INFORMATION_SCHEMA,
    "mariadb": _IN_INFORMATION_SCHEMA,
}


def _frozen(dialect: str, table: str) -> list[str]:
    if dialect == "postgresql":
        return [
            f'CREATE OR REPLACE TRIGGER {_FUNCTION} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "{table}" '
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        ]
    act = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSES_CHANGES}'"
    if dialect == "sqlite":
        act = f"BEGIN SELECT RAISE(ABORT, '{REFUSES_CHANGES}'); END"
    return [
        f"CREATE TRIGGER IF NOT EXISTS {_FUNCTION}_{change}_{table} BEFORE {change} ON {table} FOR EACH ROW {act}"
        for change in _CHANGES
    ]


def _thawed(dialect: str, table: str) -> list[str]:
    if dialect == "postgresql":
        return [f'DROP TRIGGER IF EXISTS {_FUNCTION} ON "{table}"']
    return [f"DROP TRIGGER IF EXISTS {_FUNCTION}_{change}_{table}" for change in _CHANGES]


def _run(engine: Engine, statements: Iterable[str]) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
