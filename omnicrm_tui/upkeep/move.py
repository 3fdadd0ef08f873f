"""Moving: all data from one database to another, of whichever kind, checked row by row.

The database that is left refuses every change from the moment at which the copying begins, so that nothing can be lost
between the two; it stays so afterwards. A move that was interrupted goes on when it is run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from gettext import gettext as _
from itertools import zip_longest

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.engine import make_url

from omnicrm_tui.database import frozen, migrate, rows
from omnicrm_tui.database.engine import make_engine, speaking_database
from omnicrm_tui.database.migrate import HEAD, SchemaState
from omnicrm_tui.database.rows import Row
from omnicrm_tui.errors import Conflict, DatabaseProblem
from omnicrm_tui.settings import DatabaseSection, Settings
from omnicrm_tui.upkeep.alone import alone_with
from omnicrm_tui.upkeep.backup import Progress, silent, told
from omnicrm_tui.upkeep.filling import Filling, filling

_RUNNING = 1


@dataclass(frozen=True, slots=True)
class Moved:
    """A move that was finished."""

    tables: int
    rows: int


def move(settings: Settings, url: str, *, tell: Progress = silent) -> Moved:
    """Copy all data to the empty database at `url`, compare every row, and leave the old database refusing changes.

    Raises Conflict when jobs run or something is in the other database already, AtWork while another process works on
    one of the two, DatabaseProblem, and leaves the old one refusing changes once it has begun (`cancel` ends that).
    """
    migrate.require_current(settings)
    other = settings.model_copy(update={"database": DatabaseSection(url=SecretStr(url))})
    if _same(settings.database_url, url):
        raise Conflict(_("The data are in this database already."))
    source = make_engine(settings.database_url)
    try:
        with speaking_database(), alone_with(source):
            if migrate.current_version(other).state is SchemaState.CURRENT and frozen.is_frozen(source):
                return _look_again(source, other, tell)
            with filling(other, HEAD, _name_of(settings.database_url)) as target:
                _freeze(source)
                with rows.snapshot(source) as connection:
                    tables = rows.tables_of(connection, migrate.tables_at(HEAD))
                    for table in tables:
                        if not target.is_filled(table.name):
                            batches = told(table.name, rows.read(connection, table), tell)
                            target.fill(table.name, table.columns.keys(), batches)
                    number = sum(_compare(connection, table, target, tell) for table in tables)
                target.finish()
        return Moved(len(tables), number)
    finally:
        source.dispose()


def cancel(settings: Settings) -> None:
    """Let everybody change the data of the configured database again, after a move that is not to be finished.

    Raises AtWork while that move is under way: what is written now would not arrive.
    """
    engine = make_engine(settings.database_url)
    try:
        with speaking_database(), alone_with(engine):
            frozen.thaw(engine, migrate.tables_at(HEAD))
    finally:
        engine.dispose()


def is_held(settings: Settings) -> bool:
    """Tell whether the configured database refuses changes because of a move."""
    engine = make_engine(settings.database_url)
    try:
        with speaking_database():
            return frozen.is_frozen(engine)
    finally:
        engine.dispose()


def _freeze(source: Engine) -> None:
    """Let nobody write any more. Raises Conflict, and lets them again, while jobs run: they could not end."""
    frozen.freeze(source, migrate.tables_at(HEAD))
    with rows.snapshot(source) as connection:
        (jobs,) = rows.tables_of(connection, ["provision"])
        running = connection.scalar(
            select(func.count()).select_from(jobs).where(jobs.c.provisioning_status == _RUNNING)
        )
    if running:
        frozen.thaw(source, migrate.tables_at(HEAD))
        raise Conflict(_("Jobs are running: {number}. Move the data when they have ended.").format(number=running))


def _look_again(source: Engine, other: Settings, tell: Progress) -> Moved:
    """The data were moved, and then something was in the way of saying so: compare once more."""
    engine = make_engine(other.database_url)
    try:
        with rows.snapshot(source) as connection, rows.loading(engine) as theirs:
            target = Filling(engine, theirs, HEAD)
            tables = rows.tables_of(connection, migrate.tables_at(HEAD))
            return Moved(len(tables), sum(_compare(connection, table, target, tell) for table in tables))
    except DatabaseProblem as error:
        raise Conflict(
            _("The database is not empty, and not a copy of this one: {why} Nothing was changed.").format(
                why=error.message
            )
        ) from error
    finally:
        engine.dispose()


def _compare(connection: Connection, table: Table, target: Filling, tell: Progress) -> int:
    """Compare all rows of a table, one by one; return how many there are. Raises DatabaseProblem naming the first."""
    names = table.columns.keys()
    number = 0
    label = _("{table}, compared").format(table=table.name)
    ours = told(label, rows.read(connection, table), tell)
    for left, right in zip_longest(ours, target.read(table.name, names), fillvalue=()):
        if left != right:
            raise DatabaseProblem(
                _("{table} is not the same in both databases, beginning with {key}.").format(
                    table=table.name, key=_first_difference(table, left, right)
                )
            )
        number += len(left)
    return number


def _first_difference(table: Table, left: Sequence[Row], right: Sequence[Row]) -> str:
    row = next(_different(left, right))
    at = {name: place for place, name in enumerate(table.columns.keys())}
    return ", ".join(f"{column.name} {row[at[column.name]]}" for column in table.primary_key.columns)


def _different(left: Sequence[Row], right: Sequence[Row]) -> Iterator[Row]:
    for one, other in zip_longest(left, right):
        if one != other:
            yield one or other


def _same(one: str, other: str) -> bool:
    return make_url(one).render_as_string() == make_url(other).render_as_string()


def _name_of(url: str) -> str:
    """What the other database is marked with while it is filled from this one."""
    return hashlib.sha256(make_url(url).render_as_string().encode()).hexdigest()[:24]
