"""Connections that break: the application ends with its terminal, whatever it was doing."""

from __future__ import annotations

import os

import pytest

from bench.pty_run import PtyProgram
from tests.terminal.conftest import OMNICRM, Demo, log_in_here
from tests.terminal.tmux import wait_until

pytestmark = pytest.mark.terminal

PAGE_DOWN = b"\x1b[6~"


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "painting"])
def test_it_ends_when_its_terminal_goes_away(demo: Demo, busy: bool) -> None:
    with PtyProgram([OMNICRM], columns=80, rows=24, env=demo.env) as program:
        log_in_here(program)
        if busy:
            program.write(PAGE_DOWN * 50)
        pid = program.pid
        program.hang_up()
        wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, lambda: "it hangs on a terminal that is gone")
        program.pid = 0
