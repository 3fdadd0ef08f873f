"""Whose process a job's folder is, and the folders that killed processes and hosts left, with keys and tokens in them.

A process holds a lock in its folder; the system takes that lock from it when it ends, whichever way. So what is not
locked is nobody's, on this host or on one that came back.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import time
from pathlib import Path
from typing import IO, Final

_LOCK: Final = "process"
_MAKING_SECONDS: Final = 60.0
"""How old a folder without a lock has to be: the process that makes it may not have come to that."""


def hold(folder: Path) -> IO[bytes]:
    """Lock a new folder for this process, until the file that is returned is closed; raises OSError for a full disk."""
    draft = folder / f".{_LOCK}.new"
    lock = draft.open("wb")
    with contextlib.suppress(OSError):  # a file system without locks: nobody can tell then, and the folder stays
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    draft.replace(folder / _LOCK)  # it is never seen unlocked
    return lock


def remove_left_folders(parent: Path) -> None:
    """Delete the jobs' folders in `parent` that no process holds any more."""
    for folder in parent.glob("job-*"):
        if _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    with contextlib.suppress(OSError):  # it is locked, or it has just gone
        try:
            with (folder / _LOCK).open("r+b") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return time.time() - folder.stat().st_mtime > _MAKING_SECONDS
        return True
    return False
