"""Which version the database has, and how it gets to another. Alembic is imported only to change something.

The version is one row in `alembic_version`, read with plain SQL: every program looks at it when it starts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.home import RESTORE_NOTE

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

    from omnicrm_tui.database.upgrade_plan import UpgradePlan
    from omnicrm_tui.settings import Settings

HEAD = "0012"
"""The version that this program works with: the newest revision in `migrations/versions`."""

_SQLITE = "sqlite:///"
_VERSION_QUERY = "SELECT version_num FROM alembic_version"
_LOADING = "loading "
"""Stands in the place of the version while a restore or a move fills the database, followed by what fills it."""


class SchemaState(Enum):
    """How the database's version stands to the program's."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    LOADING = "loading"


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """What the database is at: `revision` is None while it is empty, and what fills it while it is being filled."""

    state: SchemaState
    revision: str | None


def current_version(settings: Settings) -> SchemaVersion:
    """Return the version of the database; raises DatabaseProblem when it cannot be asked."""
    url = settings.database_url
    return _version(_sqlite_revision(url) if url.startswith(_SQLITE) else _server_revision(url))


def version_on(connection: Connection) -> SchemaVersion:
    """Return the version of the database that is connected to."""
    return _version(_revision_on(connection))


def require_current(settings: Settings) -> bool:
    """Raise DatabaseProblem unless the database has this program's version; tell whether its tables were just made.

    The embedded SQLite database is made on first use; a server's is only changed by `omnicrm db upgrade`.
    """
    require_whole(settings.home)
    version = current_version(settings)
    if version.state is SchemaState.EMPTY and settings.database_url.startswith(_SQLITE):
        return bool(upgrade(settings))
    problem = {
        SchemaState.EMPTY: _("The database is empty. Run 'omnicrm db upgrade' to make its tables."),
        SchemaState.OLDER: _(
            "The database is of version {found}, this program works with {known}. "
            "Back it up, then run 'omnicrm db upgrade'."
        ),
        SchemaState.NEWER: _(
            "The database is of version {found}, which this program does not know (it works with {known}). "
            "Install the newer program."
        ),
        SchemaState.LOADING: _(
            "The database is being filled by 'omnicrm restore' or 'omnicrm move', or one of them was interrupted: "
            "let it finish, or run the same command again."
        ),
    }.get(version.state)
    if problem:
        raise DatabaseProblem(problem.format(found=version.revision, known=HEAD))
    return False


def require_whole(home: Path) -> None:
    """Refuse a home that a restore has not finished, with DatabaseProblem.

    Before its database is there it looks like a new home, which the first program to come would set up.
    """
    if is_half_restored(home):
        raise DatabaseProblem(
            _(
                "{home} is being filled by 'omnicrm restore', or that was interrupted: let it finish, or run the same "
                "command again. To begin anew, restore into another, empty folder (OMNICRM_HOME) and database."
            ).format(home=home)
        )


def is_half_restored(home: Path) -> bool:
    """Tell whether a restore has begun to fill the home and has not finished."""
    return (home / RESTORE_NOTE).exists()


def require_known(settings: Settings) -> None:
    """Refuse an embedded database of another version at once, before a terminal is taken over.

    Costs a few milliseconds. A server is asked later, in a thread: it may be slow.
    """
    require_whole(settings.home)
    if settings.database_url.startswith(_SQLITE) and current_version(settings).state is not SchemaState.EMPTY:
        require_current(settings)


def upgrade(settings: Settings, revision: str = "head") -> list[str]:
    """Bring the database to `revision` and return the steps taken; raises DatabaseProblem, JobsRunning too."""
    return _migrate(settings, "upgrade", revision)


def downgrade(settings: Settings, revision: str) -> list[str]:
    """Take the database back to `revision` (`base` empties it) and return the steps; raises DatabaseProblem."""
    return _migrate(settings, "downgrade", revision)


def mark_loading(connection: Connection, source: str) -> None:
    """Let no program work with the database, with its tables made, until `mark_loaded`; `source` says what fills it.

    `source` has up to 24 characters.
    """
    connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{_LOADING}{_plain_name(source)}'")  # noqa: S608


def mark_loaded(connection: Connection, revision: str) -> None:
    """End `mark_loading`: the database holds all that it should, at `revision`."""
    connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{_plain_name(revision)}'")  # noqa: S608


def revision_of(connection: Connection) -> str:
    """Return the revision that the database has in the running transaction."""
    return str(connection.exec_driver_sql(_VERSION_QUERY).scalar_one())


def tables_at(revision: str) -> list[str]:
    """Return the names of the tables that the product has at `revision`; raises DatabaseProblem for an unknown one."""
    if revision == HEAD:
        from omnicrm_tui.database.schema import metadata

        return list(metadata.tables)
    from tempfile import TemporaryDirectory

    from sqlalchemy import inspect

    if revision not in _revisions():
        raise DatabaseProblem(
            _("Version {revision} of the database is not known to this program, which works with {head}.").format(
                revision=revision, head=HEAD
            )
        )
    with TemporaryDirectory(prefix="omnicrm-") as folder:
        url = f"{_SQLITE}{folder}/tables.sqlite"
        _migrate_url(url, Path(folder), "upgrade", revision)
        with _engine(url) as engine:
            return [name for name in inspect(engine).get_table_names() if name != "alembic_version"]


