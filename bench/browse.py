"""Going through a list by keyboard: how long a key takes to paint, how many bytes it costs, what idling costs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bench.homes import ROOT
from bench.pty_run import DOWN, END, HOME, PAGE_DOWN, PAGE_UP, UP, Burst, PtyProgram
from bench.report import Row, median, p95

BARE_ARGV = [sys.executable, str(ROOT / "bench" / "bare_app.py")]
OpenList = Callable[[int, int], AbstractContextManager[PtyProgram]]
"""Opens a list that is longer than the terminal of so many columns and rows, and waits until it is complete."""

_SCRIPTS = {
    "move in view": ([DOWN, DOWN, UP], 60, 8),
    "scroll a row": ([DOWN], 60, 10),
    "page": ([PAGE_DOWN] * 20 + [PAGE_UP] * 10, 60, 25),
    "end, home": ([END, HOME], 20, 25),
}
_HALF_PAGE_DOWN = b"J"


@contextmanager
def bare_app() -> Iterator[PtyProgram]:
    """The barest Textual app, ready for keys."""
    with PtyProgram(BARE_ARGV) as program:
        program.wait_for("ready")
        program.settle(idle=0.3)
        yield program


def key_rows(title: str, open_list: OpenList) -> list[Row]:
    """Press each key in the bare app too, right after the list, so that both carry the same load."""
    rows: list[Row] = []
    with open_list(120, 40) as program, bare_app() as bare:
        for what, (keys, count, target) in _SCRIPTS.items():
            if what == "scroll a row":
                _press(program, _HALF_PAGE_DOWN, count=4)
            times: list[float] = []
            floor: list[float] = []
            for i in range(count):
                times += _time(program.press(keys[i % len(keys)], idle=0.04))
                floor += _time(bare.press(b"x", idle=0.04))
            rows.append(Row(f"key to paint, {title}, p95: {what}", p95(times), target, floor=p95(floor)))
    return rows


def byte_rows(title: str, open_list: OpenList, columns: int, rows: int, budget: int) -> list[Row]:
    """Count what a move and a scrolled row send."""
    with open_list(columns, rows) as program:
        moves = _press(program, DOWN, count=10)
        _press(program, _HALF_PAGE_DOWN, count=4)
        scrolls = _press(program, DOWN, count=30)
    where = f"{title} at {columns}x{rows}"
    return [
        Row(f"move in view, {where}", median([b.sent for b in moves]), 500, "bytes"),
        Row(f"scrolled row, {where}", median([b.sent for b in scrolls]), budget, "bytes"),
    ]


def idle_rows(title: str, open_list: OpenList, seconds: float = 60) -> list[Row]:
    """Browse far, then do nothing for a minute: memory, bytes, processor."""
    with open_list(120, 40) as program, bare_app() as bare:
        opened, floor = program.memory_mib, bare.memory_mib
        _press(program, PAGE_DOWN, count=100)
        _press(program, END, *[PAGE_UP] * 40, HOME, count=42)
        grown = program.memory_mib - opened
        program.settle(idle=0.3)
        busy, bare_busy = program.cpu_seconds, bare.cpu_seconds
        sent = program.settle(idle=seconds, limit=seconds).sent
        busy, bare_busy = program.cpu_seconds - busy, bare.cpu_seconds - bare_busy
    return [
        Row(f"memory added by browsing, {title}", max(0.0, grown), 15, "MiB", floor=floor),
        Row(f"sent in an idle minute, {title}", sent, 0, "bytes"),
        Row(f"processor in an idle minute, {title}", busy * 1000, 600, floor=bare_busy * 1000),
    ]


def _press(program: PtyProgram, *keys: bytes, count: int) -> list[Burst]:
    return [program.press(keys[i % len(keys)], idle=0.04) for i in range(count)]


def _time(burst: Burst) -> list[float]:
    return [] if burst.last_ms is None else [burst.last_ms]
