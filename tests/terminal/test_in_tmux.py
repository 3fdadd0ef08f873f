"""The application in tmux, by keyboard alone: to work, to resize, to lose the terminal."""

from __future__ import annotations

import os
import signal

import pytest

from bench.pty_run import PtyProgram
from tests.terminal.conftest import Demo, log_in

pytestmark = pytest.mark.terminal

COOKED = "icanon echo"
"""What `stty` says of a terminal that is as a shell wants it."""


@pytest.mark.req("PLT-168", "PLT-175", "CAT-230")
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_log_in_find_create_and_leave(demo: Demo, columns: int, rows: int) -> None:
    with demo.terminal(columns, rows) as terminal:
        log_in(terminal)
        terminal.keys("/")
        terminal.type("bold")
        terminal.see("[bold]Bold & Sons[/bold]", "1 of 1")
        terminal.keys("Enter")
        terminal.keys("Enter")
        terminal.see("Customers › [bold]Bold & Sons[/bold] #2", "Overview")
        terminal.keys("Escape")
        terminal.see("1 of 1", "n New")
        terminal.keys("n")
        terminal.see("New customer")
        terminal.type("Zoë Terminal")
        terminal.see("Zoë Terminal")
        terminal.keys("C-s")
        terminal.see("Customers › Zoë Terminal #61", "Active services")
        terminal.keys("4")
        terminal.see("Services▌")
        terminal.keys("C-q")
        terminal.see("left with 0", COOKED)
        assert terminal.asked("alternate_on") == "0"


def test_a_terminal_that_is_too_small_says_so_and_recovers(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")  # as some shells export it; the terminal knows better
    monkeypatch.setenv("LINES", "24")
    with demo.terminal() as terminal:
        log_in(terminal)
        terminal.resize(60, 20)
        terminal.see("This terminal is too small.", "It has 60x20; 80x24 is the least.")
        terminal.keys("n")  # nothing is done where nothing can be seen
        terminal.resize(100, 30)
        screen = terminal.see("1 of 60", "n New")
        assert "New customer" not in screen
        assert "too small" not in screen
        terminal.keys("Down")
        terminal.see("2 of 60")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_gives_the_terminal_back(demo: Demo, number: signal.Signals) -> None:
    with demo.terminal() as terminal:
        log_in(terminal)
        assert terminal.asked("alternate_on") == "1"
        assert terminal.asked("mouse_any_flag") == "1"
        demo.applications()[0].send_signal(number)
        terminal.see(f"left with {128 + number}", COOKED)
        assert terminal.asked("alternate_on") == "0"
        assert terminal.asked("mouse_any_flag") == "0"
        assert terminal.asked("cursor_flag") == "1"


def test_a_lost_client_loses_nothing(demo: Demo) -> None:
    with demo.terminal() as terminal:
        env = {"TERM": "xterm-256color"}
        with PtyProgram(terminal.attach_argv, columns=80, rows=24, env=env) as client:
            log_in(terminal)
            client.wait_for("1 of 60", timeout=20)
            os.kill(client.pid, signal.SIGKILL)
            client.wait_for_exit()
        with PtyProgram(terminal.attach_argv, columns=80, rows=24, env=env) as client:
            client.wait_for("1 of 60", timeout=20)
            client.write(b"\x1b[B")
            client.wait_for("2 of 60", timeout=20)
