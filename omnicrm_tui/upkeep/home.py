"""Which files of a home a backup holds: all that the operator would miss, and nothing that belongs to the machine."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from gettext import gettext as _
from pathlib import Path
from typing import BinaryIO

from omnicrm_tui.errors import CrmError
from omnicrm_tui.home import RESTORE_NOTE
from omnicrm_tui.settings import Settings
from omnicrm_tui.upkeep.archive import PART

CONFIG = "config.yaml"

_OF_THE_MACHINE = ("jobs", "exports", "logs", "backups", "session", "session.lock", RESTORE_NOTE)
"""Running jobs, what people exported, remembered sessions: a restored home begins without."""
_PASSING = (".lock", ".tmp", ".partial", "-wal", "-shm", "-journal")
_SCRATCH = re.compile(
    r"seats/[^/]+/session"  # a key of SSH that stays signed in: whoever has the backup would be signed in too
    r"|(drafts|seats)/.+\.\d+|keys/[^/]+\.\d+\.[0-9a-f]+|(session|\.[^/]+)\.\d+"  # what is being written just now
)
_COMING_AND_GOING = ("drafts/", "seats/", "keys/token-")
"""What programs make and remove at any moment."""
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
            within = path.relative_to(settings.home).as_posix()
            passing = name.endswith(_PASSING) or _SCRATCH.fullmatch(within)
            if path not in left_out and not passing and _is_file(path):
                yield within, path


@contextmanager
def opened_file(name: str, path: Path) -> Iterator[BinaryIO | None]:
    """Give a file of `home_files`, open; None for a draft or the like that was removed since it was found."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        if not name.startswith(_COMING_AND_GOING):
            raise
        yield None
        return
    with file:
        yield file


def content(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """Yield what is in `path`, open as `file`, in parts; an SQLite file (the lab's) as it is at one moment."""
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
            where = copy.parent.parent
            raise CrmError(
                _("{path} could not be copied to {where}: {error}.").format(path=path, where=where, error=error)
            ) from error
        with copy.open("rb") as copied:
            yield from iter(lambda: copied.read(PART), b"")


def mode_of(file: BinaryIO) -> int:
    """Return the permission bits of an open file; they are never wider than the owner's in a home."""
    return stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o700


def size_of(path: Path) -> int:
    """Return the bytes of a file; none when it is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


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
