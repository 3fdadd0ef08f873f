"""How the screens about users and roles look, small and large, in the three themes, and that they can be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from tests.fixtures.pictures import Compare
from tests.screens.harness import signed_in_app
from tests.screens.test_snapshots import SIZES, in_each_look
from tests.screens.test_users import press
from tests.screens.test_users import team as team

Way = Callable[[Pilot[None]], Awaitable[None]]


def keys(*pressed: str) -> Way:
    async def go(pilot: Pilot[None]) -> None:
        await press(pilot, *pressed)

    return go


WAYS: dict[str, Way] = {
    "users": keys("down"),
    "users-new": keys("n", "ctrl+s"),
    "users-filter": keys("f", "down", "space"),
    "user": keys("end", "enter"),
    "user-rights": keys("end", "enter", "3"),
    "user-delete": keys("end", "d"),
    "roles": keys("2", "down"),
    "role-matrix": keys("2", "end", "up", "enter", "down", "down", "space"),
    "role-delete": keys("2", "end", "up", "d"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", WAYS)
async def test_a_screen_looks_as_it_did(team: Crm, admin: Actor, same_picture: Compare, name: str, size: str) -> None:
    async with signed_in_app(team, admin, SIZES[size], room="users") as pilot:
        await WAYS[name](pilot)
        await in_each_look(pilot, same_picture, f"{name}-{size}", dialog=True)
