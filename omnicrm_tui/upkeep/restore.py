"""Restore: from a backup and its passphrase to a working installation, in an empty place."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path, PurePosixPath
from typing import Any

from omnicrm_tui import opening
from omnicrm_tui.config_file import load_settings, prepared_home
from omnicrm_tui.database import migrate
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.errors import Conflict, DatabaseProblem
from omnicrm_tui.home import RESTORE_NOTE, UPKEEP_LOCK, config_path
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep.address import HOME_SQLITE, database_url
from omnicrm_tui.upkeep.alone import alone_in
from omnicrm_tui.upkeep.archive import About, ArchiveReader, Contents, TableHead, TableSum
from omnicrm_tui.upkeep.backup import Progress, silent, told
from omnicrm_tui.upkeep.config_switch import point_at
from omnicrm_tui.upkeep.disk import forget_scratch, replace_file, require_room, sync_folder
from omnicrm_tui.upkeep.filling import Filling, filled, filling
from omnicrm_tui.upkeep.home import CONFIG, sqlite_file
from omnicrm_tui.upkeep.sealed import DamagedFile, SealedReader

_FILLED = "filled"


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

    The configuration goes where `env` says that it is (OMNICRM_CONFIG). `database` is the URL of another database; it
    is written into the restored configuration. A restore that was interrupted goes on when it is run again with the
    same file and database. Each table is read back and compared with the backup's checksum. A backup of an older
    version is brought to this program's. Raises Conflict where something is there already, AtWork where somebody else
    is filling home or database, WrongPassphrase, DamagedFile, DatabaseProblem.
    """
    env = os.environ if env is None else env
    home = prepared_home(env)
    with alone_in(home), opened(path, passphrase) as (archive, identity):
        config = config_path(env, home)[0]
        mark = _claim(home, config, identity)
        found = config.with_name(config.name + ".partial")
        _restore_files(home, archive, found)
        if database:
            address = HOME_SQLITE if database == HOME_SQLITE else database_url(database, home)
            point_at(found, address)
        settings = _configured(env, config, found, mark)
        if mark.get("phase") == _FILLED and migrate.current_version(settings).state in _USABLE:
            contents = _look_again(settings, archive)
        else:
            contents = _restore_database(home, settings, archive, identity, tell)
        # What is of this version is left as it was, to the last row.
        older = migrate.current_version(settings).state is SchemaState.OLDER
        upgraded = opening.upgrade(settings) if older else []
        (home / RESTORE_NOTE).unlink()
    return Restored(settings, archive.about, contents, upgraded)


_USABLE = (SchemaState.CURRENT, SchemaState.OLDER)


def _claim(home: Path, config: Path, identity: str) -> dict[str, Any]:
    """Take an empty home for this restore, or go on with it; return what was noted of it. Raises Conflict."""
    # A kill may have come before the first note had its name.
    forget_scratch(home, RESTORE_NOTE)
    try:
        mark: dict[str, Any] = json.loads((home / RESTORE_NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        mark = {}
    if mark.get("backup") == identity:
        # It may be half a key, or a configuration with a password in it.
        forget_scratch(home, "**/*")
        forget_scratch(config.parent, f"{config.name}.partial")
        return mark
    if there := sorted(path.name for path in home.iterdir() if path.name not in ("logs", UPKEEP_LOCK)):
        raise Conflict(
            _("{home} is not empty ({there}). Restore into an empty folder: choose another OMNICRM_HOME.").format(
                home=home, there=", ".join(there[:5]) + (", ..." if len(there) > 5 else "")
            )
        )
    if config.exists():
        raise Conflict(
            _("{path}, which OMNICRM_CONFIG names, is there already. Move it away: the backup brings its own.").format(
                path=config
            )
        )
    _note(home, identity)
    return {}


def _note(home: Path, identity: str, **more: str) -> None:
    replace_file(home / RESTORE_NOTE, json.dumps({"backup": identity, **more}).encode())


def _configured(env: Mapping[str, str], config: Path, found: Path, mark: Mapping[str, Any]) -> Settings:
    """Put the configuration that was `found` in the backup in its place, and return the settings that it leads to.

    Raises Conflict, with nothing changed, when an earlier attempt has begun to fill another database.
    """
    settings = load_settings({**env, "OMNICRM_CONFIG": str(found)} if found.exists() else env)
    if mark.get("target", _name_of(settings)) != _name_of(settings):
        found.unlink(missing_ok=True)
        raise Conflict(
            _("This restore was begun into another database. Give the same --database as then, or an empty home.")
        )
    if found.exists():
        found.replace(config)
        sync_folder(config.parent)
    return load_settings(env)


def _name_of(settings: Settings) -> str:
    return hashlib.sha256(settings.database_url.encode()).hexdigest()


def _restore_database(
    home: Path, settings: Settings, archive: ArchiveReader, identity: str, tell: Progress
) -> Contents:
    if file := sqlite_file(settings):
        require_room(file.parent, archive.about.database_bytes)
    with filling(settings, archive.about.revision, identity) as target:
        target_name = _name_of(settings)
        _note(home, identity, target=target_name)
        for table, batches in archive.tables():
            if not target.is_filled(table.name):
                target.fill(table.name, table.columns, told(table.name, batches, tell))
        contents = _compared(target, archive)
        # Noted first: a kill in between leaves a database that is still being filled, and is looked at anew.
        _note(home, identity, target=target_name, phase=_FILLED)
        target.finish()
    return contents


def _look_again(settings: Settings, archive: ArchiveReader) -> Contents:
    """An earlier attempt has filled the database: compare it once more, unless it was upgraded since."""
    if migrate.current_version(settings).revision != archive.about.revision:
        return _read_to_the_end(archive)
    with filled(settings, archive.about.revision) as target:
        return _compared(target, archive)


def _compared(target: Filling, archive: ArchiveReader) -> Contents:
    """Read back what the database made of all tables; return what the backup holds. Raises DatabaseProblem."""
    contents = _read_to_the_end(archive)
    for name, expected in contents.tables.items():
        _compare(target, archive.heads[name], expected)
    return contents


def _read_to_the_end(archive: ArchiveReader) -> Contents:
    for _table in archive.tables():
        pass
    return archive.close()


def _restore_files(home: Path, archive: ArchiveReader, config: Path) -> None:
    """Put the files of the backup into the home, and its configuration to `config`."""
    for name, mode, parts in archive.files():
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise DamagedFile(_("The backup holds a file outside its home: {name}.").format(name=name))
        place = config if name == CONFIG else home / pure
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Replaced, not written into: an earlier attempt may have left it without permission to write.
        replace_file(place, parts, mode & 0o700)


def _compare(target: Filling, head: TableHead, expected: tuple[int, str]) -> None:
    """Read back what the database made of the rows."""
    total = TableSum()
    for batch in target.read(head.name, head.columns):
        total.add(batch)
    if total.result() != expected:
        raise DatabaseProblem(_("The table {name} is not as it is in the backup.").format(name=head.name))
