"""The entity table alone, over 50,000 rows in SQLite: what it costs without the application around it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.browse import bare_app, byte_rows, key_rows
from bench.homes import ROOT
from bench.pty_run import PtyProgram
from bench.report import Row
from bench.sqlite_rows import make_people

ROWS = 50_000
_READY = "of 10,000+"


def run() -> list[Row]:
    """Measure keys, bytes at both sizes, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        people = Path(folder) / "people.db"
        make_people(people, ROWS)

        @contextmanager
        def table(columns: int, rows: int) -> Iterator[PtyProgram]:
            argv = [sys.executable, "-m", "bench.table_app", str(people)]
            with PtyProgram(argv, columns=columns, rows=rows, cwd=ROOT) as program:
                program.wait_for(_READY)
                program.settle(idle=0.3)
                yield program

        with table(120, 40) as program, bare_app() as bare:
            memory = Row("memory, table alone", program.memory_mib, 60, "MiB", floor=bare.memory_mib)
        return [
            *key_rows("table alone", table),
            *byte_rows("table alone", table, 120, 40, 600),
            *byte_rows("table alone", table, 80, 24, 400),
            memory,
        ]
