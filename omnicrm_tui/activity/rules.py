"""What the chain of the activity log is made of, and what is wrong with one.

The hash of an entry is SHA-256 over the hash before it and, as JSON, its number and the values named in HASHED in their
portable form (`database.rows`). This never changes: the entries that there are could not be proved any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from gettext import gettext as _
from typing import Any

Entry = tuple[Any, ...]

FIRST = bytes(32)
"""What stands before the first entry."""

HEAD = 1
"""The number of the head's only row."""

HASHED = (
    "activity_id",
    "timestamp",
    "customer_id",
    "service_id",
    "user_id",
    "impersonating_user_id",
    "actor_name",
    "source_address",
    "object_type",
    "object_id",
    "action",
    "details",
)
LATEST = 100_000
"""How far a commit may be behind its entry's id; what is missing beyond that is missing."""


def link_hash(before: bytes, number: int, values: Sequence[Any]) -> bytes:
    """Return the hash of an entry: `values` are those of HASHED, portable; `before` is the hash of the one before."""
    text = json.dumps([number, *values], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(before + text.encode()).digest()


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk along the chain found: how long it is, its last hash (hexadecimal), and the first thing wrong."""

    entries: int
    last_hash: str
    problem: str | None


class ChainWalk:
    """Walks along the chain as entries pass by, in about the order of their ids, in the portable form."""

    def __init__(self) -> None:
        self._number = 0
        self._last = FIRST
        self._last_id = 0
        self._waiting: dict[int, Entry] = {}
        self._head: tuple[int, bytes] | None = None
        self._problem: str | None = None
        self._unlinked: int | None = None

    def see(self, name: str, columns: Sequence[str], batch: Sequence[Entry]) -> None:
        """Take rows of the tables `activity_log` and `activity_chain` into account, and no others."""
        if name == "activity_chain":
            at = {column: place for place, column in enumerate(columns)}
            heads = [(row[at["entries"]], row[at["last_hash"]]) for row in batch if row[at["id"]] == HEAD]
            self._head = heads[0] if heads else self._head
        elif name == "activity_log" and "chain_number" in columns:
            places = [columns.index(column) for column in (*HASHED, "chain_number", "chain_hash")]
            for row in batch:
                self._take(tuple(row[place] for place in places))

    def report(self) -> ChainReport:
        """Return what was found, once everything was seen."""
        return ChainReport(self._number, self._last.hex(), self._problem or self._missing())

    def _take(self, entry: Entry) -> None:
        number = entry[-2]
        if number is None:
            self._unlinked = self._unlinked or entry[0]
        elif number <= self._number or number in self._waiting:
            self._break(_("Entry {id} of the activity log is in the chain twice.").format(id=entry[0]))
        elif self._problem is None:
            self._waiting[number] = entry
        while self._problem is None and (self._number + 1) in self._waiting:
            self._step(self._waiting.pop(self._number + 1))
        if len(self._waiting) > LATEST:
            self._break(self._gap())

    def _step(self, entry: Entry) -> None:
        expected = link_hash(self._last, self._number + 1, entry[: len(HASHED)])
        if expected != entry[-1]:
            self._break(
                _("Entry {id} of the activity log was changed, or what stood before it was removed.").format(
                    id=entry[0]
                )
            )
            return
        self._number, self._last, self._last_id = self._number + 1, expected, entry[0]

    def _missing(self) -> str | None:
        if self._waiting:
            return self._gap()
        if self._unlinked is not None:
            return _("Entry {id} of the activity log is not in its chain: it was slipped in.").format(id=self._unlinked)
        entries, last = self._head or (0, FIRST)
        if self._number < entries:
            return _("The activity log ends after entry {id}: {number} entries were cut off.").format(
                id=self._last_id, number=entries - self._number
            )
        if (self._number, self._last) != (entries, last):
            return _(
                "The head of the activity log's chain was changed: it says {said} entries, there are {are}."
            ).format(said=entries, are=self._number)
        return None

    def _gap(self) -> str:
        return _("The entry after {id} of the activity log was removed.").format(id=self._last_id)

    def _break(self, problem: str) -> None:
        self._problem = self._problem or problem
        self._waiting.clear()
