"""What the terminal shows must not depend on how it was painted, however long and wildly someone types."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.pty_run import DOWN, END, ENTER, ESCAPE, HOME, PAGE_DOWN, PAGE_UP, UP
from bench.sqlite_rows import make_people
from tests.at_rest import wait_for_same
from tests.widgets.test_scroll_region import Step, act, table

pytestmark = pytest.mark.full

KEYS = 2000
MANY = (DOWN, UP, b"j", b"k", DOWN, DOWN, UP, b"J", b"K", PAGE_DOWN, PAGE_UP, HOME, END)
RARE: tuple[tuple[bytes, ...], ...] = (
    (b" ", b"j", b" "),
    (b"V", *[b"j"] * 5, b"V"),
    (b"*", b"*"),
    (b"s",),
    (b"S",),
    (b"o",),
    (b"f", b" ", ESCAPE),
    (b"F",),
    (b"/", b"b", ENTER),
    (b"/", b"zq", ESCAPE),
    (b"g", b"g"),
)
SIZES = ((100, 24), (80, 30), (120, 40), (60, 20), (100, 30))


def typing(seed: int) -> Iterator[Step]:
    """Yield some thousand keys and now and then another size, always the same for a seed."""
    chance = random.Random(seed)
    typed, size = 0, SIZES[-1]
    while typed < KEYS:
        keys = [chance.choice(MANY) for _ in range(chance.randint(5, 40))]
        keys += chance.choice(RARE)
        typed += len(keys)
        yield from keys
        if chance.random() < 0.1:
            size = chance.choice([other for other in SIZES if other != size])
            yield size


@pytest.mark.parametrize("seed", [1, 2])
def test_the_screen_is_the_same_after_thousands_of_keys(tmp_path: Path, seed: int) -> None:
    people = tmp_path / "people.db"
    make_people(people, 2000)
    with table(people) as diffed, table(people, "--plain") as plain:
        diffed.wait_for("of 2,000")
        plain.wait_for("of 2,000")
        for i, step in enumerate(act((diffed, plain), typing(seed))):
            if i % 50 == 0 or isinstance(step, tuple):
                wait_for_same(diffed, plain, i)
        wait_for_same(diffed, plain, KEYS)
        assert diffed.sent < plain.sent / 2
