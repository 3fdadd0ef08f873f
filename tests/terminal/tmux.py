"""The application in a real terminal: a tmux server of the test's own, typed into and read like a person would."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

TIMEOUT = 40.0
"""Seconds to wait for a text; much more than a busy machine needs."""

_pause = threading.Event()


def wait_until(condition: Callable[[], bool], explain: Callable[[], str], timeout: float = TIMEOUT) -> None:
    """Look until `condition` holds; raise AssertionError with the explanation when time is up."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, explain()
        _pause.wait(0.05)


class Tmux:
    """A window of `columns` x `rows` that runs a command, as a context manager. No configuration is read.

    Where there is no tmux, the test is skipped.
    """

    def __init__(self, command: str, *, columns: int = 80, rows: int = 24, env: Mapping[str, str]) -> None:
        if shutil.which("tmux") is None:
            pytest.skip("needs tmux, which is not installed")
        # A socket's path may have 107 characters: a test's own folder is too deep.
        self._folder = tempfile.TemporaryDirectory(prefix="tmux-")
        self.socket = Path(self._folder.name) / "socket"
        self._env = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR")}
        self._env |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **env}
        size = ("-x", str(columns), "-y", str(rows))
        self.run("-f", "/dev/null", "new-session", "-d", *size, "-s", "test", command)
        self.run("set-option", "-g", "status", "off")
        self.run("set-option", "-g", "window-size", "manual")
        self.resize(columns, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run("kill-server")
        self._folder.cleanup()

    @property
    def attach_argv(self) -> Sequence[str]:
        """The command of a client that shows this window."""
        return ["tmux", "-S", str(self.socket), "attach-session", "-t", "test"]

    def run(self, *arguments: str) -> str:
        """Run a tmux command and return what it prints."""
        argv = ["tmux", "-S", str(self.socket), *arguments]
        return subprocess.run(argv, env=self._env, check=True, capture_output=True, text=True, timeout=20).stdout

    @property
    def text(self) -> str:
        """What the window shows now."""
        return self.run("capture-pane", "-p", "-t", "test")

    def asked(self, name: str) -> str:
        """Return what tmux knows of the terminal, such as `alternate_on`."""
        return self.run("display-message", "-p", "-t", "test", f"#{{{name}}}").strip()

    @property
    def pid(self) -> int:
        """The process that the window was opened with."""
        return int(self.asked("pane_pid"))

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: `Enter`, `Tab`, `C-s`, `Down`, `n`."""
        self.run("send-keys", "-t", "test", *names)

    def type(self, text: str) -> None:
        """Type a text as it stands."""
        self.run("send-keys", "-t", "test", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size."""
        self.run("resize-window", "-t", "test", "-x", str(columns), "-y", str(rows))

    def see(self, *texts: str, timeout: float = TIMEOUT) -> str:
        """Wait until the window shows all of the texts; return the screen."""
        screen = ""

        def shown() -> bool:
            nonlocal screen
            screen = self.text
            return all(text in screen for text in texts)

        wait_until(shown, lambda: f"{texts} did not appear:\n{screen}", timeout)
        return screen
