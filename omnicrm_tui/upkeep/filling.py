"""Filling an empty database, table by table, so that a kill costs the table at hand and nothing else.

While it is being filled the database's version names what fills it, and no program works with it. Each table is one
transaction: it is empty or complete, and the next attempt goes on with the first that is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from gettext import gettext as _

from sqlalchemy import Connection, Engine, Table, delete, inspect

from omnicrm_tui.database import migrate, rows
from omnicrm_tui.database.engine import make_engine, speaking_database
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.database.rows import Row
from omnicrm_tui.errors import Conflict, DatabaseProblem
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep.alone import alone_with

_SEEDED = ("crm_permission", "crm_role", "crm_role_permission")
"""Where `omnicrm db upgrade` puts rows when it is done: with rows in no other table, nobody would miss anything."""
_MIGRATED = ("activity_chain",)
"""Where migrations put rows: they may be there without a version."""


class Filling:
    """A database that is being filled; `tables` are its own, by name."""

    def __init__(self, engine: Engine, connection: Connection, revision: str) -> None:
        self.engine = engine
        self._connection = connection
        self._revision = revision
        self.tables = _own_tables(connection, revision)

    def is_filled(self, name: str) -> bool:
        """Tell whether an earlier attempt has filled the table."""
        table = self.tables.get(name)
        filled = table is not None and rows.count(self._connection, table) > 0
        self._connection.rollback()
        return filled

    def fill(self, name: str, columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> None:
        """Insert all rows of a table, in one transaction. Raises DatabaseProblem naming the table."""
        table = self.tables.get(name)
        if table is None or set(table.columns.keys()) != set(columns):
            raise DatabaseProblem(_("The table {name} is not as this program knows it.").format(name=name))
        with self._connection.begin():
            rows.load(self._connection, table, columns, batches)

    def read(self, name: str, columns: Sequence[str]) -> Iterator[list[Row]]:
        """Yield what is in the table now, with the values in the order of `columns`."""
        yield from rows.read(self._connection, self.tables[name], columns)
        self._connection.rollback()

    def finish(self) -> None:
        """Look at all foreign keys, and let programs work with the database. Raises DatabaseProblem."""
        if lost := rows.orphans(self._connection, list(self.tables.values())):
            raise DatabaseProblem(
                _("Some records refer to others that are missing: {lost}.").format(lost="; ".join(lost))
            )
        self._connection.rollback()
        if self._connection.dialect.name == "postgresql":
            with self._connection.begin():
                self._connection.exec_driver_sql("ANALYZE")
        with self._connection.begin():
            migrate.mark_loaded(self._connection, self._revision)


@contextmanager
def filling(settings: Settings, revision: str, source: str) -> Iterator[Filling]:
    """Prepare the database of `settings` to be filled from `source` (letters and digits, up to 24) at `revision`.

    It must be empty, or an earlier attempt from the same source have been interrupted. Raises Conflict otherwise, and
    AtWork while another process fills it.
    """
    engine = make_engine(settings.database_url)
    try:
        with speaking_database(), alone_with(engine):
            version = migrate.current_version(settings)
            if version.state is SchemaState.LOADING and version.revision != source:
                raise Conflict(
                    _("Another restore or move has half filled the database. Drop it, make it anew, then try again.")
                )
            if version.state is not SchemaState.LOADING:
                _clear(engine, revision, version.state)
                migrate.upgrade(settings, revision)
                _mark(engine, revision, source)
            with rows.loading(engine) as connection:
                yield Filling(engine, connection, revision)
    finally:
        engine.dispose()


@contextmanager
def filled(settings: Settings, revision: str) -> Iterator[Filling]:
    """Give a database that was filled at `revision`, to read it once more."""
    engine = make_engine(settings.database_url)
    try:
        with speaking_database(), rows.loading(engine) as connection:
            yield Filling(engine, connection, revision)
    finally:
        engine.dispose()


def _clear(engine: Engine, revision: str, state: SchemaState) -> None:
    """Take away tables that hold nothing; a kill may have left some without a version. Raises Conflict.

    Another program's tables, whatever is in them, are reason enough to leave all as it is.
    """
    with rows.loading(engine) as connection:
        there = set(inspect(connection).get_table_names())
        known = {*migrate.tables_at(revision), *migrate.tables_at(migrate.HEAD)}
        # A version that is not known speaks of another program as well, or of a newer one.
        strange = there - known - (set() if state is SchemaState.NEWER else {"alembic_version"})
        if strange:
            raise Conflict(
                _("The database holds tables of another program or version ({names}). Nothing was changed.").format(
                    names=", ".join(sorted(strange)[:5])
                )
            )
        tables = rows.tables_of(connection, known & there)
        seeded = _MIGRATED if state is SchemaState.EMPTY else (*_SEEDED, *_MIGRATED)
        if any(rows.count(connection, table) for table in tables if table.name not in seeded):
            raise Conflict(_("The database is not empty. Choose an empty one; nothing was changed."))
        for name in [*(table.name for table in reversed(tables)), *({"alembic_version"}.intersection(there))]:
            connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.commit()


def _mark(engine: Engine, revision: str, source: str) -> None:
    """Mark the database as being filled, and take out what migrations put in, in one transaction."""
    with rows.loading(engine) as connection:
        tables = _own_tables(connection, revision)
        with connection.begin():
            migrate.mark_loading(connection, source)
            for table in reversed(tables.values()):
                connection.execute(delete(table))


def _own_tables(connection: Connection, revision: str) -> dict[str, Table]:
    tables = {table.name: table for table in rows.tables_of(connection, migrate.tables_at(revision))}
    connection.rollback()
    return tables
