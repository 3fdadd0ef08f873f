"""The lab's memory: one SQLite file that survives a kill, read by other processes while the lab runs.

Standard library only, so that the application can show the lab's messages without a web framework.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from omnicrm_tui.clock import Clock

FILE_NAME: Final = "lab.sqlite3"
PARTS: Final = ("ocs", "hss", "smsc", "mail")
KEPT_PER_PART: Final = 10_000
"""How many received messages each part keeps; older ones are forgotten."""
LONGEST_DETAIL: Final = 65_536
MAX_SLOW_SECONDS: Final = 3_600.0
PRUNE_EVERY: Final = 256

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS thing (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (kind, key)
);
CREATE TABLE IF NOT EXISTS received (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    part TEXT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    summary TEXT NOT NULL,
    detail TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS received_part ON received (part, id);
CREATE TABLE IF NOT EXISTS switch (
    part TEXT PRIMARY KEY,
    mode TEXT NOT NULL,
    seconds REAL NOT NULL,
    only_for TEXT NOT NULL
);
"""


class Mode(StrEnum):
    """How a part of the lab behaves."""

    OK = "ok"
    FAIL = "fail"
    SLOW = "slow"
    NONSENSE = "nonsense"


@dataclass(frozen=True, slots=True)
class Switch:
    """A part's behaviour; `seconds` is how slow, `only_for` limits it to calls whose name contains that text.

    The name of a call is the JSON-RPC method (OCS), "PUT /subscriber/..." (HTTP parts) or "SMTP".
    """

    mode: Mode = Mode.OK
    seconds: float = 2.0
    only_for: str = ""

    def applies_to(self, call: str) -> bool:
        """Tell whether this switch changes what happens to the named call."""
        return self.mode is not Mode.OK and self.only_for in call


@dataclass(frozen=True, slots=True)
class Received:
    """One message that a part received: when, what kind, a line to show, its content, and what was answered."""

    id: int
    part: str
    at: datetime
    kind: str
    summary: str
    detail: Mapping[str, Any]
    outcome: str


def check_part(part: str) -> str:
    """Return the part's name, or raise ValueError naming the parts that exist."""
    if part not in PARTS:
        raise ValueError(f"unknown part {part!r}: one of {', '.join(PARTS)}")
    return part


def make_switch(mode: str, seconds: float = 2.0, only_for: str = "") -> Switch:
    """Build a checked switch; raises ValueError for an unknown mode or seconds outside 0 to 3600."""
    try:
        checked = Mode(mode)
    except ValueError:
        raise ValueError(f"unknown mode {mode!r}: one of {', '.join(Mode)}") from None
    if not 0 <= seconds <= MAX_SLOW_SECONDS:
        raise ValueError(f"seconds must be between 0 and {MAX_SLOW_SECONDS:g}")
    return Switch(checked, float(seconds), only_for)


