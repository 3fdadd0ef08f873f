"""Records on standard output: columns and facts for people and screen readers, CSV and JSON for programs.

No frames, no colours, nothing cut off: a line is a row, a fact is `name: value`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from itertools import chain, islice
from typing import Any

from rich.cells import cell_len

from omnicrm_tui.cli.output import plain
from omnicrm_tui.exports import fields_of, json_line, plain_value, write_csv, write_json

_FIRST_ROWS = 200
"""Rows that are looked at before the widths of the columns are known."""

_WIDEST = 40
"""Cells that a column takes at most; a longer text is printed whole and moves the rest of its line."""

_GAP = "  "


def as_text(value: Any) -> str:
    """Return a field's value as one line; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    value = plain_value(value) if not isinstance(value, (str, int, float)) else value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return plain(", ".join(value))
    return plain(value if isinstance(value, str) else json.dumps(value, default=plain_value, ensure_ascii=False))


def print_rows(rows: Iterable[Any], columns: Sequence[str], form: str) -> int:
    """Print `rows` (read models) as `form` ("text", "csv" or "json"); return how many there were."""
    if form == "json":
        return write_json(rows, sys.stdout)
    if form == "csv":
        return _print_csv(rows)
    return _print_table(rows, columns)


def print_record(record: Any, form: str) -> None:
    """Print one record: all its fields, nested ones indented; as JSON an object, as CSV a heading and a row."""
    values = _values(record)
    if form == "json":
        print(json_line(values))
    elif form == "csv":
        write_csv(_cells(values), [values], sys.stdout)
    else:
        for line in _facts(values):
            print(line)


def _values(record: Any) -> dict[str, Any]:
    return dict(record) if isinstance(record, Mapping) else fields_of(record)


def _cells(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, lambda row, name=name: as_text(row[name])) for name in values]


def _print_csv(rows: Iterable[Any]) -> int:
    values = (_values(row) for row in rows)
    first = next(values, None)
    if first is None:
        return 0
    return write_csv(_cells(first), chain([first], values), sys.stdout)


def _print_table(rows: Iterable[Any], columns: Sequence[str]) -> int:
    texts = ([as_text(getattr(row, name)) for name in columns] for row in rows)
    seen = list(islice(texts, _FIRST_ROWS))
    widths = [min(_WIDEST, max([len(name), *(cell_len(line[at]) for line in seen)])) for at, name in enumerate(columns)]
    _print_line(columns, widths)
    count = 0
    for line in chain(seen, texts):
        _print_line(line, widths)
        count += 1
    return count


def _print_line(texts: Sequence[str], widths: Sequence[int]) -> None:
    padded = (text + " " * (width - cell_len(text)) for text, width in zip(texts, widths, strict=True))
    print(_GAP.join(padded).rstrip())


def _facts(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{plain(str(name))}:"
            yield from _facts(value, f"{indent}  ")
        elif is_dataclass(value) and not isinstance(value, type):
            yield f"{indent}{name}:"
            yield from _facts(fields_of(value), f"{indent}  ")
        elif isinstance(value, (list, tuple)) and any(is_dataclass(part) for part in value):
            yield f"{indent}{name}:"
            for number, part in enumerate(value, 1):
                yield f"{indent}  {number}."
                yield from _facts(fields_of(part), f"{indent}    ")
        else:
            yield f"{indent}{plain(str(name))}: {as_text(value)}".rstrip()
