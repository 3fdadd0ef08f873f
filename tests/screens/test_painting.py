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
            each.settle(idle=0.3)
        for at, step in enumerate(walk()):
            for each in (diffed, plain):
                each.write(step) if isinstance(step, bytes) else each.resize(*step)
            for each in (diffed, plain):
                each.settle(idle=0.15 if step == ESCAPE else 0.04)
            if diffed.cells != plain.cells:
                wait_for_same(diffed, plain, (at, step))
        assert diffed.sent < plain.sent / 2.5


def wait_for_same(one: PtyProgram, other: PtyProgram, step: object) -> None:
    def same() -> bool:
        one.settle(idle=0.05, limit=1)
        other.settle(idle=0.05, limit=1)
        return one.cells == other.cells

    try:
        one.wait_until(same, timeout=5)
    except TimeoutError:
        differing = [(a, b) for a, b in zip(one.lines, other.lines, strict=True) if a != b]
        raise AssertionError((step, differing or "only colours differ")) from None


def test_what_another_program_wrote_is_painted_over(home: Path) -> None:
    with program(home) as app:
        app.wait_for("of 66")
        app.settle(idle=0.3)
        shown = app.cells
        app._picture.feed(b"\x1b[5;5HBroadcast message from root")
        assert app.cells != shown
        app.write(REPAINT)
        app.wait_until(lambda: app.cells == shown)


@pytest.mark.parametrize(
    ("opening", "budget"), [(PALETTE, 8000), (b"n", 4000), (KEYS, 8000)], ids=["palette", "form", "keys"]
)
def test_a_dialog_costs_few_bytes(home: Path, opening: bytes, budget: int) -> None:
    with program(home) as app:
        app.wait_for("of 66")
        app.settle(idle=0.5)
        assert 0 < app.press(opening, idle=0.5).sent <= budget
        assert 0 < app.press(ESCAPE, idle=0.5).sent <= budget


def test_a_tab_costs_few_bytes(home: Path) -> None:
    with program(home) as app:
        app.wait_for("of 66")
        app.press(ENTER, idle=0.5)
        for tab in b"23456714":
            assert 0 < app.press(bytes([tab]), idle=0.5).sent <= 8000
