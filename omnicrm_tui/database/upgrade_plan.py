"""What an upgrade will do, and about how long it will take, told before it begins.

What a step touches is read from its file, not tried: the operations that it calls, the tables that its SQL and its
table clauses name. The times are those of a small machine, so that a person is rather told too long a time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect

MADE, CHANGED, INDEXED, COPIED, ROW_BY_ROW, DROPPED = "made", "changed", "indexed", "copied", "row by row", "dropped"

_ROWS_A_SECOND: Final = {INDEXED: 200_000, COPIED: 100_000, ROW_BY_ROW: 10_000}
_STEP_SECONDS: Final = 0.2

_FIRST: Final = {
    "create_table": MADE,
    "drop_table": DROPPED,
    "add_column": CHANGED,
    "alter_column": COPIED,
    "drop_column": COPIED,
    "batch_alter_table": COPIED,
    "rename_table": CHANGED,
}
"""Operations whose first argument is the table."""
_SECOND: Final = {
    "create_index": INDEXED,
    "create_unique_constraint": INDEXED,
    "create_check_constraint": COPIED,
    "create_foreign_key": COPIED,
    "drop_index": CHANGED,
    "drop_constraint": CHANGED,
}
"""Operations whose second argument, or `table_name`, is the table."""
_SQL: Final = re.compile(r"\b(?:UPDATE|INSERT\s+INTO|DELETE\s+FROM)\s+[`\"]?(\w+)", re.IGNORECASE)
_WEIGHT: Final = (DROPPED, CHANGED, INDEXED, COPIED, ROW_BY_ROW, MADE)
"""The most telling word comes last: a table that is made has no rows to index."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A table that a step works on: `how` is one of this module's words, `rows` how many it has now."""

    table: str
    how: str
    rows: int

    @property
    def words(self) -> str:
        """What happens, for people."""
        sentences = {
            MADE: _("is made"),
            DROPPED: _("is dropped (rows: {rows})"),
            CHANGED: _("gets another shape, its rows stay as they are (rows: {rows})"),
            INDEXED: _("gets an index (rows: {rows})"),
            COPIED: _("is written anew (rows: {rows})"),
            ROW_BY_ROW: _("is gone through row by row (rows: {rows})"),
        }
        return sentences[self.how].format(rows=f"{self.rows:,}")

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return self.rows / _ROWS_A_SECOND[self.how] if self.how in _ROWS_A_SECOND else 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One revision: its number, what it says of itself, and the tables that it works on."""

    revision: str
    title: str
    tables: tuple[Touched, ...]

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return _STEP_SECONDS + sum(touched.seconds for touched in self.tables)


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """The steps from `found` (None for an empty database) to `known`, and the jobs that run just now."""

    found: str | None
    known: str
    steps: tuple[Step, ...]
    running_jobs: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return sum(step.seconds for step in self.steps)


def read_step(file: Path, connection: Connection) -> Step:
    """Return what the revision in `file` would do to the database of `connection`."""
    module = ast.parse(file.read_text("utf-8"))
    present = set(inspect(connection).get_table_names())
    heaviest: dict[str, str] = {}
    for table, how in _touched(module):
        if _WEIGHT.index(how) >= _WEIGHT.index(heaviest.get(table, how)):
            heaviest[table] = how
    tables = tuple(
        Touched(table, how, 0 if how == MADE else _count(connection, table))
        for table, how in sorted(heaviest.items())
        if how == MADE or table in present
    )
    title = (ast.get_docstring(module) or file.stem).splitlines()[0]
    return Step(file.name.partition("_")[0], title, tables)


def _touched(module: ast.Module) -> Iterator[tuple[str, str]]:
    for part in module.body:
        if isinstance(part, ast.FunctionDef) and part.name == "downgrade":
            continue
        for node in ast.walk(part):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield from _call(node, node.func)


def _call(call: ast.Call, function: ast.Attribute) -> Iterator[tuple[str, str]]:
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    texts = [argument.value if isinstance(argument, ast.Constant) else None for argument in call.args]
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if owner == "op" and function.attr in _FIRST and texts and isinstance(texts[0], str):
        yield texts[0], _FIRST[function.attr]
    elif owner == "op" and function.attr in _SECOND:
        table = named.get("table_name")
        second = texts[1] if len(texts) > 1 else table.value if isinstance(table, ast.Constant) else None
        if isinstance(second, str):
            yield second, _SECOND[function.attr]
    elif owner == "sa" and function.attr == "table" and texts and isinstance(texts[0], str):
        # Whoever names a table's columns reads its rows into the program, or writes them from there.
        yield texts[0], ROW_BY_ROW
    elif function.attr in ("execute", "text"):
        for text in texts:
            yield from ((table, COPIED) for table in _SQL.findall(text if isinstance(text, str) else ""))


def _count(connection: Connection, table: str) -> int:
    quoted = connection.dialect.identifier_preparer.quote(table)
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {quoted}").scalar_one())  # noqa: S608
