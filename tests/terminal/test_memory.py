"""What a terminal keeps of the machine's memory for itself."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.browse import bare_app
from bench.homes import list_is_complete, log_in
from bench.pty_run import END, HOME, PAGE_DOWN, PAGE_UP, PtyProgram
from tests.terminal.conftest import OMNICRM, Demo, left_in_peace
from tests.terminal.tmux import TIMEOUT

pytestmark = pytest.mark.terminal

CUSTOMERS = 3000
OPENED_MIB, BROWSED_MIB = 40, 48
"""Beyond the barest Textual app, which carries the same Python. Measured: 34 to 37 and 40 to 43."""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[PtyProgram]:
    """The customer list of somebody who has just logged in, started as over SSH."""
    demo = Demo(tmp_path / "home")
    argv = [OMNICRM, "demo", "--customers", str(CUSTOMERS)]
    subprocess.run(argv, env={**os.environ, **demo.env}, check=True, capture_output=True, timeout=300)
    with left_in_peace(demo):
        with _logged_in(demo):
            pass  # a start that has to compile keeps room that it needed for that
        with _logged_in(demo) as program:
            yield program


@contextmanager
def _logged_in(demo: Demo) -> Iterator[PtyProgram]:
    env = {**demo.env, "PYTHONDONTWRITEBYTECODE": ""}
    with PtyProgram([OMNICRM, "tui", "--confined"], env=env) as program:
        log_in(program)
        program.wait_until(lambda: list_is_complete(program.text), timeout=TIMEOUT)
        yield program


def _own_mib(program: PtyProgram) -> float:
    """Return what a second terminal would not share: memory that was written to."""
    rollup = Path(f"/proc/{program.pid}/smaps_rollup").read_text()
    found = re.search(r"^Private_Dirty: +(\d+) kB$", rollup, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def _mapped(program: PtyProgram) -> str:
    return Path(f"/proc/{program.pid}/maps").read_text()


def test_a_terminal_stays_small_when_it_opens_and_when_somebody_browses(opened: PtyProgram) -> None:
    with bare_app() as bare:
        floor = _own_mib(bare)
    assert _own_mib(opened) - floor < OPENED_MIB
    assert "cryptography" not in _mapped(opened), "ciphers, before there is a secret"
    assert "_csv" not in _mapped(opened), "the metadata of packages, where plug-ins are looked for"
    for _ in range(60):
        opened.press(PAGE_DOWN)
    opened.press(END)
    for _ in range(30):
        opened.press(PAGE_UP)
    opened.press(HOME)
    assert _own_mib(opened) - floor < BROWSED_MIB
