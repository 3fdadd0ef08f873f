"""The entity table over 50,000 rows in SQLite, beside an app that shows one word."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
        floor = _floor()
        return [
            *_keys(people, floor.key_ms),
            *_bytes(people, 120, 40, 600),
            *_bytes(people, 80, 24, 400),
            *_idle_and_memory(people, floor),
        ]


@contextmanager
def _table(people: Path, columns: int, rows: int) -> Iterator[PtyProgram]:
    argv = [sys.executable, "-m", "bench.table_app", str(people)]
    with PtyProgram(argv, columns=columns, rows=rows, cwd=ROOT) as program:
        program.wait_for(_READY)
        program.settle(idle=0.3)
        yield program


@dataclass(frozen=True, slots=True)
class _Floor:
    """The barest app: p95 of a key that repaints one word, its memory, and its processor time when idle."""

    key_ms: float
    memory_mib: float
    idle_ms_a_minute: float


def _floor() -> _Floor:
    with PtyProgram([sys.executable, "-m", "bench.table_app", "--bare"], cwd=ROOT) as program:
        program.wait_for("ready")
        program.settle(idle=0.3)
        bursts = [program.press(b"x", idle=0.04) for _ in range(40)]
        memory = program.memory_mib
        busy = program.cpu_seconds
        program.settle(idle=20, limit=20)
        return _Floor(p95(_times(bursts)), memory, (program.cpu_seconds - busy) * 3000)


def _times(bursts: list[Burst]) -> list[float]:
    return [burst.last_ms for burst in bursts if burst.last_ms is not None]


def _press(program: PtyProgram, *keys: bytes, count: int) -> list[Burst]:
    return [program.press(keys[i % len(keys)], idle=0.04) for i in range(count)]


def _keys(people: Path, floor: float) -> list[Row]:
    with _table(people, 120, 40) as program:
        moves = _press(program, DOWN, DOWN, UP, count=60)
        _press(program, b"J", b"J", count=4)
        scrolls = _press(program, DOWN, count=60)
        pages = _press(program, *[PAGE_DOWN] * 20, *[PAGE_UP] * 10, count=60)
        ends = _press(program, END, HOME, count=20)
    what = f"key to paint, {ROWS:,} rows, p95: "
    return [
        Row(what + "move in view", p95(_times(moves)), 8, floor=floor),
        Row(what + "scroll a row", p95(_times(scrolls)), 10, floor=floor),
        Row(what + "page", p95(_times(pages)), 25, floor=floor),
        Row(what + "end, home", p95(_times(ends)), 25, floor=floor),
    ]


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


def _idle_and_memory(people: Path, floor: _Floor) -> list[Row]:
    with _table(people, 120, 40) as program:
        opened = program.memory_mib
        _press(program, PAGE_DOWN, count=200)
        _press(program, END, *[PAGE_UP] * 40, HOME, count=42)
        grown = program.memory_mib - opened
        program.settle(idle=0.3)
        busy = program.cpu_seconds
        idle = program.settle(idle=60, limit=60).sent
        busy = program.cpu_seconds - busy
    return [
        Row("memory, table open", opened, 60, "MiB", floor=floor.memory_mib),
        Row("memory, added by browsing", max(0.0, grown), 10, "MiB"),
        Row("sent in an idle minute", idle, 0, "bytes"),
        Row("processor in an idle minute", busy * 1000, 200, floor=floor.idle_ms_a_minute),
    ]
