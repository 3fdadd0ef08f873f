"""Proving that data are whole: from a backup without restoring it, or from a database, by the same looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from omnicrm_tui.activity.rules import ChainWalk
from omnicrm_tui.database import migrate, rows
from omnicrm_tui.database.engine import speaking_database
from omnicrm_tui.database.rows import Row
from omnicrm_tui.upkeep.archive import About, Contents, TableHead
from omnicrm_tui.upkeep.backup import Progress, silent, told
from omnicrm_tui.upkeep.books import Books
from omnicrm_tui.upkeep.restore import opened


class Proof:
    """Sees all rows of all tables, parents first; then knows what is wrong with them."""

    def __init__(self) -> None:
        self.books = Books()
        self.chain = ChainWalk()
        self._keys = _ForeignKeys()

    def see(self, head: TableHead, batches: Iterable[Sequence[Row]]) -> None:
        """Look at all rows of one table."""
        for batch in batches:
            self._keys.see(head, batch)
            self.books.see(head, batch)
            self.chain.see(head.name, head.columns, batch)
        self._keys.end(head)

    def problems(self) -> list[str]:
        """Return, one sentence each, what is wrong; nothing when the data are whole."""
        broken = self.chain.report().problem
        return [*self._keys.problems, *self.books.problems(), *([broken] if broken else [])]


class _ForeignKeys:
    """Finds rows that point at rows which are not there."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._there: dict[str, set[Any]] = {}
        self._own: dict[tuple[str, ...], set[Any]] = {}

    def see(self, head: TableHead, batch: Sequence[Row]) -> None:
        if head.referred:
            self._there.setdefault(head.name, set()).update(_values(head, head.key, batch))
        for own, parent, _columns in head.foreign:
            wanted = _values(head, own, batch)
            if parent == head.name:
                # A row may point at a later one of its own table.
                self._own.setdefault(own, set()).update(wanted)
            else:
                self._miss(head, own, parent, wanted)

    def end(self, head: TableHead) -> None:
        for own, wanted in self._own.items():
            self._miss(head, own, head.name, wanted)
        self._own = {}

    def _miss(self, head: TableHead, own: tuple[str, ...], parent: str, wanted: set[Any]) -> None:
        if lost := wanted - self._there.get(parent, set()):
            self.problems.append(
                _("{table}.{columns} points at {lost} in {parent}, which are not there.").format(
                    table=head.name, columns=", ".join(own), lost=", ".join(sorted(map(str, lost))[:5]), parent=parent
                )
            )


def _values(head: TableHead, columns: tuple[str, ...], batch: Sequence[Row]) -> set[Any]:
    places = [head.columns.index(name) for name in columns]
    if len(places) == 1:
        place = places[0]
        return {row[place] for row in batch} - {None}
    return {key for row in batch if None not in (key := tuple(row[place] for place in places))}


def prove(engine: Engine, tell: Progress = silent) -> Proof:
    """Look at all rows of a living database of this program's version, as they are at one moment.

    Raises DatabaseProblem.
    """
    proof = Proof()
    with speaking_database(), rows.snapshot(engine) as connection:
        tables = rows.tables_of(connection, migrate.tables_at(migrate.HEAD))
        for table in tables:
            proof.see(TableHead.of(table, tables), told(table.name, rows.read(connection, table), tell))
    return proof


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at a backup found; `problems` are those of the data, the file itself is whole."""

    about: About
    contents: Contents
    proof: Proof
    problems: list[str]


def verify(path: Path, passphrase: str, tell: Progress = silent) -> Verified:
    """Decrypt all of a backup, check every checksum and count, its foreign keys, its books and its activity chain.

    Raises WrongPassphrase, and DamagedFile when the file is not as it was written.
    """
    with opened(path, passphrase) as (archive, _identity):
        for _file in archive.files():
            pass
        proof = Proof()
        for head, batches in archive.tables():
            proof.see(head, told(head.name, batches, tell))
        contents = archive.close()
    return Verified(archive.about, contents, proof, proof.problems())
