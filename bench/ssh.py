"""Twenty people over SSH on this machine, each holding the down key in the list of 50,000 customers.

Each key is followed to the frame that first shows its row. The floors are one person alone, and the bare app in
the place of the application, as many times over SSH.
"""

from __future__ import annotations

import re
import select
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.homes import ROOT, demo_home, list_is_complete, log_in
from bench.pty_run import DOWN, PtyProgram
from bench.report import Row, median, p95
from bench.sshd import Sshd

PEOPLE = 20
KEYS_A_SECOND = 30
"""What a keyboard repeats."""

SECONDS = 10.0
_MIB = 2**20
_POSITION = re.compile(r"^ *([\d,]+) of ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Held:
    """What holding a key gave: milliseconds from each key to its frame, processor milliseconds of the programs for
    each key, frames a second, MiB of private memory of each program.
    """

    latencies: list[float]
    cpu_ms: float
    frames: float
    memory: list[float]


def run() -> list[Row]:
    """Hold the key in the bare app, in one session and in twenty."""
    home = demo_home()
    with (
        tempfile.TemporaryDirectory() as folder,
        Sshd(Path(folder), home.path, str(ROOT / "bench/bare_app.py")) as sshd,
    ):
        bare = _held(sshd, PEOPLE, _bare)
    with tempfile.TemporaryDirectory() as folder, Sshd(Path(folder), home.path) as sshd:
        one = _held(sshd, 1, _customers)
        many = _held(sshd, PEOPLE, _customers)
    who = f"{PEOPLE} people over SSH hold the down key"
    return [
        Row(f"key to frame, p95: the bare app, {PEOPLE} times over SSH", p95(bare.latencies), 100),
        Row("key to frame, p95: one person over SSH holds the down key", p95(one.latencies), 100),
        Row(f"key to frame, p95: {who}", p95(many.latencies), 100, floor=p95(one.latencies)),
        Row(f"key to frame, median: {who}", median(many.latencies), 50, floor=median(one.latencies)),
        Row(f"processor for each key: {who}", many.cpu_ms, 3, floor=bare.cpu_ms),
        Row(f"frames a second of each: {who}", many.frames, KEYS_A_SECOND, "", floor=one.frames),
        Row(f"private memory, the largest: {who}", max(many.memory), 60, "MiB", floor=max(bare.memory)),
        Row(f"private memory, typical: {who}", median(many.memory), 60, "MiB", floor=median(bare.memory)),
    ]


def _bare(program: PtyProgram) -> None:
    program.wait_for("ready", timeout=120)


def _customers(program: PtyProgram) -> None:
    program.wait_until(lambda: "Remember me" in program.text or list_is_complete(program.text), timeout=120)
    if "Remember me" in program.text:
        log_in(program, remember=True)
        program.wait_until(lambda: list_is_complete(program.text), timeout=120)


def _held(sshd: Sshd, people: int, ready: object) -> Held:
    assert callable(ready)
    key = sshd.folder / "person"
    if not key.exists():
        sshd.admit(sshd.make_key("person"))
    with _sessions(sshd, people) as programs:
        for program in programs:
            ready(program)
        _quiet(programs, 2.0)
        applications = sshd.applications()
        assert len(applications) == people, f"{len(applications)} sessions instead of {people}"
        before = _cpu(applications)
        pressed = hold(programs, DOWN, SECONDS)
        spent = _cpu(applications) - before
        memory = [process.memory_full_info().uss / _MIB for process in applications]
        counted = _bare_latencies if ready is _bare else _latencies
        found = [counted(program, times) for program, times in zip(programs, pressed, strict=True)]
        keys = sum(len(times) for times in pressed)
        frames = sum(len(set(frame_times)) for _times, frame_times in found) / people / SECONDS
        return Held([ms for times, _frames in found for ms in times], spent * 1000 / keys, frames, memory)


@contextmanager
def _sessions(sshd: Sshd, people: int) -> Iterator[list[PtyProgram]]:
    """As many connections, one begun after the other."""
    argv = sshd.argv(sshd.folder / "person", options=("SendEnv=COLORTERM",))
    with ExitStack() as stack:
        yield [stack.enter_context(PtyProgram(argv, columns=120, rows=40)) for _ in range(people)]


def hold(programs: Sequence[PtyProgram], key: bytes, seconds: float) -> list[list[float]]:
    """Press the key in all programs as often as a keyboard repeats it; return the moments of each program's keys."""
    pressed: list[list[float]] = [[] for _ in programs]
    begin = time.perf_counter()
    due = [begin + at / len(programs) / KEYS_A_SECOND for at in range(len(programs))]
    while (now := time.perf_counter()) < begin + seconds:
        for at, program in enumerate(programs):
            if due[at] <= now:
                pressed[at].append(time.perf_counter())
                program.write(key)
                due[at] += 1 / KEYS_A_SECOND
        for program in select.select(programs, [], [], max(0.0, min(due) - time.perf_counter()))[0]:
            program.take()
    _quiet(programs, 1.0)
    return pressed


def _quiet(programs: Sequence[PtyProgram], idle: float) -> None:
    """Read until nobody has sent anything for `idle` seconds, a minute at most."""
    deadline = time.perf_counter() + 60
    while time.perf_counter() < deadline and (readable := select.select(programs, [], [], idle)[0]):
        for program in readable:
            program.take()


def _cpu(processes: Sequence[psutil.Process]) -> float:
    return sum(process.cpu_times().user + process.cpu_times().system for process in processes)


def _latencies(program: PtyProgram, pressed: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return milliseconds from each key to the frame that shows its row, and the times of the frames."""
    times: list[float] = []
    frames: list[float] = []
    shown = 1
    for at, screen in program.frames():
        found = _POSITION.search(screen)
        position = int(found[1].replace(",", "")) if found else 0
        if position <= shown:
            continue
        moment = program.begun + at
        frames.append(moment)
        times += [(moment - key) * 1000 for key in pressed[shown - 1 : position - 1]]
        shown = position
    assert len(times) == len(pressed), f"{len(pressed)} keys, {len(times)} shown"
    return times, frames


def _bare_latencies(program: PtyProgram, pressed: Sequence[float]) -> tuple[list[float], list[float]]:
    """The bare app shows no count: the next thing that it sends after a key answers it."""
    moments = [program.begun + at for at, _screen in program.frames()]
    times: list[float] = []
    following = 0
    for key in pressed:
        while following < len(moments) and moments[following] < key:
            following += 1
        if following < len(moments):
            times.append((moments[following] - key) * 1000)
    return times, [moment for moment in moments if moment > pressed[0]]
