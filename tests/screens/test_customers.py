"""The customer list, a new customer, and the customer's page."""

from __future__ import annotations

import pytest
from textual import events

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerChange
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.listing import FIRST, ListQuery
from tests.screens.harness import press, screen_lines, screen_text, settled, signed_in_app, type_text, until
from tests.screens.people import add_people


@pytest.mark.req("CAT-230")
async def test_names_are_shown_literally(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        shown = screen_text(pilot.app)
        for name in ("[bold]Bold & Sons[/bold]", "Chen 陳大文", "Zoë␛[31m Red"):
            assert name in shown
        assert "\x1b" not in shown


@pytest.mark.req("CAT-231")
async def test_the_list_is_searched_by_name_and_by_id(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "slash")
        await type_text(pilot, "lovel")
        await until(pilot, lambda: "1 of 1" in screen_text(pilot.app))
        await press(pilot, "escape", "slash")
        await type_text(pilot, "3")
        await until(pilot, lambda: "陳大文" in screen_lines(pilot.app)[3])


@pytest.mark.req("CAT-235")
async def test_a_customer_is_made_in_a_few_keys_and_opened(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "n")
        await type_text(pilot, "Grace Hopper")
        await press(pilot, "tab", "right", "tab")
        await type_text(pilot, "+1 555 0100")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "Customers › Grace Hopper #1" in screen_text(pilot.app))
        await until(pilot, lambda: "Business, prepaid" in screen_text(pilot.app))
        await press(pilot, "escape")
        assert "Grace Hopper" in screen_text(pilot.app)
    with crm.reading(admin) as work:
        made = work.customers.get(1)
    assert (made.customer_account_type, made.customer_phone, made.customer_email) == ("Business", "+1 555 0100", None)


async def test_what_is_wrong_is_said_at_its_field_and_nothing_is_written(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "n", "tab", "tab")
        await type_text(pilot, "0" * 41)
        await press(pilot, "ctrl+s")
        lines = screen_lines(pilot.app)
        name = next(at for at, line in enumerate(lines) if "Name *" in line)
        phone = next(at for at, line in enumerate(lines) if "  Phone  " in line)
        assert "is required" in lines[name + 1]
        assert "should have at most 40" in lines[phone + 1]
        await type_text(pilot, "Ada")
        assert "Ada" in screen_lines(pilot.app)[name]
    with crm.reading(admin) as work:
        assert work.customers.count(ListQuery()).value == 0


async def test_a_reader_is_offered_nothing_to_change(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    reader = Actor(ActorKind.STAFF, "reader", permissions=frozenset({"view_customer", "view_customer_contact"}))
    async with signed_in_app(crm, reader) as pilot:
        assert "New" not in screen_text(pilot.app)
        await press(pilot, "n", "enter")
        assert "Edit" not in screen_text(pilot.app)
        await press(pilot, "2", "n")
        assert "New contact" not in screen_text(pilot.app)
        await press(pilot, "5")
        assert "needs the permission view_customer_transaction" in screen_text(pilot.app)


@pytest.mark.req("CAT-240", "CAT-268")
async def test_the_seven_tabs_are_reached_by_number_bracket_and_b(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "c 1")
        await press(pilot, "enter")
        tabs = [
            ("1", "Calls in the morning."),
            ("2", "Billing"),
            ("3", "1 Mill Lane, York"),
            ("4", "Mobile 20GB"),
            ("5", "Uninvoiced"),
            ("6", "This customer holds no items"),
            ("7", "Customer created"),
        ]
        for key, text in tabs:
            await press(pilot, key)
            await until(pilot, lambda text=text: text in screen_text(pilot.app))  # type: ignore[misc]
        await press(pilot, "right_square_bracket")
        assert "Calls in the morning." in screen_text(pilot.app)
        await press(pilot, "left_square_bracket")
        assert "Customer created" in screen_text(pilot.app)
        await press(pilot, "b")
        assert "Uninvoiced" in screen_text(pilot.app)


@pytest.mark.req("CAT-242")
async def test_a_contact_is_added(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "enter", "2", "n")
        await type_text(pilot, "Eve")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "Eve" in screen_text(pilot.app) and "New contact *" not in screen_text(pilot.app))
    with crm.reading(admin) as work:
        customer_id = work.customers.window(ListQuery(sort="customer_name"), FIRST, 1).rows[0].customer_id
        assert [contact.contact_firstname for contact in work.customers.contacts(customer_id)][-1] == "Eve"


