"""What is inside a backup: records, each a line of JSON and, where it has one, a payload of `size` bytes.

    {"kind": "begin", "program": ..., "revision": ..., "made": ..., ...}
    {"kind": "file", "name": "keys/column-1.key", "mode": 384}     then its content in records "part"
    {"kind": "table", "name": ..., "columns": [...], "key": [...], "secret": [...], "foreign": [...]}
                                                                    then its rows in records "rows": arrays in JSON
    {"kind": "end", "files": {...}, "tables": {...}}                sizes, numbers of rows, SHA-256

Rows are in the portable form of `database.rows`; bytes (the places in `secret`) are written in hexadecimal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from gettext import gettext as _
from typing import Any

from sqlalchemy import Table

from omnicrm_tui.database.rows import Row, secret_columns
from omnicrm_tui.upkeep.sealed import DamagedFile, SealedReader, SealedWriter

PART = 1 << 20


@dataclass(slots=True)
class Contents:
    """What a backup holds: for each file its bytes, for each table its rows, and the SHA-256 of both."""

    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    tables: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(number for number, _sum in self.tables.values())


@dataclass(frozen=True, slots=True)
class TableHead:
    """What a backup says of a table: enough to read it without the program that wrote it."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    secret: tuple[int, ...]
    foreign: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...]
    """Foreign keys: own columns, the table that they point at, its columns."""
    referred: bool = False
    """Whether other tables point at this one."""

    @classmethod
    def of(cls, table: Table, others: Iterable[Table] = ()) -> TableHead:
        """Describe a table of a database; `others` are those that may point at it."""
        foreign = sorted(
            (tuple(key.column_keys), key.referred_table.name, tuple(item.column.name for item in key.elements))
            for key in table.foreign_key_constraints
        )
        key = tuple(column.name for column in table.primary_key.columns)
        columns = tuple(column.name for column in table.columns)
        referred = any(each.referred_table is table for other in others for each in other.foreign_key_constraints)
        return cls(table.name, columns, key, tuple(secret_columns(table)), tuple(foreign), referred)


class TableSum:
    """Adds up a table's rows: their number and a SHA-256, the same wherever the same rows are."""

    def __init__(self) -> None:
        self.rows = 0
        self._digest = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> bytes:
        """Count `rows` (portable, in key order) and return them as JSON."""
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"), default=bytes.hex)
        return self.add_text(len(rows), text.encode())

    def add_text(self, number: int, payload: bytes) -> bytes:
        """Count rows that are JSON already."""
        self.rows += number
        # Without the brackets: how many rows were read at a time is no matter.
        self._digest.update(payload[1:-1] + b",")
        return payload

    def result(self) -> tuple[int, str]:
        """Return the number of rows and the checksum."""
        return self.rows, self._digest.hexdigest()


class ArchiveWriter:
    """Writes records, and at the end what was written."""

    def __init__(self, sealed: SealedWriter, **about: Any) -> None:
        self._sealed = sealed
        self.contents = Contents()
        self._record("begin", **about)

    def file(self, name: str, mode: int, parts: Iterable[bytes]) -> None:
        """Add a file of the home."""
        self._record("file", name=name, mode=mode)
        size, digest = 0, hashlib.sha256()
        for part in parts:
            self._record("part", part)
            size += len(part)
            digest.update(part)
        self.contents.files[name] = size, digest.hexdigest()

    def table(self, head: TableHead, batches: Iterable[Sequence[Row]]) -> None:
        """Add a table."""
        fields = {name: getattr(head, name) for name in TableHead.__slots__}
        self._record("table", **fields)
        total = TableSum()
        for rows in batches:
            self._record("rows", total.add(rows), number=len(rows))
        self.contents.tables[head.name] = total.result()

    def close(self) -> Contents:
        """Write the end; return what was written."""
        self._record("end", files=self.contents.files, tables=self.contents.tables)
        self._sealed.close()
        return self.contents

    def _record(self, kind: str, payload: bytes = b"", **head: Any) -> None:
        if payload:
            head["size"] = len(payload)
        self._sealed.write(json.dumps({"kind": kind, **head}).encode() + b"\n" + payload)


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself."""

    program: str
    revision: str
    made: str
    demo: bool
    database_bytes: int


class ArchiveReader:
    """Reads what ArchiveWriter wrote, in its order; each file and table is checked against the end's figures."""

    def __init__(self, sealed: SealedReader) -> None:
        self._sealed = sealed
        head = self._record()[0]
        if head.pop("kind") != "begin":
            raise DamagedFile(_("The backup does not begin like one."))
        self.about = About(**head)
        self.contents = Contents()
        self.heads: dict[str, TableHead] = {}
        self._next = self._record()

    def files(self) -> Iterator[tuple[str, int, Iterator[bytes]]]:
        """Yield name, mode and content of each file; the content is to be read before the next one."""
        while self._next[0]["kind"] == "file":
            head = self._next[0]
            parts = self._parts(str(head["name"]))
            yield str(head["name"]), int(head["mode"]), parts
            for _rest in parts:
                pass

    def tables(self) -> Iterator[tuple[TableHead, Iterator[list[Row]]]]:
        """Yield each table and its rows; the rows are to be read before the next one."""
        while self._next[0]["kind"] == "table":
            head = self._next[0]
            table = TableHead(
                head["name"],
                tuple(head["columns"]),
                tuple(head["key"]),
                tuple(head["secret"]),
                tuple((tuple(own), name, tuple(columns)) for own, name, columns in head["foreign"]),
                bool(head["referred"]),
            )
            self.heads[table.name] = table
            batches = self._rows(table)
            yield table, batches
            for _rest in batches:
                pass

    def close(self) -> Contents:
        """Check what was read against what was written; return it. Raises DamagedFile."""
        head = self._next[0]
        if head["kind"] != "end" or not self._sealed.at_end():
            raise DamagedFile(_("The backup does not end like one."))
        for what, found in (("files", self.contents.files), ("tables", self.contents.tables)):
            expected = {name: tuple(figures) for name, figures in head[what].items()}
            wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
            if wrong:
                raise DamagedFile(
                    _("These are not as they were when the backup was made: {names}.").format(names=", ".join(wrong))
                )
        return self.contents

    def _parts(self, name: str) -> Iterator[bytes]:
        size, digest = 0, hashlib.sha256()
        while (self._advance())["kind"] == "part":
            payload = self._next[1]
            size += len(payload)
            digest.update(payload)
            yield payload
        self.contents.files[name] = size, digest.hexdigest()

    def _rows(self, table: TableHead) -> Iterator[list[Row]]:
        total = TableSum()
        while (head := self._advance())["kind"] == "rows":
            payload = self._next[1]
            total.add_text(int(head["number"]), payload)
            rows = [tuple(row) for row in json.loads(payload)]
            if len(rows) != head["number"]:
                raise DamagedFile(_("The backup says less of {table} than it should.").format(table=table.name))
            yield [_with_bytes(row, table.secret) for row in rows] if table.secret else rows
        self.contents.tables[table.name] = total.result()

    def _advance(self) -> dict[str, Any]:
        self._next = self._record()
        return self._next[0]

    def _record(self) -> tuple[dict[str, Any], bytes]:
        try:
            head = json.loads(self._sealed.line())
        except ValueError:
            raise DamagedFile(_("The backup holds something that is no part of one.")) from None
        return head, self._sealed.read(int(head.get("size", 0)))


def _with_bytes(row: Row, places: tuple[int, ...]) -> Row:
    values = list(row)
    for place in places:
        if values[place] is not None:
            values[place] = bytes.fromhex(values[place])
    return tuple(values)
