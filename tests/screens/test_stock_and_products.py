"""Inventory, products and the lab by keyboard."""

from __future__ import annotations

import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.inventory.schemas import ItemChange
from omnicrm_tui.lab.store import Mode, Store, Switch, read_switches
from omnicrm_tui.listing import FIRST, ListQuery
from tests.screens.harness import LARGE, SMALL, press, screen_text, settled, signed_in_app, type_text, until
from tests.screens.shop import KI, open_shop


@pytest.mark.req("PLT-388", "PLT-389", "PLT-357")
async def test_an_item_is_added_from_its_template(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin, LARGE, room="inventory") as pilot:
        await pilot.press("n")
        await until(pilot, lambda: "of which kind?" in screen_text(pilot.app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "New SIM Card" in screen_text(pilot.app))
        seen = screen_text(pilot.app)
        assert "ICCID *" in seen
        assert "1.5000" in seen or "1.50" in seen
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "is required" in screen_text(pilot.app))
        await type_text(pilot, "8944999")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "SIM Card 8944999 added" in screen_text(pilot.app))
    with crm.reading(admin) as work:
        [row] = work.inventory.window(ListQuery(search="8944999"), FIRST, 5).rows
    assert (row.item, row.item_state, str(row.retail_cost)) == ("SIM Card", "New", "5.0000")


@pytest.mark.req("PLT-388")
async def test_items_are_filtered_by_state(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin, LARGE, room="inventory") as pilot:
        assert "1 of 6" in screen_text(pilot.app)
        await press(pilot, "f", "space", "escape")
        assert "1 of 3 · filtered" in screen_text(pilot.app)


@pytest.mark.req("PLT-391", "PLT-402")
async def test_an_item_shows_its_history_and_hides_its_secrets(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        work.inventory.update(1, ItemChange(item_state="In Stock", item_location="Van 2"))
        work.inventory.update(3, ItemChange(item_location="Elsewhere"))
    async with signed_in_app(crm, admin, LARGE) as pilot:
        pilot.app.open_place("item", 1)  # type: ignore[attr-defined]
        await settled(pilot)
        seen = screen_text(pilot.app)
        assert "item_location: Store North → Van 2; item_state: New" in seen
        assert "Item added" in seen
        assert "Elsewhere" not in seen
        assert KI not in seen
        await press(pilot, "F", "u")
        seen = screen_text(pilot.app)
        assert "Elsewhere" not in seen
        assert KI in seen
        assert "Secrets of the item read" in seen
        await press(pilot, "u")
        assert KI not in screen_text(pilot.app)


@pytest.mark.req("PLT-390")
async def test_an_item_is_edited(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin, LARGE) as pilot:
        pilot.app.open_place("item", 2)  # type: ignore[attr-defined]
        await settled(pilot)
        await press(pilot, "e")
        await type_text(pilot, "9")
        await press(pilot, "ctrl+s")
        assert "+447700000019" in screen_text(pilot.app)


@pytest.mark.req("CAT-197", "CAT-366")
async def test_products_are_all_listed_and_shown_in_five_tabs(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin, LARGE, room="products") as pilot:
        assert "Old Promo" in screen_text(pilot.app)
        assert "disabled" in screen_text(pilot.app)
        await press(pilot, "slash", *"20GB")
        await until(pilot, lambda: "1 of 1" in screen_text(pilot.app))
        await press(pilot, "enter", "enter")
        seen = dict.fromkeys(range(1, 6), "")
        for at in seen:
            await press(pilot, str(at))
            seen[at] = screen_text(pilot.app)
    assert "mobile-20gb" in seen[1]
    assert "$15.00" in seen[2]
    assert "• 1000 minutes" in seen[3]
    assert "SIM Card" in seen[4]
    assert "individual; staff orders it" in seen[5]


async def test_a_product_is_made_changed_and_copied(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin, LARGE, room="products") as pilot:
        await press(pilot, "n")
        await type_text(pilot, "Brand New")
        await press(pilot, "ctrl+s")
        assert "Products › Brand New #5" in screen_text(pilot.app)
        await press(pilot, "e")
        await type_text(pilot, "er")
        await press(pilot, "ctrl+s")
        assert "Products › Brand Newer #5" in screen_text(pilot.app)
        await press(pilot, "C")
        assert "Brand Newer clone #6" in screen_text(pilot.app)


async def test_the_lab_shows_what_it_received_and_is_switched(crm: Crm, admin: Actor, clock: FrozenClock) -> None:
    store = Store(crm.settings.lab_folder, clock)
    for at in range(150):
        store.record("hss", "PUT", f"PUT /subscriber/{at}", {"body": {"imsi": str(at)}}, "200 OK")
    async with signed_in_app(crm, admin, SMALL, room="lab") as pilot:
        assert "Nothing received yet" in screen_text(pilot.app)
        await press(pilot, "2")
        assert "PUT /subscriber/149" in screen_text(pilot.app)
        await press(pilot, "enter")
        assert '"imsi": "149"' in screen_text(pilot.app)
        await press(pilot, "escape", "r")
        assert "1 of 150" in screen_text(pilot.app)
        await press(pilot, "end")
        await until(pilot, lambda: "PUT /subscriber/0 " in screen_text(pilot.app))
        await press(pilot, "w", "f", "ctrl+s")
        assert "HSS FAILS" in screen_text(pilot.app)
    assert read_switches(crm.settings.lab_folder)["hss"] == Switch(Mode.FAIL)
    store.close()


async def test_a_home_without_a_lab_says_how_to_have_one(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin, SMALL, room="lab") as pilot:
        await press(pilot, "w", "f", "ctrl+s")
        assert "No lab ever ran in this home" in screen_text(pilot.app)
