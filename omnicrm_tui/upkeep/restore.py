"""Restore: from a backup and its passphrase to a working installation, in an empty place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path, PurePosixPath

from omnicrm_tui import opening
from omnicrm_tui.config_file import load_settings, prepared_home
from omnicrm_tui.database import migrate
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.errors import Conflict, DatabaseProblem
from omnicrm_tui.home import config_path
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep.address import HOME_SQLITE, database_url
from omnicrm_tui.upkeep.archive import About, ArchiveReader, Contents, TableHead, TableSum
from omnicrm_tui.upkeep.backup import Progress, silent, told
from omnicrm_tui.upkeep.config_switch import point_at
from omnicrm_tui.upkeep.disk import replace_file, require_room
from omnicrm_tui.upkeep.filling import Filling, filling
from omnicrm_tui.upkeep.home import sqlite_file
from omnicrm_tui.upkeep.sealed import DamagedFile, SealedReader

UNFINISHED = "restore.json"
"""In a home that a restore has begun to fill, and only there: which backup it was."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore that was finished."""

    settings: Settings
    about: About
    contents: Contents
    upgraded: list[str]


@contextmanager
def opened(path: Path, passphrase: str) -> Iterator[tuple[ArchiveReader, str]]:
    """Open a backup, after a look at all of it; give its reader and its identity.

    Raises WrongPassphrase, DamagedFile.
    """
    with path.open("rb") as file:
        sealed = SealedReader(file, passphrase)
        sealed.authenticate()
        yield ArchiveReader(sealed), sealed.identity


def restore(
    path: Path,
    passphrase: str,
    *,
    database: str | None = None,
    env: Mapping[str, str] | None = None,
    tell: Progress = silent,
) -> Restored:
    """Restore a backup into the empty home that `env` names and the empty database of the backup's configuration.

    `database` is the URL of another database; it is written into the restored configuration. A restore that was
    interrupted goes on when it is run again with the same file. Each table is read back and compared with the
    backup's checksum. A backup of an older version is brought to this program's. Raises Conflict where something
    is there already, WrongPassphrase, DamagedFile, DatabaseProblem.
    """
    env = os.environ if env is None else env
    home = prepared_home(env)
    with opened(path, passphrase) as (archive, identity):
        begun = _claim(home, identity)
        _restore_files(home, archive)
        if database:
            address = HOME_SQLITE if database == HOME_SQLITE else database_url(database, home)
            point_at(config_path(env, home)[0], address)
        settings = load_settings(env)
        if not (begun and migrate.current_version(settings).state is not SchemaState.LOADING):
            _restore_database(home, settings, archive, identity, tell)
        contents = _read_to_the_end(archive)
    # What is of this version is left as it was, to the last row.
    older = migrate.current_version(settings).state is SchemaState.OLDER
    upgraded = opening.upgrade(settings) if older else []
    (home / UNFINISHED).unlink()
    return Restored(settings, archive.about, contents, upgraded)


def _claim(home: Path, identity: str) -> bool:
    """Take an empty home for this restore, or go on with it; tell whether its database was begun. Raises Conflict."""
    try:
        mark = json.loads((home / UNFINISHED).read_text("utf-8"))
    except (OSError, ValueError):
        mark = {}
    if mark.get("backup") == identity:
        return bool(mark.get("database"))
    if there := sorted(path.name for path in home.iterdir() if path.name != "logs"):
        raise Conflict(
            _("{home} is not empty ({there}). Restore into an empty folder: choose another OMNICRM_HOME.").format(
                home=home, there=", ".join(there[:5]) + (", ..." if len(there) > 5 else "")
            )
        )
    _note(home, identity, database=False)
    return False


def _note(home: Path, identity: str, *, database: bool) -> None:
    replace_file(home / UNFINISHED, json.dumps({"backup": identity, "database": database}).encode())


def _restore_database(home: Path, settings: Settings, archive: ArchiveReader, identity: str, tell: Progress) -> None:
    if file := sqlite_file(settings):
        require_room(file.parent, archive.about.database_bytes)
    with filling(settings, archive.about.revision, identity) as target:
        _note(home, identity, database=True)
        for table, batches in archive.tables():
            if not target.is_filled(table.name):
                target.fill(table.name, table.columns, told(table.name, batches, tell))
        for name, expected in archive.close().tables.items():
            _compare(target, archive.heads[name], expected)
        target.finish()


def _read_to_the_end(archive: ArchiveReader) -> Contents:
    for _table in archive.tables():
        pass
    return archive.close()


def _restore_files(home: Path, archive: ArchiveReader) -> None:
    for name, mode, parts in archive.files():
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise DamagedFile(_("The backup holds a file outside its home: {name}.").format(name=name))
        place = home / pure
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            for part in parts:
                file.write(part)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())


def _compare(target: Filling, head: TableHead, expected: tuple[int, str]) -> None:
    """Read back what the database made of the rows."""
    total = TableSum()
    for batch in target.read(head.name, head.columns):
        total.add(batch)
    if total.result() != expected:
        raise DatabaseProblem(_("The table {name} is not as it is in the backup.").format(name=head.name))
