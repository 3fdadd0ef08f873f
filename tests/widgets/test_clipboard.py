import base64
import sys
from pathlib import Path

import pytest

from bench.pty_run import DOWN, PtyProgram
from bench.sqlite_rows import make_people
from widgets.clipboard import osc52, passed_through_tmux

ROOT = Path(__file__).parents[2]


def test_the_sequence_carries_the_text_whatever_it_holds() -> None:
    text = "王 \x1b]52;c;!\a \ud800"
    sequence = osc52(text)
    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\a")
    assert base64.b64decode(sequence[7:-1]).decode() == text.replace("\ud800", "?")


def test_tmux_gets_every_escape_doubled() -> None:
    assert passed_through_tmux("\x1b]52;c;QQ==\a") == "\x1bPtmux;\x1b\x1b]52;c;QQ==\a\x1b\\"


@pytest.mark.parametrize("in_tmux", [False, True])
def test_y_copies_through_the_terminal(tmp_path: Path, in_tmux: bool) -> None:
    make_people(tmp_path / "people.db", 20)
    env = {"TMUX": "socket,1,0"} if in_tmux else {}
    argv = [sys.executable, "-m", "bench.table_app", str(tmp_path / "people.db")]
    with PtyProgram(argv, env=env, cwd=ROOT) as program:
        program.wait_for("of 20")
        program.press(DOWN)
        program.write(b"y")
        wanted = osc52("2").encode()
        program.wait_until(lambda: wanted in program.output)
        if in_tmux:
            program.wait_until(lambda: passed_through_tmux(osc52("2")).encode() in program.output)
        else:
            assert b"Ptmux" not in program.output
