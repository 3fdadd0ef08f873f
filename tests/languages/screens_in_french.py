"""Screens in French at 80x24, run by test_french.py in a process that speaks it."""

from __future__ import annotations

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.settings import CrmSection
from screens import themes
from tests.fixtures.pictures import Compare
from tests.screens.harness import press, screen_text, settled, signed_in_app, type_text
from tests.screens.people import add_people
from tests.screens.test_snapshots import WAYS
from tests.screens.test_work_snapshots import WAYS as WORK
from tests.screens.test_work_snapshots import busy_shop as busy_shop


@pytest.fixture(autouse=True)
def in_french(crm: Crm) -> None:
    settings = CrmSection(language="fr", currency="EUR", timezone="Europe/Paris")
    crm.settings = crm.settings.model_copy(update={"crm": settings})


@pytest.mark.parametrize(
    "name",
    ["customers-new", "palette", "customer-billing", "customer-edit", "go"],
)
async def test_a_screen_of_customers(crm: Crm, admin: Actor, same_picture: Compare, name: str) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, theme=themes.DARK.name) as pilot:
        await WAYS[name](pilot)
        same_picture(pilot.app, f"french-{name}")


@pytest.mark.parametrize("name", ["catalogue-terms", "job-failed", "item-edit", "product-pricing"])
async def test_a_screen_of_work(busy_shop: Crm, admin: Actor, same_picture: Compare, name: str) -> None:
    async with signed_in_app(busy_shop, admin, theme=themes.DARK.name) as pilot:
        await WORK[name](pilot)
        same_picture(pilot.app, f"french-{name}")


async def test_a_refusal_is_told_in_french(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "c 4711")
        await press(pilot, "enter")
        await settled(pilot)
        assert "Il n’y a pas de client 4711." in screen_text(pilot.app)