async def test_a_contact_and_a_site_are_edited(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "c 1")
        await press(pilot, "enter", "2", "e")
        assert "Edit contact" in screen_text(pilot.app)
        await press(pilot, "tab")
        await type_text(pilot, " King")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "Ada Lovelace King" in screen_text(pilot.app))
        await press(pilot, "3", "e", "tab")
        await type_text(pilot, "9")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "1 Mill Lane9, York" in screen_text(pilot.app))
    with crm.reading(admin) as work:
        customer = work.customers.get(1)
    assert (customer.contacts[0].contact_types, customer.sites[0].country) == ("Billing", "UK")


@pytest.mark.req("CAT-246", "CAT-251")
async def test_a_site_needs_a_country(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "enter", "3", "n")
        await type_text(pilot, "Warehouse")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "is required" in screen_text(pilot.app))
        await settled(pilot)
        await type_text(pilot, "UK")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "New site" not in screen_lines(pilot.app)[1] and "1 of" in screen_text(pilot.app))
        assert "Warehouse" in screen_text(pilot.app)


@pytest.mark.req("CAT-237")
async def test_only_what_was_changed_is_saved_and_a_lost_update_is_refused(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "c 1")
        await press(pilot, "enter", "e", "tab", "tab", "right")
        with crm.as_actor(admin) as work:
            work.customers.update(1, CustomerChange(customer_phone="+1"))
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "meanwhile" in screen_text(pilot.app))
        await press(pilot, "escape", "y")
        await press(pilot, "escape", "colon")
        await type_text(pilot, "c 1")
        await press(pilot, "enter", "e", "tab", "tab", "right", "ctrl+s")
        await until(pilot, lambda: "Edit customer" not in screen_text(pilot.app))
    with crm.reading(admin) as work:
        saved = work.customers.get(1)
    assert (saved.customer_status, saved.customer_phone) == ("Closed", "+1")


@pytest.mark.req("SVC-148", "SVC-150")
async def test_the_log_is_filtered_by_kind_and_shows_what_was_changed(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    with crm.as_actor(admin) as work:
        work.customers.update(1, CustomerChange(customer_status="Closed"))
    async with signed_in_app(crm, admin, (120, 40)) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "c 1")
        await press(pilot, "enter", "7")
        assert "Customer changed" in screen_lines(pilot.app)[4]
        await press(pilot, "enter")
        assert "Open → Closed" in screen_text(pilot.app)
        await press(pilot, "escape", "right", "right")
        assert "Contact added" in screen_text(pilot.app)
        assert "Customer changed" not in screen_text(pilot.app)


@pytest.mark.req("CAT-239")
async def test_a_asks_for_the_catalogue_for_this_customer(
    crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_people(crm, admin)
    asked: list[int] = []
    async with signed_in_app(crm, admin) as pilot:
        monkeypatch.setattr(pilot.app, "open_catalogue", asked.append)
        await press(pilot, "colon")
        await type_text(pilot, "c 1")
        await press(pilot, "enter", "4", "a")
    assert asked == [1]


@pytest.mark.req("SVC-229")
async def test_a_service_page_opens_although_charging_does_not_answer(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "s 1")
        await press(pilot, "enter")
        await until(pilot, lambda: "Mobile_SIM_1" in screen_text(pilot.app))
        assert "Balances" in screen_text(pilot.app)
        assert screen_lines(pilot.app)[0].strip().startswith("Ada Lovelace › Mobile 20GB #1")


async def test_a_key_held_down_in_a_list_moves_as_many_rows_and_in_the_search_line_types(
    crm: Crm, admin: Actor
) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        for name in ("down", "down", "down", "up"):
            pilot.app.post_message(events.Key(name, None))
        await until(pilot, lambda: "3 of 6" in screen_text(pilot.app))
        for name in "jjj":
            pilot.app.post_message(events.Key(name, name))
        await until(pilot, lambda: "6 of 6" in screen_text(pilot.app))
        await press(pilot, "slash")
        for name in "kkjj":
            pilot.app.post_message(events.Key(name, name))
        await until(pilot, lambda: "kkjj" in screen_text(pilot.app))
