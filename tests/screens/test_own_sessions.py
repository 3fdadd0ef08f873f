"""One's own sessions, by keyboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from textual.pilot import Pilot

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from screens.own_sessions import OwnSessions
from tests.screens.harness import LARGE, SMALL, press, screen_text, signed_in_app, type_text, until
from tests.screens.people import PASSWORD, add_user

ELSEWHERE = "198.51.100.4"


def log_in(crm: Crm, source: str) -> Actor:
    with crm.as_actor(visitor(source)) as work:
        actor = work.identity.login("ada", PASSWORD, source).actor
    assert actor is not None
    return actor


async def opened(pilot: Pilot[None]) -> None:
    await press(pilot, "colon")
    await type_text(pilot, "your sessions")
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, OwnSessions) and "1 of 3" in screen_text(pilot.app))


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_person_ends_the_own_sessions(
    crm: Crm, admin: Actor, clock: FrozenClock, size: tuple[int, int]
) -> None:
    add_user(crm, admin)
    for _ in range(2):
        log_in(crm, ELSEWHERE)
        clock.advance(timedelta(minutes=1))
    mine = log_in(crm, "192.0.2.7")
    async with signed_in_app(crm, mine, size) as pilot:
        await opened(pilot)
        assert "this one" in screen_text(pilot.app).splitlines()[2]
        assert screen_text(pilot.app).count(ELSEWHERE) == 2
        await press(pilot, "x")
        assert "log out to end it" in screen_text(pilot.app)
        await press(pilot, "down", "x")
        assert f"from {ELSEWHERE}?" in screen_text(pilot.app)
        await press(pilot, *"wrong", "ctrl+s")
        await until(pilot, lambda: "is not right" in screen_text(pilot.app))
        await press(pilot, *["backspace"] * 5, *PASSWORD, "ctrl+s")
        await until(pilot, lambda: " of 2" in screen_text(pilot.app))
        await press(pilot, "X", *PASSWORD, "ctrl+s")
        await until(pilot, lambda: " of 1" in screen_text(pilot.app))
        assert ELSEWHERE not in screen_text(pilot.app)
    with crm.reading(mine) as work:
        assert [one.session_id for one in work.identity.sessions_of(1)] == [mine.session_id]
