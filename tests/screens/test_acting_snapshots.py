"""How acting as another user looks, small and large, in the three themes, and that it can be read."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from tests.fixtures.pictures import Compare
from tests.screens.harness import settled, signed_in_app
from tests.screens.test_acting import act_as_lady, app_of, press
from tests.screens.test_acting import ada as ada
from tests.screens.test_acting import shop as shop
from tests.screens.test_snapshots import SIZES, in_each_look
from tests.screens.test_users_snapshots import Way


async def asked(pilot: Pilot[None]) -> None:
    app_of(pilot).open_customer(1)
    await settled(pilot)
    await press(pilot, "2", "l")


async def in_a_dialog(pilot: Pilot[None]) -> None:
    await act_as_lady(pilot)
    await press(pilot, "colon")


async def in_the_log(pilot: Pilot[None]) -> None:
    await act_as_lady(pilot)
    await press(pilot, "f8")
    await settled(pilot)
    await press(pilot, "g", "u", "3")
    pilot.app.clear_notifications()


WAYS: dict[str, Way] = {
    "acting-asked": asked,
    "acting": act_as_lady,
    "acting-dialog": in_a_dialog,
    "acting-log": in_the_log,
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", WAYS)
async def test_a_screen_looks_as_it_did(shop: Crm, ada: Actor, same_picture: Compare, name: str, size: str) -> None:
    async with signed_in_app(shop, ada, SIZES[size]) as pilot:
        await WAYS[name](pilot)
        await in_each_look(pilot, same_picture, f"{name}-{size}", dialog=True)
