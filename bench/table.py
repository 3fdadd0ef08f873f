"""The entity table over 50,000 rows in SQLite, beside an app that shows one word."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.pty_run import DOWN, END, HOME, PAGE_DOWN, PAGE_UP, UP, Burst, PtyProgram
from bench.report import Row, median, p95
from bench.sqlite_rows import make_people

ROWS = 50_000
ROOT = Path(__file__).parent.parent
_READY = "of 10,000+"


def run() -> list[Row]:
    """Measure keys and bytes at both sizes, memory, and silence."""
    with tempfile.TemporaryDirectory() as folder:
        people = Path(folder) / "people.db"
        make_people(people, ROWS)
        return [
            *_keys(people),
            *_bytes(people, 120, 40, 600),
            *_bytes(people, 80, 24, 400),
            *_idle_and_memory(people),
        ]


@contextmanager
def _table(people: Path, columns: int, rows: int) -> Iterator[PtyProgram]:
    argv = [sys.executable, "-m", "bench.table_app", str(people)]
    with PtyProgram(argv, columns=columns, rows=rows, cwd=ROOT) as program:
        program.wait_for(_READY)
        program.settle(idle=0.3)
        yield program


@contextmanager
def _bare() -> Iterator[PtyProgram]:
    with PtyProgram([sys.executable, "-m", "bench.bare_app"], cwd=ROOT) as program:
        program.wait_for("ready")
        program.settle(idle=0.3)
        yield program


def _press(program: PtyProgram, *keys: bytes, count: int) -> list[Burst]:
    return [program.press(keys[i % len(keys)], idle=0.04) for i in range(count)]


def _keys(people: Path) -> list[Row]:
    """Press each key in the bare app too, right after the table, so that both carry the same load."""
    scripts = {
        "move in view": ([DOWN, DOWN, UP], 60, 8),
        "scroll a row": ([DOWN], 60, 10),
        "page": ([PAGE_DOWN] * 20 + [PAGE_UP] * 10, 60, 25),
        "end, home": ([END, HOME], 20, 25),
    }
    rows: list[Row] = []
    with _table(people, 120, 40) as program, _bare() as bare:
        for what, (keys, count, target) in scripts.items():
            if what == "scroll a row":
                _press(program, b"J", count=4)
            times: list[float] = []
            floor: list[float] = []
            for i in range(count):
                times += _time(program.press(keys[i % len(keys)], idle=0.04))
                floor += _time(bare.press(b"x", idle=0.04))
            title = f"key to paint, {ROWS:,} rows, p95: {what}"
            rows.append(Row(title, p95(times), target, floor=p95(floor)))
    return rows


def _time(burst: Burst) -> list[float]:
    return [] if burst.last_ms is None else [burst.last_ms]


def _bytes(people: Path, columns: int, rows: int, budget: int) -> list[Row]:
    with _table(people, columns, rows) as program:
        first = program.sent
        moves = _press(program, DOWN, count=10)
        _press(program, b"J", count=4)
        scrolls = _press(program, DOWN, count=30)
    size = f"{columns}x{rows}"
    return [
        Row(f"first screen at {size}", first, 30_000, "bytes"),
        Row(f"move in view at {size}", median([b.sent for b in moves]), 500, "bytes"),
        Row(f"scrolled row at {size}", median([b.sent for b in scrolls]), budget, "bytes"),
    ]


def _idle_and_memory(people: Path) -> list[Row]:
    with _table(people, 120, 40) as program, _bare() as bare:
        opened, floor = program.memory_mib, bare.memory_mib
        _press(program, PAGE_DOWN, count=200)
        _press(program, END, *[PAGE_UP] * 40, HOME, count=42)
        grown = program.memory_mib - opened
        program.settle(idle=0.3)
        busy, bare_busy = program.cpu_seconds, bare.cpu_seconds
        idle = program.settle(idle=60, limit=60).sent
        busy, bare_busy = program.cpu_seconds - busy, bare.cpu_seconds - bare_busy
    return [
        Row("memory, table open", opened, 60, "MiB", floor=floor),
        Row("memory, added by browsing", max(0.0, grown), 10, "MiB"),
        Row("sent in an idle minute", idle, 0, "bytes"),
        Row("processor in an idle minute", busy * 1000, 200, floor=bare_busy * 1000),
    ]
