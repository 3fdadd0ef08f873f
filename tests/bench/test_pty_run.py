import sys

import pytest

from bench.pty_run import PtyProgram

ECHO = """
import sys, os, signal, termios, tty
tty.setraw(0)
signal.signal(signal.SIGWINCH, lambda *_: os.write(1, b"%d x %d" % os.get_terminal_size()))
os.write(1, b"ready.\\r\\n")
while (key := os.read(0, 1)) != b"q":
    os.write(1, b"\\x1b[31m<" + key + b">\\x1b[0m")
"""


def echo() -> PtyProgram:
    return PtyProgram([sys.executable, "-c", ECHO], columns=60, rows=5)


def test_it_shows_the_screen_and_measures_an_answer() -> None:
    with echo() as program:
        assert program.wait_for("ready.") > 0
        burst = program.press(b"a", idle=1)
        assert burst.sent == len("\x1b[31m<a>\x1b[0m")
        assert burst.first_ms is not None
        assert burst.last_ms is not None
        assert 0 < burst.first_ms <= burst.last_ms
        assert program.lines[1].rstrip() == "<a>"
        assert program.cells[1][0].fg == "red"
        assert program.memory_mib > 1


def test_silence_is_measured_as_nothing() -> None:
    with echo() as program:
        program.wait_for("ready.")
        burst = program.settle(idle=0.05)
        assert (burst.sent, burst.first_ms, burst.last_ms) == (0, None, None)


def test_it_resizes_and_ends() -> None:
    with echo() as program:
        program.wait_for("ready.")
        program.resize(40, 6)
        program.wait_for("40 x 6")
        program.write(b"q")
        assert program.wait_for_exit() == 0


def test_what_does_not_come_is_an_error_that_shows_the_screen() -> None:
    with echo() as program:
        program.wait_for("ready.")
        with pytest.raises(TimeoutError, match="ready"):
            program.wait_for("never", timeout=0.1)
