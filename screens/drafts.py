"""What was being entered when a terminal went away, kept for the same person's next log-in.

A form writes its draft while one types and when the application is told to end; saving it, or leaving it on
purpose, removes the draft. Passwords and other secrets are never in it. The folder is 0700, its files 0600.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omnicrm_tui.identity.actor import Actor

KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Draft:
    """`about` names the form and its record; `values` are the fields that differ, `before` what they began with.

    `room` or `place` (a name and an id of `rooms.PLACES`) is where the form was open, `action` what opens it there.
    """

    about: str
    heading: str
    at: datetime
    values: Mapping[str, str]
    before: Mapping[str, str]
    room: str
    place: tuple[str, int] | None
    action: str


class DraftFile:
    """The draft of one form and one person, as a file. Safe to use from several threads."""

    def __init__(self, home: Path, user_id: int, about: str) -> None:
        self.path = _folder(home, user_id) / f"{sha256(about.encode()).hexdigest()[:32]}.json"
        self._lock = Lock()
        self._dropped = False

    def keep(self, draft: Draft) -> None:
        """Write the draft in place of an older one, unless it was dropped; raises OSError."""
        with self._lock:
            if self._dropped:
                return
            self.path.parent.parent.mkdir(mode=0o700, exist_ok=True)
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            scratch = self.path.with_suffix(f".{os.getpid()}")
            scratch.unlink(missing_ok=True)
            try:
                with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    json.dump(asdict(draft) | {"at": draft.at.isoformat()}, file)
                scratch.replace(self.path)
            finally:
                scratch.unlink(missing_ok=True)  # half a draft, where the disk is full

    def drop(self) -> None:
        """Remove it for good: a write that is under way in a thread leaves nothing behind."""
        with self._lock:
            self._dropped = True
            with suppress(OSError):
                self.path.unlink()

    def read(self, now: datetime) -> Draft | None:
        """Return what is kept; None where nothing is, or nothing that can be used."""
        return _read(self.path, now)


def draft_file(home: Path, actor: Actor | None, about: str) -> DraftFile | None:
    """Return where the actor's draft of that form is kept; None for who is no user and for forms without a name.

    None is kept of what is entered in another user's place: it would be offered to that user.
    """
    if actor is None or actor.user_id is None or actor.real_user_id is not None or not about:
        return None
    return DraftFile(home, actor.user_id, about)


def drafts_of(home: Path, user_id: int, now: datetime) -> list[Draft]:
    """Return a person's drafts, newest first; those that are too old, or unreadable, are deleted."""
    found = []
    for path in _folder(home, user_id).glob("*.json"):
        draft = _read(path, now)
        if draft is None:
            with suppress(OSError):
                path.unlink()
        else:
            found.append(draft)
    return sorted(found, key=lambda draft: draft.at, reverse=True)


def _folder(home: Path, user_id: int) -> Path:
    return home / "drafts" / str(user_id)


def _read(path: Path, now: datetime) -> Draft | None:
    try:
        found = json.loads(path.read_text())
        place = found["place"]
        draft = Draft(**found | {"at": datetime.fromisoformat(found["at"]), "place": tuple(place) if place else None})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return draft if now - draft.at <= KEPT else None