class Store:
    """Documents by kind and key, received messages and switches, in one file; safe to use from any thread.

    Every change outside a `transaction` is committed by itself before the call returns.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clock = clock
        self._lock = threading.RLock()
        self._db = _connect(folder / FILE_NAME)
        self._db.executescript(_SCHEMA)
        self._depth = 0
        self._recorded = 0

    def close(self) -> None:
        """Close the file; what was committed stays."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside one change: all of it or, when an exception leaves the block, nothing."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return the document, or None."""
        with self._lock:
            row = self._db.execute("SELECT doc FROM thing WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, key: str, doc: Mapping[str, Any]) -> None:
        """Write the document, keeping its place in the order of creation when it exists."""
        with self._lock:
            self._db.execute(
                "INSERT INTO thing (kind, key, doc) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, key) DO UPDATE SET doc = excluded.doc",
                (kind, key, json.dumps(doc)),
            )

    def delete(self, kind: str, key: str) -> bool:
        """Remove the document; tell whether there was one."""
        with self._lock:
            return self._db.execute("DELETE FROM thing WHERE kind = ? AND key = ?", (kind, key)).rowcount > 0

    def keys(self, kind: str, prefix: str = "") -> list[str]:
        """Return the keys of a kind that start with the prefix, in order of creation."""
        with self._lock:
            rows = self._db.execute(
                "SELECT key FROM thing WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY rowid",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [row[0] for row in rows]

    def record(self, part: str, kind: str, summary: str, detail: Mapping[str, Any], outcome: str) -> int:
        """Remember a received message with the time of the clock; returns its id."""
        text = json.dumps(detail)
        if len(text) > LONGEST_DETAIL:
            text = json.dumps({"shortened": text[:LONGEST_DETAIL]})
        row = (part, self._clock.now().isoformat(), kind, _printable(summary)[:200], text, outcome[:500])
        with self._lock:
            new_id = self._db.execute(
                "INSERT INTO received (part, at, kind, summary, detail, outcome) VALUES (?, ?, ?, ?, ?, ?)", row
            ).lastrowid
            self._recorded += 1
            if self._recorded % PRUNE_EVERY == 0:
                self._prune(part)
        return int(new_id or 0)

    def _prune(self, part: str) -> None:
        self._db.execute(
            "DELETE FROM received WHERE part = ? AND id <= ("
            "SELECT id FROM received WHERE part = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (part, part, KEPT_PER_PART),
        )

    def received(self, part: str, after_id: int = 0, limit: int = 100) -> list[Received]:
        """Return up to `limit` messages of the part with an id above `after_id`, oldest first."""
        with self._lock:
            return _received(self._db, part, after_id, limit)

    def switch(self, part: str) -> Switch:
        """Return how the part behaves now, as set by any process."""
        with self._lock:
            return _switch(self._db, part)

    def set_switch(self, part: str, switch: Switch) -> None:
        """Set how the part behaves from the next call on; kept over restarts."""
        with self._lock:
            _set_switch(self._db, part, switch)

    def clear(self) -> None:
        """Forget everything: documents, messages and switches."""
        with self.transaction():
            for table in ("thing", "received", "switch"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the three names above


def read_received(folder: Path, part: str, after_id: int = 0, limit: int = 100) -> list[Received]:
    """Read what a part received from the state folder alone; [] when no lab ever ran there.

    Oldest first, ids above `after_id`. Raises ValueError for an unknown part.
    """
    check_part(part)
    with _existing(folder) as db:
        return _received(db, part, after_id, limit) if db else []


def read_newest(folder: Path, part: str, before_id: int | None = None, limit: int = 100) -> list[Received]:
    """Read what a part received last: newest first, ids below `before_id`. Raises ValueError for an unknown part."""
    check_part(part)
    with _existing(folder) as db:
        if db is None:
            return []
        rows = db.execute(
            "SELECT id, part, at, kind, summary, detail, outcome FROM received"
            " WHERE part = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (part, 2**63 - 1 if before_id is None else before_id, max(0, limit)),
        ).fetchall()
        return [_message(row) for row in rows]


def count_received(folder: Path, part: str) -> int:
    """Count the messages of a part that are kept. Raises ValueError for an unknown part."""
    check_part(part)
    with _existing(folder) as db:
        return int(db.execute("SELECT count(*) FROM received WHERE part = ?", (part,)).fetchone()[0]) if db else 0


def read_switches(folder: Path) -> dict[str, Switch]:
    """Read every part's switch from the state folder alone."""
    with _existing(folder) as db:
        return {part: _switch(db, part) if db else Switch() for part in PARTS}


def write_switch(folder: Path, part: str, switch: Switch) -> bool:
    """Set a part's switch from another process; False when no lab ever ran in the folder."""
    check_part(part)
    with _existing(folder) as db:
        if db:
            _set_switch(db, part, switch)
        return db is not None


@contextmanager
def _existing(folder: Path) -> Iterator[sqlite3.Connection | None]:
    path = folder / FILE_NAME
    if not path.is_file():
        yield None
        return
    with closing(_connect(path)) as db:
        ready = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'switch'").fetchone()
        yield db if ready else None


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        path.touch(mode=0o600)
    else:
        os.chmod(path, 0o600)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    db.execute("PRAGMA journal_mode = WAL")
    # NORMAL in WAL mode loses nothing when the process is killed, and spares an fsync for each call.
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _received(db: sqlite3.Connection, part: str, after_id: int, limit: int) -> list[Received]:
    rows = db.execute(
        "SELECT id, part, at, kind, summary, detail, outcome FROM received"
        " WHERE part = ? AND id > ? ORDER BY id LIMIT ?",
        (part, after_id, max(0, limit)),
    ).fetchall()
    return [_message(row) for row in rows]


def _message(row: tuple[Any, ...]) -> Received:
    return Received(row[0], row[1], datetime.fromisoformat(row[2]), row[3], row[4], json.loads(row[5]), row[6])


def _switch(db: sqlite3.Connection, part: str) -> Switch:
    row = db.execute("SELECT mode, seconds, only_for FROM switch WHERE part = ?", (part,)).fetchone()
    return Switch(Mode(row[0]), row[1], row[2]) if row else Switch()


def _set_switch(db: sqlite3.Connection, part: str, switch: Switch) -> None:
    db.execute(
        "INSERT INTO switch (part, mode, seconds, only_for) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (part) DO UPDATE SET mode = excluded.mode, seconds = excluded.seconds,"
        " only_for = excluded.only_for",
        (part, switch.mode.value, switch.seconds, switch.only_for),
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