def plan(settings: Settings) -> UpgradePlan:
    """Return what an upgrade would do, about how long it would take, and the jobs that it would wait for.

    Changes nothing. Raises DatabaseProblem, for a newer database too.
    """
    from omnicrm_tui.database.engine import speaking_database
    from omnicrm_tui.database.upgrade_lock import running_jobs
    from omnicrm_tui.database.upgrade_plan import UpgradePlan, read_step

    version = current_version(settings)
    if version.state not in (SchemaState.EMPTY, SchemaState.OLDER, SchemaState.CURRENT):
        require_current(settings)
    known = _revisions()
    files = _files()[known.index(version.revision) + 1 if version.revision else 0 :]
    # An SQLite file that is not there yet must not be made by looking at it.
    url = f"{_SQLITE}:memory:" if version.state is SchemaState.EMPTY else settings.database_url
    with (
        speaking_database(),
        _engine(url) as engine,
        engine.execution_options(crm_writes=False).connect() as connection,
    ):
        steps = tuple(read_step(file, connection) for file in files)
        return UpgradePlan(version.revision, HEAD, steps, tuple(running_jobs(connection) if steps else ()))


def _sqlite_revision(url: str) -> str | None:
    """Ask with the standard library alone: `db current` and every start come through here."""
    path = Path(url.removeprefix(_SQLITE).partition("?")[0])
    if not path.exists() or not path.stat().st_size:
        return None
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            row = connection.execute(_VERSION_QUERY).fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        if "no such table" in str(error):
            return None
        raise DatabaseProblem(_sqlite_trouble(path, error)) from None
    return str(row[0]) if row else None


def _sqlite_trouble(path: Path, error: sqlite3.Error) -> str:
    if "not a database" in str(error):
        return _("{path} is not an SQLite database.").format(path=path)
    if "unable to open" in str(error):
        return _("The database file {path} cannot be opened. Check its folder and permissions.").format(path=path)
    return _("The database {path} could not be read: {error}.").format(path=path, error=error)


def _server_revision(url: str) -> str | None:
    from omnicrm_tui.database.engine import speaking_database

    with speaking_database(), _engine(url) as engine, engine.connect() as connection:
        return _revision_on(connection)


def _revision_on(connection: Connection) -> str | None:
    from sqlalchemy import inspect

    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql(_VERSION_QUERY).scalar()
    return revision


def _version(revision: str | None) -> SchemaVersion:
    return SchemaVersion(_state_of(revision), revision.removeprefix(_LOADING) if revision else None)


def _state_of(revision: str | None) -> SchemaState:
    if revision is None:
        return SchemaState.EMPTY
    if revision.startswith(_LOADING):
        return SchemaState.LOADING
    if revision == HEAD:
        return SchemaState.CURRENT
    return SchemaState.OLDER if revision in _revisions() else SchemaState.NEWER


def _folder() -> Path:
    import migrations

    return Path(migrations.__path__[0])


def _revisions() -> list[str]:
    """Return all revisions, oldest first: files are named by number, and the history is a line."""
    return [path.name.partition("_")[0] for path in _files()]


def _files() -> list[Path]:
    return sorted((_folder() / "versions").glob("[0-9]*.py"))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_folder()))
    return config


def _migrate(settings: Settings, direction: str, revision: str) -> list[str]:
    if current_version(settings).state is SchemaState.LOADING:
        require_current(settings)
    return _migrate_url(settings.database_url, settings.keys_folder, direction, revision)


def _migrate_url(url: str, keys_folder: Path, direction: str, revision: str) -> list[str]:
    from alembic import command
    from alembic.util import CommandError

    from omnicrm_tui.database.engine import speaking_database
    from omnicrm_tui.database.upgrade_lock import JobsRunning, hold_schema, running_jobs

    config, steps = _config(), list[str]()
    try:
        with speaking_database(), _engine(url) as engine, engine.begin() as connection:
            hold_schema(connection)
            if not (direction == "upgrade" and _is_current(connection)) and (jobs := running_jobs(connection)):
                raise JobsRunning(jobs)
            config.attributes.update(connection=connection, steps=steps, keys_folder=keys_folder)
            getattr(command, direction)(config, revision)
            _forget_version_table(connection)
    except CommandError as error:
        raise DatabaseProblem(
            _("The database cannot be taken to {revision}: {error}.").format(revision=revision, error=error)
        ) from error
    return steps


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    from omnicrm_tui.database.engine import make_engine
    from omnicrm_tui.database.upgrade_lock import PATIENCE_SECONDS

    engine = make_engine(url, busy_seconds=PATIENCE_SECONDS)
    try:
        yield engine
    finally:
        engine.dispose()


def _plain_name(name: str) -> str:
    if not name.isalnum():
        raise ValueError(f"no name of a version: {name}")
    return name


def _is_current(connection: Connection) -> bool:
    from sqlalchemy import inspect

    has_version = inspect(connection).has_table("alembic_version")
    return has_version and connection.exec_driver_sql(_VERSION_QUERY).scalar() == HEAD


def _forget_version_table(connection: Connection) -> None:
    """An emptied database is as empty as a new one: Alembic would leave its own table behind."""
    if connection.exec_driver_sql(_VERSION_QUERY).first() is None:
        connection.exec_driver_sql("DROP TABLE alembic_version")
