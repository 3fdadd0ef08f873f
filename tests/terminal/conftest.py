"""Demos to work in, and an end of what they started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bench.pty_run import PtyProgram
from tests.terminal.tmux import TIMEOUT, Tmux, wait_until

OMNICRM = str(Path(sys.executable).with_name("omnicrm"))
EMAIL, PASSWORD = "admin@demo.example", "Demo-Passw0rd!"
CUSTOMERS = 60


@dataclass(frozen=True)
class Demo:
    """A demo's home. Programs in it are found by their environment."""

    home: Path

    @property
    def env(self) -> dict[str, str]:
        """What a program that works in this home finds in its environment."""
        return {"OMNICRM_HOME": str(self.home), "OMNICRM_CONFIG": ""}

    def terminal(self, columns: int = 80, rows: int = 24) -> Tmux:
        """Start the application in tmux; its shell says how it ended and how it left the terminal, and waits."""
        modes = "stty -a | tr -s ' ;' '\\n' | grep -xE -e '-?(echo|icanon)' | tr '\\n' ' '"
        shell = f'{OMNICRM}; echo "left with $?"; {modes}; exec sleep 300'
        return Tmux(shell, columns=columns, rows=rows, env=self.env)

    def processes(self, words: str) -> list[psutil.Process]:
        """Return the processes of this home whose command line holds `words`."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                ours = process.environ().get("OMNICRM_HOME") == str(self.home)
                if ours and words in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def applications(self) -> list[psutil.Process]:
        """Return the processes of the application: no shell around it, no lab."""
        return [found for found in self.processes(OMNICRM) if found.cmdline()[1:] == [OMNICRM]]


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that nobody works in; tests take copies."""
    home = tmp_path_factory.mktemp("demo") / "home"
    argv = [OMNICRM, "demo", "--customers", str(CUSTOMERS)]
    subprocess.run(argv, env={**os.environ, **Demo(home).env}, check=True, capture_output=True, timeout=120)
    # Copies choose ports of their own.
    (home / "lab" / "addresses.json").unlink()
    return home


@pytest.fixture
def demo(made_demo: Path, tmp_path: Path) -> Iterator[Demo]:
    """A demo of the test's own; the processes that it leaves behind end with the test."""
    from omnicrm_tui.config_file import load_settings
    from omnicrm_tui.lab_process import choose_addresses

    found = Demo(tmp_path / "home")
    shutil.copytree(made_demo, found.home)
    found.home.chmod(0o700)
    choose_addresses(load_settings({**os.environ, **found.env}))
    with left_in_peace(found):
        yield found


@contextmanager
def left_in_peace(found: Demo) -> Iterator[None]:
    """End what still runs in a demo after the block."""
    try:
        yield
    finally:
        for process in found.processes(""):
            with suppress(psutil.Error):
                process.send_signal(signal.SIGTERM)
        wait_until(lambda: not found.processes(""), lambda: f"still there: {found.processes('')}")


def log_in_here(program: PtyProgram, *, remember: bool = False) -> None:
    """Log in at a pseudo-terminal of the test's own."""
    program.wait_for("This is a demo", "Show password", timeout=TIMEOUT)
    program.write(f"{EMAIL}\t".encode())
    program.wait_until(lambda: program.text.count(EMAIL) == 2, timeout=TIMEOUT)
    program.write(PASSWORD.encode())
    program.wait_for("•" * len(PASSWORD), timeout=TIMEOUT)
    if remember:
        program.write(b"\t ")
        program.wait_for("[x] Remember me", timeout=TIMEOUT)
        program.write(b"\x1b[Z")
    program.write(b"\r")
    program.wait_for("Customers", f"1 of {CUSTOMERS}", timeout=TIMEOUT)


def log_in(terminal: Tmux, *, wait_for: str = f"1 of {CUSTOMERS}") -> None:
    """Log in as the demo's administrator."""
    terminal.see("This is a demo", "Show password")
    terminal.type(EMAIL)
    terminal.keys("Tab")
    terminal.type(PASSWORD)
    terminal.keys("Enter")
    terminal.see("Customers", wait_for)
