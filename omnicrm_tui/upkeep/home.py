"""Which files of a home a backup holds: all that the operator would miss, and nothing that belongs to the machine."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from gettext import gettext as _
from pathlib import Path

from omnicrm_tui.errors import CrmError
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep.archive import PART

CONFIG = "config.yaml"

_OF_THE_MACHINE = ("jobs", "exports", "logs", "backups", "session", "session.lock", "restore.json")
"""Running jobs, what people exported, remembered sessions: a restored home begins without."""
_PASSING = (".lock", ".tmp", ".partial", "-wal", "-shm", "-journal")
_SQLITE = b"SQLite format 3\0"


def home_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield name (with /) and place of each file of the home that belongs into a backup, and of the configuration."""
    config = settings.config_path
    if config is not None and config.exists():
        yield CONFIG, config
    left_out = {settings.home / name for name in _OF_THE_MACHINE} | {settings.home / CONFIG, sqlite_file(settings)}
    if not settings.demo:
        left_out.add(settings.lab_folder)
    seen: set[Path] = set()
    for folder, folders, names in os.walk(settings.home, followlinks=True):
        place = Path(folder)
        real = place.resolve()
        # A link that leads back up would go round for ever.
        folders[:] = [] if real in seen else sorted(name for name in folders if place / name not in left_out)
        if real in seen:
            continue
        seen.add(real)
        for name in sorted(names):
            path = place / name
            if path not in left_out and not name.endswith(_PASSING) and _is_file(path):
                yield path.relative_to(settings.home).as_posix(), path


def content(path: Path) -> Iterator[bytes]:
    """Yield a file's content in parts; an SQLite file (the lab's) as it is at one moment, whoever writes to it."""
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            file.seek(0)
            yield from iter(lambda: file.read(PART), b"")
            return
    with tempfile.TemporaryDirectory(prefix="omnicrm-") as folder:
        copy = Path(folder) / "copy"
        try:
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
        except sqlite3.Error as error:
            raise CrmError(_("{path} could not be copied: {error}.").format(path=path, error=error)) from error
        with copy.open("rb") as file:
            yield from iter(lambda: file.read(PART), b"")


def mode_of(path: Path) -> int:
    """Return the permission bits of a file; they are never wider than the owner's in a home."""
    return stat.S_IMODE(path.stat().st_mode) & 0o700


def _is_file(path: Path) -> bool:
    """Sockets and pipes are left out, and links that lead nowhere."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of an SQLite database, None where the data are on a server."""
    url = settings.database_url
    return Path(url.removeprefix("sqlite:///").partition("?")[0]) if url.startswith("sqlite:///") else None
