"""What the terminal shows of the application must not depend on how it was painted; and painting is cheap."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.pty_run import DOWN, ENTER, ESCAPE, UP, PtyProgram
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.identity.actor import Actor
from tests.at_rest import at_rest, resize, sent_for, wait_for_same
from tests.screens.people import add_people

ROOT = Path(__file__).parents[2]
PALETTE, KEYS, REPAINT = b":", b"?", b"\x1b[15~"

Step = bytes | tuple[int, int]


@pytest.fixture
def home(crm: Crm, admin: Actor) -> Path:
    """A home with people in it, and enough of them that lists scroll."""
    add_people(crm, admin)
    with crm.as_actor(admin) as work:
        for at in range(60):
            work.customers.create(CustomerInput(customer_name=f"Ada {at}", customer_phone=f"+44700{at:05}"))
    return crm.settings.home


def program(home: Path, *options: str, columns: int = 80, rows: int = 24) -> PtyProgram:
    argv = [sys.executable, "-m", "tests.screens.plain_app", str(home), *options]
    return PtyProgram(argv, columns=columns, rows=rows, cwd=ROOT)


def walk() -> Iterator[Step]:
    """Yield keys through dialogs, tabs, rooms and sizes, the same every time; each round ends where it began."""
    chance = random.Random(7)
    dialogs = (
        (PALETTE, b"ser", DOWN, ESCAPE),
        (KEYS, DOWN, DOWN, ESCAPE),
        (b"n", b"Ada", b"\t", ESCAPE, b"y"),
        (b"E", ESCAPE),
        (b"f", DOWN, b" ", ESCAPE, b"F"),
        (b"/", b"chen", ESCAPE),
        (b"*", b"*"),
    )
    for size in ((100, 30), (79, 24)):
        yield size
        for dialog in chance.sample(dialogs, 6):
            yield from dialog
            yield from (chance.choice((DOWN, UP, b"J", b"G", b"K")) for _ in range(3))
        yield ENTER
        for tab in chance.sample("1234567", 6):
            yield tab.encode()
            yield from chance.sample(((DOWN,), (b"e", ESCAPE), (KEYS, ESCAPE)), 1)[0]
        yield ESCAPE
        for room in "spic":
            yield from (b"g", room.encode())


def test_dialogs_tabs_and_rooms_look_the_same_however_they_are_painted(home: Path) -> None:
    with program(home) as diffed, program(home, "--plain") as plain:
        for each in (diffed, plain):
            each.wait_for("of 66")
        for at, step in enumerate(walk()):
            if isinstance(step, tuple):
                resize(diffed, plain, columns=step[0], rows=step[1])
            else:
                for each in (diffed, plain):
                    each.write(step)
            wait_for_same(diffed, plain, (at, step))
        assert diffed.sent < plain.sent / 2.5


def test_what_another_program_wrote_is_painted_over(home: Path) -> None:
    with program(home) as app:
        app.wait_for("of 66")
        at_rest(app)
        shown = app.cells
        app._picture.feed(b"\x1b[5;5HBroadcast message from root")
        assert app.cells != shown
        app.write(REPAINT)
        app.wait_until(lambda: app.cells == shown)


@pytest.mark.parametrize(
    ("opening", "shown", "budget"),
    [(PALETTE, "Commands", 8000), (b"n", "New customer", 4000), (KEYS, "Keys", 8000)],
    ids=["palette", "form", "keys"],
)
def test_a_dialog_costs_few_bytes(home: Path, opening: bytes, shown: str, budget: int) -> None:
    with program(home) as app:
        app.wait_for("of 66")
        assert 0 < sent_for(app, opening) <= budget
        assert shown in app.text
        assert 0 < sent_for(app, ESCAPE) <= budget
        assert shown not in app.text


def test_a_tab_costs_few_bytes(home: Path) -> None:
    with program(home) as app:
        app.wait_for("of 66")
        sent_for(app, ENTER)
        for tab in b"23456714":
            assert 0 < sent_for(app, bytes([tab])) <= 8000
