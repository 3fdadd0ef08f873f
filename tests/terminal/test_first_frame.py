"""What the application paints first, in a real terminal."""

from __future__ import annotations

import re

import pytest

from bench.pty_run import PtyProgram
from screens import themes
from screens.seat import Seat
from tests.terminal.conftest import OMNICRM, Demo
from tests.terminal.tmux import TIMEOUT

pytestmark = pytest.mark.terminal

TRUE_COLOUR = re.compile(rb"\x1b\[[\d;]*[34]8;2;")


@pytest.mark.parametrize(("theme", "true_colour"), [(themes.ANSI, False), ("omnicrm-dark", True)])
def test_a_theme_that_was_chosen_before_has_its_colours_from_the_first_frame_on(
    demo: Demo, theme: str, true_colour: bool
) -> None:
    assert Seat(demo.home, {}).keep(theme=theme)
    with PtyProgram([OMNICRM], columns=80, rows=24, env=demo.env) as program:
        program.wait_for("This is a demo", "Show password", timeout=TIMEOUT)
        assert bool(TRUE_COLOUR.search(program.output)) == true_colour
