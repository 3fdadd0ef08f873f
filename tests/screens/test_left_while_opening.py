"""A room that is changed in the moment in which something opens: the application goes on."""

from __future__ import annotations

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from screens.picker import Picker
from tests.screens.harness import settled, signed_in_app


async def test_a_dialog_that_is_taken_away_before_it_has_its_parts_harms_nothing(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        below = pilot.app.screen
        pilot.app.push_screen(Picker(("SIM Card",), {}))
        pilot.app.pop_screen()
        await settled(pilot)
        assert pilot.app.screen is below
        await pilot.press("question_mark")
        await settled(pilot)
        assert pilot.app.screen is not below
