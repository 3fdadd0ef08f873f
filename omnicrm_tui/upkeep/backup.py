"""Backup: the whole installation in one sealed file, while everybody goes on working."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path

from sqlalchemy import Connection

from omnicrm_tui import __version__
from omnicrm_tui.clock import Clock, SystemClock
from omnicrm_tui.database import migrate, rows
from omnicrm_tui.database.engine import make_engine, speaking_database
from omnicrm_tui.database.rows import Row
from omnicrm_tui.errors import DatabaseProblem, InvalidInput
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep.archive import ArchiveWriter, Contents, TableHead
from omnicrm_tui.upkeep.disk import require_room, whole_file
from omnicrm_tui.upkeep.home import content, home_files, mode_of, opened_file, size_of
from omnicrm_tui.upkeep.sealed import LEAST_PASSPHRASE, SealedWriter

Progress = Callable[[str, int], None]
"""Hears the name of a table and how many of its rows are done."""

_ROOM = 4
"""A backup is about a seventh of the data; it asks for a fourth."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    path: Path
    bytes: int
    revision: str
    contents: Contents


def silent(_name: str, _rows: int) -> None:
    """Tell nobody."""


def make_backup(
    settings: Settings, path: Path, passphrase: str, *, tell: Progress = silent, clock: Clock | None = None
) -> Backup:
    """Write a backup of the home and the database of `settings` to `path`, which is not there yet.

    The database is seen as it is at one moment, and no writer waits. `path` is there whole or not at all. Raises
    InvalidInput for a short passphrase, Conflict when `path` exists, DatabaseProblem, CrmError when there is no room.
    """
    if len(passphrase) < LEAST_PASSPHRASE:
        raise InvalidInput(_("A passphrase has at least {number} characters.").format(number=LEAST_PASSPHRASE))
    _require_known(settings)
    files = list(home_files(settings))
    engine = make_engine(settings.database_url)
    try:
        with whole_file(path) as file, speaking_database(), rows.snapshot(engine) as connection:
            size = _database_bytes(connection)
            require_room(path.parent, (size + sum(size_of(place) for _name, place in files)) // _ROOM)
            revision = migrate.revision_of(connection)
            made = (clock or SystemClock()).now().isoformat(timespec="seconds")
            archive = ArchiveWriter(
                SealedWriter(file, passphrase),
                program=__version__,
                revision=revision,
                made=made,
                demo=settings.demo,
                database_bytes=size,
            )
            for name, place in files:
                with opened_file(name, place) as source:
                    if source is not None:
                        archive.file(name, mode_of(source), content(place, source))
            tables = rows.tables_of(connection, migrate.tables_at(revision))
            for table in tables:
                archive.table(TableHead.of(table, tables), told(table.name, rows.read(connection, table), tell))
            contents = archive.close()
    finally:
        engine.dispose()
    return Backup(path, path.stat().st_size, revision, contents)


def told(name: str, batches: Iterable[Sequence[Row]], tell: Progress) -> Iterator[Sequence[Row]]:
    """Pass the rows on, telling how many there were."""
    done = 0
    tell(name, done)
    for batch in batches:
        yield batch
        done += len(batch)
        tell(name, done)


def _require_known(settings: Settings) -> None:
    """An older database is backed up too: that is what one does before an upgrade."""
    version = migrate.current_version(settings)
    if version.state is migrate.SchemaState.EMPTY:
        raise DatabaseProblem(_("The database is empty: there is nothing to back up."))
    if version.state is not migrate.SchemaState.OLDER:
        migrate.require_current(settings)


_SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()",
}


def _database_bytes(connection: Connection) -> int:
    dialect = connection.dialect.name
    return int(connection.exec_driver_sql(_SIZES["mysql" if dialect == "mariadb" else dialect]).scalar() or 0)
