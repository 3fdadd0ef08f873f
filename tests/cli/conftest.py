"""Running the `omnicrm` command as people and scripts do: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """The environment of a command with that home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNICRM")}
    return {**kept, "OMNICRM_HOME": str(home), "COLUMNS": "120"}


@pytest.fixture
def omnicrm(environment: dict[str, str]) -> Run:
    """Run `omnicrm` with arguments and, if given, standard input; never with a terminal."""

    def run(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "omnicrm_tui.cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**environment, **more},
        )

    return run


@pytest.fixture
def background(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `omnicrm` and go on; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "omnicrm_tui.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
