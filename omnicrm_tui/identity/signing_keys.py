"""The files of the signing keys: numbered, in the home's `keys` folder (0600); the highest number signs.

A key is as old as its file, and is retired in the moment in which the next one was made. All processes of a home read
the folder anew in each unit of work, so that they agree without being told.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from omnicrm_tui.database.vault import add_key_file, new_key_file

_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A signing key of the home, and when it was made."""

    number: int
    made: datetime


def read_all(folder: Path) -> dict[str, bytes]:
    """Return the keys by their numbers; the first one is made where there is none."""
    keys = {}
    for path in folder.glob("token-*.key"):
        # One that is removed just now is no key any more.
        try:
            keys[path.stem.split("-")[1]] = path.read_bytes()
        except FileNotFoundError:
            continue
    return keys or {"1": new_key_file(_place(folder, 1), _BYTES)}


def files(folder: Path) -> list[KeyFile]:
    """Return the keys that there are, the oldest first."""
    found = []
    for number in sorted(int(number) for number in read_all(folder)):
        try:
            made = _place(folder, number).stat().st_mtime
        except FileNotFoundError:
            continue
        found.append(KeyFile(number, datetime.fromtimestamp(made, UTC)))
    return found


def add(folder: Path, now: datetime) -> int:
    """Make the next key, from now on the one that signs, and return its number; two at once make two."""
    number = files(folder)[-1].number + 1
    while not add_key_file(_place(folder, number), os.urandom(_BYTES), now.timestamp()):
        number += 1
    return number


def remove(folder: Path, number: int) -> None:
    """Remove a key: what it signed opens nothing any more."""
    _place(folder, number).unlink(missing_ok=True)


def _place(folder: Path, number: int) -> Path:
    return folder / f"token-{number}.key"
