"""Homes to measure in: a demo with its lab network, made once for a run of the benches and deleted at its end."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.pty_run import ENTER, PtyProgram

ROOT = Path(__file__).parent.parent
OMNICRM = str(Path(sys.executable).with_name("omnicrm"))
CUSTOMERS = 50_000
EMAIL, PASSWORD = "admin@demo.example", "Demo-Passw0rd!"
TAB, SHIFT_TAB, SPACE = b"\t", b"\x1b[Z", b" "
MASK = "•"

_ours = ExitStack()
atexit.register(_ours.close)


@dataclass(frozen=True, slots=True)
class Home:
    """A demo. `seconds` is how long `omnicrm demo` took to make it."""

    path: Path
    seconds: float

    @property
    def env(self) -> dict[str, str]:
        """What a program that works in this home finds in its environment."""
        return {"OMNICRM_HOME": str(self.path), "OMNICRM_CONFIG": ""}

    @property
    def session(self) -> Path:
        """The file of the remembered session."""
        return self.path / "session"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run `omnicrm` with these arguments to its end; raises CalledProcessError when it fails."""
        return subprocess.run([OMNICRM, *arguments], env={**os.environ, **self.env}, check=True, capture_output=True)

    def tui(self, columns: int = 120, rows: int = 40) -> PtyProgram:
        """Start the application in a terminal of its own."""
        return PtyProgram([OMNICRM], columns=columns, rows=rows, env=self.env, cwd=ROOT)


@cache
def demo_home(customers: int = CUSTOMERS) -> Home:
    """Return the demo with that many customers, its lab network running."""
    path = Path(_ours.enter_context(tempfile.TemporaryDirectory(prefix="omnicrm-bench-")))
    path.chmod(0o700)
    begin = time.perf_counter()
    Home(path, 0).command("demo", "--customers", str(customers))
    home = Home(path, time.perf_counter() - begin)
    _run_lab(home)
    return home


def _run_lab(home: Home) -> None:
    """A terminal would start it by itself, detached, and the measurements would share the processor with that."""
    lab = subprocess.Popen([OMNICRM, "lab"], env={**os.environ, **home.env}, stdout=subprocess.PIPE)
    _ours.callback(lab.wait)
    _ours.callback(lab.terminate)
    assert lab.stdout is not None
    lab.stdout.readline()


@cache
def remembered(home: Home) -> Home:
    """Return `home` with a remembered session: somebody logged in by keyboard and asked for it."""
    with home.tui() as program:
        log_in(program, remember=True)
        program.wait_until(home.session.exists, timeout=20)
        program.wait_until(lambda: list_is_complete(program.text), timeout=20)
    return home


def log_in(program: PtyProgram, *, remember: bool = False) -> None:
    """Type the demo's account into the login screen."""
    program.wait_for("Remember me", timeout=20)
    program.write(EMAIL.encode())
    program.wait_until(lambda: program.text.count(EMAIL) == 2)
    program.press(TAB)
    program.write(PASSWORD.encode())
    program.wait_for(MASK * len(PASSWORD))
    if remember:
        program.press(TAB)
        program.write(SPACE)
        program.wait_for("[x] Remember me")
        program.press(SHIFT_TAB)
    program.write(ENTER)


def list_is_complete(screen: str) -> bool:
    """Tell whether every line of the customer list holds a customer, and the last one the keys."""
    lines = screen.splitlines()
    return "New" in lines[-1] and all(line[:9].strip("› ").isdecimal() for line in lines[2:-2])


def interleaved(runs: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Call each measure in turn, `runs` times over, so that all carry the same load; return their values."""
    values: list[list[float]] = [[] for _ in measures]
    for _ in range(runs):
        for found, measure in zip(values, measures, strict=True):
            found.append(measure())
    return values
