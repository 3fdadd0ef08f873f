"""Lists as CSV and JSON files: any number of rows, one window of them in memory at a time.

A file appears under its name when it is whole, in a folder that only its owner can read. Nothing in it acts on
the terminal that shows it, or on the spreadsheet that opens it.
"""

from __future__ import annotations

import csv
import json
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from gettext import gettext as _
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Generic, Literal, TextIO, TypeVar

from omnicrm_tui.errors import CrmError
from omnicrm_tui.listing import FIRST, Anchor, Edge, ListQuery, RowSource

R = TypeVar("R")

Format = Literal["csv", "json"]
Cells = Sequence[tuple[str, Callable[[R], str]]]
"""Titles of columns, and what gives a row's text."""

WINDOW_ROWS = 1000
_MOST_FILES_A_SECOND = 100

_FORMULA = tuple("=+-@\t\r\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\uff20")
_SIGN = r"[^\w\s=+@|!'\"]?"
_HARMLESS = re.compile(rf"[+-]|[+-](?:[A-Z]{{2,3}}(?=[ $]))? ?{_SIGN}\(?\d[\d .,()/-]*{_SIGN} ?(?:[A-Z]{{3}})?")
"""A dash; a sign, then a number with its currency or percent sign, or a phone number."""

_NAME = re.compile(r"[\w-][\w .-]*")
"""No folder, no hidden file: whatever a list is called, its export stays in the folder."""

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class ExportFailed(CrmError):
    """The file cannot be written; nothing of it is left."""


class Stopped(Exception):
    """Somebody stopped the export; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows that `query` finds; with `ids` only those, whether or not they still match."""

    query: ListQuery
    ids: frozenset[int] | None = None
    without: frozenset[int] = frozenset()
    """Rows left out of all that match."""


@dataclass(frozen=True, slots=True)
class Export(Generic[R]):
    """What to write: rows of a source, as text in columns (CSV) or with all their fields (JSON)."""

    source: RowSource[R]
    wanted: Wanted
    columns: Cells[R]
    format: Format


def write(export: Export[Any], folder: Path, name: str, progress: Callable[[int], None]) -> tuple[Path, int]:
    """Write a new file `folder/name.csv` (or `.json`; `-2` follows a name that is taken); return path and rows.

    `progress` is called with the rows written after each window, and may raise `Stopped`. The folder is made
    0700, the file 0600. Raises ExportFailed, Stopped, and what the source raises; then no file is left.
    """
    with _new_file(folder, name, export.format) as (file, final):
        return final, _write_rows(export, file, progress)


def write_text(text: str, folder: Path, name: str) -> Path:
    """Write a new file `folder/name.txt`, as private as `write` does, and return its path; raises ExportFailed."""
    with _new_file(folder, name, "txt") as (file, final):
        file.write(text)
        return final


@contextmanager
def _new_file(folder: Path, name: str, suffix: str) -> Iterator[tuple[TextIOWrapper, Path]]:
    """Give a file to write and its name, which it gets when the block has ended well; else nothing is left."""
    if not _NAME.fullmatch(name):
        raise ExportFailed(_("{name!r} is no name for a file.").format(name=name))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        final, part = _reserve(folder, name, suffix)
    except OSError as error:
        raise ExportFailed(_why(folder, error)) from error
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file, final
            _to_disk(file)
        part.rename(final)
    except OSError as error:
        raise ExportFailed(_why(folder, error)) from error
    finally:
        part.unlink(missing_ok=True)


def _reserve(folder: Path, name: str, suffix: str) -> tuple[Path, Path]:
    """Make an empty part file whose final name nobody has, and nobody can get while the part file is there."""
    for number in range(1, _MOST_FILES_A_SECOND):
        final = folder / f"{name if number == 1 else f'{name}-{number}'}.{suffix}"
        part = final.with_name(f".{final.name}.part")
        with suppress(FileExistsError):
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
            if not os.path.lexists(final):
                return final, part
            part.unlink()
    raise ExportFailed(_("There are too many files named {name} in {folder}.").format(name=name, folder=folder))


def _to_disk(file: TextIO) -> None:
    """Meet a full disk before the file gets its name."""
    file.flush()
    os.fsync(file.fileno())


def _why(folder: Path, error: OSError) -> str:
    return _("The file cannot be written into {folder}: {reason}. Nothing was left there.").format(
        folder=folder, reason=error.strerror or error
    )


def _write_rows(export: Export[Any], file: TextIOWrapper, progress: Callable[[int], None]) -> int:
    found = rows_of(export.source, export.wanted, progress)
    return write_csv(export.columns, found, file) if export.format == "csv" else write_json(found, file)


def rows_of(source: RowSource[R], wanted: Wanted, progress: Callable[[int], None] = lambda _rows: None) -> Iterator[R]:
    """Yield the wanted rows in list order; chosen ones that no longer match follow."""
    missing = set(wanted.ids or ())
    written = 0
    for query in _queries(wanted):
        anchor, more = FIRST, True
        while more and (wanted.ids is None or missing):
            window = source.window(query, anchor, WINDOW_ROWS)
            for row, key in zip(window.rows, window.keys, strict=True):
                if key.id in wanted.without or (wanted.ids is not None and key.id not in missing):
                    continue
                missing.discard(key.id)
                written += 1
                yield row
            more = window.more_after and bool(window.keys)
            if more:
                anchor = Anchor(Edge.AFTER, window.keys[-1])
            progress(written)


def _queries(wanted: Wanted) -> Iterator[ListQuery]:
    yield wanted.query
    if wanted.ids is not None and (wanted.query.search or wanted.query.filters):
        yield replace(wanted.query, search="", filters={})


# CSV


def write_csv(columns: Cells[R], rows: Iterable[R], file: TextIO) -> int:
    """Write a heading and one line for each row; return the number of rows."""
    writer = csv.writer(file)
    writer.writerow([defused(title) for title, _cell in columns])
    count = 0
    for row in rows:
        writer.writerow([defused(cell(row)) for _title, cell in columns])
        count += 1
    return count


def defused(text: str) -> str:
    """Return `text` as a cell that no spreadsheet takes for a formula and no terminal obeys.

    What begins with = + - @ (or their full-width forms) or with tab or return gets an apostrophe in front: a
    spreadsheet then shows it as it is. Amounts, numbers and phone numbers (`-$10.00`, `+47 22 00 00 00`) stay as
    they are, because other programs read them: with nothing but digits and punctuation there is nothing to call.
    Control characters become their pictures (escape is `␛`), so that a row is a line.
    """
    if text.startswith(_FORMULA) and not _HARMLESS.fullmatch(unicodedata.normalize("NFKC", text)):
        text = f"'{text}"
    return _UNSAFE.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


# JSON


def write_json(rows: Iterable[Any], file: TextIO) -> int:
    """Write an array with one row on each line, so that it can be read line by line too."""
    count = 0
    for row in rows:
        file.write(",\n" if count else "[\n")
        file.write(json_line(row))
        count += 1
    file.write("\n]\n" if count else "[]\n")
    return count


def json_line(row: Any) -> str:
    """Return `row` as JSON on one line, with nothing in it that a terminal obeys."""
    text = json.dumps(row, default=plain_value, ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def fields_of(row: Any) -> dict[str, Any]:
    """Return the fields of a read model by name; nested ones stay as they are."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def plain_value(value: Any) -> Any:
    """Translate what JSON has no word for: amounts become text, exactly; instants ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return fields_of(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Collection):
        return list(value)
    return str(value)
