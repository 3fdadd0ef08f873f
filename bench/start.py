"""From exec to the last byte of the first complete screen, beside a bare Textual app."""

from __future__ import annotations

from collections.abc import Callable

from bench.browse import BARE_ARGV
from bench.homes import Home, demo_home, interleaved, list_is_complete, remembered
from bench.pty_run import PtyProgram
from bench.report import Row, median

RUNS = 9


def run() -> list[Row]:
    """Start the bare app, the login screen and the customer list in turn, several times."""
    home = remembered(demo_home())
    bare, login, customers = interleaved(
        RUNS,
        lambda: _shown(lambda: PtyProgram(BARE_ARGV), lambda screen: "ready" in screen),
        lambda: _login(home),
        lambda: _shown(home.tui, list_is_complete),
    )
    floor = median(bare)
    return [
        Row("start to the login screen (bare app + 150 ms)", median(login), floor + 150, floor=floor),
        Row("start to the customer list (2.5 x the bare app)", median(customers), floor * 2.5, floor=floor),
    ]


def _shown(start: Callable[[], PtyProgram], complete: Callable[[str], bool]) -> float:
    with start() as program:
        return program.shown_at(complete)


def _login(home: Home) -> float:
    """Start with nothing remembered; what was remembered comes back afterwards."""
    kept = home.session.rename(home.path / "session.kept")
    try:
        return _shown(home.tui, lambda screen: "Remember me" in screen and "Show password" in screen)
    finally:
        kept.rename(home.session)
