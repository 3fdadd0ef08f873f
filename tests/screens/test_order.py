"""Ordering by keyboard: from the catalogue over the items and the review to the job."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import ServiceChange, ServiceInput
from omnicrm_tui.customers.schemas import ContactInput, CustomerChange, SiteInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.inventory.schemas import ItemChange
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.schemas import ProvisionRequest
from tests.screens.harness import LARGE, press, screen_lines, screen_text, settled, signed_in_app, type_text, until
from tests.screens.shop import ADDON, BUSINESS_LINE, MOBILE, open_shop


async def open_catalogue(pilot: Pilot[None], customer: int = 1) -> None:
    """Open the customer's page, and from there the catalogue."""
    pilot.app.open_customer(customer)  # type: ignore[attr-defined]
    await settled(pilot)
    await press(pilot, "a")


async def to_the_picker(pilot: Pilot[None]) -> None:
    """Choose the mobile plan: the dialogs wait in a worker, so wait for what they show."""
    await pilot.press("enter")
    await until(pilot, lambda: "Required Inventory Items" in screen_text(pilot.app) and "#1 " in screen_text(pilot.app))


async def shows(pilot: Pilot[None], text: str) -> None:
    """Wait until `text` is on the screen."""
    await until(pilot, lambda: text in screen_text(pilot.app))


def started(crm: Crm, admin: Actor) -> list[dict[str, object]]:
    """Return product, service, items and renewal of all jobs."""
    with crm.reading(admin) as work:
        rows = work.provisioning.window(ListQuery(sort="provision_id"), FIRST, 50).rows
        jobs = [work.provisioning.get(row.provision_id) for row in rows]
    return [
        {
            "product": job.product_id,
            "customer": job.customer_id,
            "service": job.provisioning_json_vars.get("service_id"),
            "items": job.inventory_choices,
            "auto_renew": job.provisioning_json_vars.get("auto_renew"),
        }
        for job in jobs
    ]


@pytest.mark.req("CAT-359", "SVC-004")
@pytest.mark.req(
    "SVC-160", "SVC-161", "CAT-353", "CAT-358", "BIL-101", "BIL-106", "BIL-131", "BIL-134", "SVC-172", "SVC-174"
)
async def test_a_plan_is_ordered_with_a_handful_of_keys(crm: Crm, admin: Actor) -> None:
    dispatcher = open_shop(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        assert "For Ada Lovelace (Individual)" in screen_text(pilot.app)
        await to_the_picker(pilot)
        await pilot.press("enter")
        await shows(pilot, "+44770000001")
        await pilot.press("enter")
        await pilot.press("enter")
        await shows(pilot, "enable auto-renewal")
        await pilot.press("y")
        await shows(pilot, "Confirm & Provision")
        seen = screen_text(pilot.app)
        for text in ("Ada Lovelace (ID: 1)", "Mobile 20GB", "ICCID: 8944000000000000001", "$5.00", "$15.00", "$22.00"):
            assert text in seen
        assert "2026-12-21" in seen
        assert "[literal] brackets" in seen
        await pilot.press("space", "enter")
        await shows(pilot, "Provisioning Status: Running")
        assert dispatcher.dispatched == [1]
        assert started(crm, admin) == [
            {
                "product": MOBILE,
                "customer": 1,
                "service": None,
                "items": {"SIM Card": 1, "Mobile Number": 2},
                "auto_renew": True,
            }
        ]
        await press(pilot, "escape")
        assert "Customers › Ada Lovelace #1" in screen_text(pilot.app)


@pytest.mark.req("BIL-127", "BIL-128")
async def test_terms_have_to_be_accepted_and_that_is_kept(crm: Crm, admin: Actor) -> None:
    dispatcher = open_shop(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        await to_the_picker(pilot)
        await pilot.press("enter")
        await shows(pilot, "+44770000001")
        await pilot.press("enter", "enter")
        await shows(pilot, "enable auto-renewal")
        await pilot.press("n")
        await shows(pilot, "tick the terms first")
        await pilot.press("ctrl+s", "tab", "enter")
        await pilot.pause()
        assert "tick the terms first" in screen_text(pilot.app)
        assert dispatcher.dispatched == []
        await pilot.press("shift+tab", "space", "ctrl+s")
        await shows(pilot, "Provisioning Status")
    assert started(crm, admin)[0]["auto_renew"] is False
    with crm.reading(admin) as work:
        log = work.activity.window(ListQuery(), FIRST, 100, customer_id=1).rows
    assert [row.timestamp for row in log if row.action == "Terms accepted"] == [crm.clock.now()]


@pytest.mark.req("BIL-102", "BIL-105", "SVC-166", "CAT-357")
async def test_continue_waits_until_every_type_is_chosen(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        await to_the_picker(pilot)
        assert "( Continue )  2 to choose" in screen_text(pilot.app)
        await pilot.press("enter")
        await shows(pilot, "1 to choose")
        assert "✓ #1 - ICCID: 8944000000000000001 (New)" in screen_text(pilot.app)
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert "Required Inventory Items" in screen_text(pilot.app)
        await pilot.press("2")
        await shows(pilot, "+44770000003")
        await pilot.press("down", "enter")
        await shows(pilot, "[ Continue ]")
        assert "✓ #4 - Phone Number: +44770000002 (In Stock)" in screen_text(pilot.app)


@pytest.mark.req("SVC-169", "PLT-394")
async def test_items_are_found_while_typing(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin, LARGE) as pilot:
        await open_catalogue(pilot)
        await to_the_picker(pilot)
        await pilot.press("slash")
        await type_text(pilot, "100000000003")
        await until(pilot, lambda: "8944000000000000002" not in screen_text(pilot.app))
        await pilot.press("enter", "enter")
        await shows(pilot, "✓ #5 - ICCID: 8944000000000000003")


@pytest.mark.req("SVC-170", "BIL-109")
async def test_an_item_that_somebody_else_took_is_chosen_again(crm: Crm, admin: Actor) -> None:
    dispatcher = open_shop(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        await to_the_picker(pilot)
        await pilot.press("enter")
        await shows(pilot, "+44770000001")
        await pilot.press("enter", "enter")
        await shows(pilot, "enable auto-renewal")
        await pilot.press("y")
        await shows(pilot, "Confirm & Provision")
        with crm.as_actor(admin) as work:
            chosen = {"SIM Card": 1, "Mobile Number": 4}
            work.provisioning.start(ProvisionRequest(product_id=MOBILE, customer_id=4, inventory=chosen))
        await pilot.press("space", "enter")
        await shows(pilot, "has just been chosen for another order")
        await shows(pilot, "8944000000000000002")
        assert "✓ #2 - Phone Number" in screen_text(pilot.app)
        assert "8944000000000000001" in screen_text(pilot.app)  # only in the message
        await pilot.press("enter", "enter")
        await shows(pilot, "Confirm & Provision")
        await pilot.press("space", "enter")
        await shows(pilot, "Provisioning Status")
    assert dispatcher.dispatched == [1, 2]
    assert started(crm, admin)[1]["items"] == {"SIM Card": 3, "Mobile Number": 2}


@pytest.mark.req("SVC-186", "BIL-114")
async def test_an_empty_stock_says_why(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        for inventory_id in (1, 3, 5):
            work.inventory.update(inventory_id, ItemChange(item_state="Out Of Service"))
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        await pilot.press("enter")
        await shows(pilot, "No inventory available. Possible causes:")
        assert "differently from its inventory template" in screen_text(pilot.app)


@pytest.mark.req("SVC-162", "SVC-185", "CAT-355", "CAT-360", "CAT-361", "CAT-362", "CAT-363", "CAT-364")
async def test_type_and_group_are_toggled_by_key(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        work.catalog.create(
            ProductInput(product_name="Business Pool", category="addon", business=True, residential=False)
        )
    async with signed_in_app(crm, admin, LARGE) as pilot:
        pilot.app.open_catalogue(0)  # type: ignore[attr-defined]
        await settled(pilot)
        assert "For individual customers" in screen_text(pilot.app)
        assert "Mobile 20GB" in screen_text(pilot.app)
        assert "Business Line" not in screen_text(pilot.app)
        await press(pilot, "c")
        assert "Business Line" in screen_text(pilot.app)
        assert "Mobile 20GB" not in screen_text(pilot.app)
        await press(pilot, "c", "2")
        assert "Extra 5GB" in screen_text(pilot.app)
        assert "Business Pool" not in screen_text(pilot.app)
        await press(pilot, "c")
        assert "Business Pool" in screen_text(pilot.app)
        assert "Extra 5GB" not in screen_text(pilot.app)
        await press(pilot, "c", "3")
        seen = screen_text(pilot.app)
        assert "Old Promo" not in seen
        assert "c shows the other type of customer" in seen


@pytest.mark.req("BIL-124", "BIL-125", "BIL-127", "SVC-163")
@pytest.mark.parametrize("size", [(80, 24), LARGE])
async def test_the_detail_follows_the_cursor_and_opens_the_terms(crm: Crm, admin: Actor, size: tuple[int, int]) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin, size) as pilot:
        await open_catalogue(pilot)
        seen = screen_text(pilot.app)
        assert "• 20 GB of data" in seen
        assert "$15.00 a month   setup $5.00" in seen
        assert "Valid for 30 days" not in seen
        await press(pilot, "t")
        pilot.app.screen.query_one("#detail").scroll_end(animate=False)
        await pilot.pause()
        assert "Valid for 30 days" in screen_text(pilot.app)


@pytest.mark.req("SVC-164", "SVC-165", "SVC-187")
@pytest.mark.parametrize("words", ["lovel", "person1@", "+44700000001", "1"])
async def test_the_customer_is_found_by_name_id_mail_and_phone(crm: Crm, admin: Actor, words: str) -> None:
    dispatcher = open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        product = work.catalog.get(MOBILE)
    assert product.terms
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.open_catalogue(0)  # type: ignore[attr-defined]
        await settled(pilot)
        await pilot.press("a")
        await shows(pilot, "Check that this is the right customer")
        await type_text(pilot, "nobody at all")
        await shows(pilot, "Customer not found")
        await pilot.press("ctrl+u")
        await type_text(pilot, words)
        await shows(pilot, "Matching customers:")
        await shows(pilot, "Ada Lovelace (ID: 1)")
        await pilot.press("enter")
        await shows(pilot, "Required Inventory Items")
        await pilot.press("escape")
        await shows(pilot, "Check that this is the right customer")
    assert dispatcher.dispatched == []


@pytest.mark.req("SVC-157", "CAT-365")
async def test_a_product_for_others_is_refused_with_the_reason(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        await press(pilot, "c")
        assert "Ada Lovelace is not one" in screen_text(pilot.app)
        await pilot.press("enter")
        await shows(pilot, "Business Line is not for individual customers.")
        assert started(crm, admin) == []
    assert BUSINESS_LINE


@pytest.mark.req("CAT-021", "PLT-076", "SVC-185")
async def test_who_may_not_order_is_told_why_before_anything_is_chosen(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        work.customers.update(1, CustomerChange(customer_enabled=False))
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.open_customer(3)  # type: ignore[attr-defined]
        await settled(pilot)
        await pilot.press("a")
        await shows(pilot, "Chen 陳大文 is Suspended: nothing can be")
        assert "Service Plans" not in screen_text(pilot.app)
        pilot.app.open_catalogue(0)  # type: ignore[attr-defined]
        await settled(pilot)
        await pilot.press("a")
        await shows(pilot, "Check that this is the right customer")
        await type_text(pilot, "lovel")
        await shows(pilot, "Matching customers:")
        await pilot.press("enter")
        await shows(pilot, "Ada Lovelace is disabled: nothing")
        await shows(pilot, "Check that this is the right customer")
    assert started(crm, admin) == []


@pytest.mark.req("SVC-179", "SVC-180", "CAT-372", "BIL-111", "CAT-357")
async def test_an_add_on_asks_which_of_two_services(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        second = ServiceInput(customer_id=1, service_name="Tablet", service_type="mobile", service_uuid="Mobile_2")
        work.customer_services.create(second)
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        await press(pilot, "2")
        await pilot.press("enter")
        await shows(pilot, "Which service should receive this add-on?")
        await pilot.press("down", "enter")
        await shows(pilot, "Tablet (ID: 2)")
        await shows(pilot, "Confirm & Provision")
        await pilot.press("ctrl+s")
        await shows(pilot, "Provisioning Status")
    [job] = started(crm, admin)
    assert (job["product"], job["service"], job["items"]) == (ADDON, 2, {})


async def test_escape_goes_one_step_back_and_keeps_what_was_chosen(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        await to_the_picker(pilot)
        await pilot.press("enter")
        await shows(pilot, "+44770000001")
        await pilot.press("enter", "enter")
        await shows(pilot, "enable auto-renewal")
        await pilot.press("escape")
        await shows(pilot, "✓ #1 - ICCID")
        assert any("✓ #2 - Phone Number" in line for line in screen_lines(pilot.app))
        await pilot.press("escape")
        await settled(pilot)
        assert "Service Plans" in screen_text(pilot.app)
        assert started(crm, admin) == []


@pytest.mark.req("SVC-181")
@pytest.mark.parametrize("size", [(80, 24), LARGE])
async def test_a_business_is_asked_for_place_people_and_numbers(crm: Crm, admin: Actor, size: tuple[int, int]) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        site = work.customers.add_site(2, SiteInput(site_name="Plant [1]", city="York", country="UK")).site_id
        for name, kind in (("Li", "Technical"), ("Bo", "Billing")):
            work.customers.add_contact(2, ContactInput(contact_firstname=name, contact_types=kind))
    async with signed_in_app(crm, admin, size) as pilot:
        await open_catalogue(pilot, customer=2)
        await pilot.press("enter")
        await shows(pilot, "Details of the order for")
        seen = screen_text(pilot.app)
        for text in ("Plant [1], York", "Bo (Billing)", "Li (Technical)", "Cost centre", "Installation date"):
            assert text in seen
        await pilot.press("down", "down", "down")
        await type_text(pilot, "PO-2025-001234")
        await pilot.press("down", "down", "down")
        await type_text(pilot, "soon")
        await pilot.press("ctrl+s")
        await shows(pilot, "! a day such as 2026-12-01")
        await pilot.press("ctrl+u")
        await type_text(pilot, "2026-12-01")
        await pilot.press("ctrl+s")
        await shows(pilot, "Confirm & Provision")
        for text in ("Plant [1], York", "PO-2025-001234", "2026-12-01"):
            assert text in screen_text(pilot.app)
        await pilot.press("escape")
        await shows(pilot, "PO-2025-001234")
        await pilot.press("ctrl+s")
        await shows(pilot, "Confirm & Provision")
        await pilot.press("ctrl+s")
        await shows(pilot, "Provisioning Status")
    with crm.reading(admin) as work:
        variables = work.provisioning.get(1).provisioning_json_vars
    assert (variables["site_id"], variables["billing_contact_id"], variables["technical_contact_id"]) == (site, 3, 2)
    assert (variables["purchase_order_number"], variables["installation_date"]) == ("PO-2025-001234", "2026-12-01")
    assert "cost_centre" not in variables


@pytest.mark.req("SVC-183")
async def test_somebody_with_two_sites_chooses_one(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        site = work.customers.add_site(1, SiteInput(site_name="Cottage", country="UK")).site_id
    async with signed_in_app(crm, admin) as pilot:
        await open_catalogue(pilot)
        await pilot.press("enter")
        await shows(pilot, "Details of the order for Ada Lovelace")
        assert "Purchase order" not in screen_text(pilot.app)
        await pilot.press("c")
        await shows(pilot, "Cottage")
        await pilot.press("ctrl+s")
        await shows(pilot, "Required Inventory Items")
        await pilot.press("escape")
        await shows(pilot, "Cottage")
        await pilot.press("escape")
        await settled(pilot)
        assert "Service Plans" in screen_text(pilot.app)
    assert site == 2


@pytest.mark.req("SVC-184", "SVC-192")
@pytest.mark.parametrize("way", ["page", "tab"])
async def test_an_add_on_is_ordered_from_the_service_itself(crm: Crm, admin: Actor, way: str) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        for name, kind in (("Tablet", "mobile"), ("Fibre", "internet")):
            work.customer_services.create(ServiceInput(customer_id=1, service_name=name, service_type=kind))
        fibre = {"product_name": "Static IP", "category": "addon", "service_type": "internet"}
        work.catalog.create(ProductInput(**fibre, provisioning_play="play_simple_service"))
    async with signed_in_app(crm, admin) as pilot:
        if way == "page":
            pilot.app.open_place("service", 2)  # type: ignore[attr-defined]
            await settled(pilot)
            await press(pilot, "a")
        else:
            pilot.app.open_customer(1)  # type: ignore[attr-defined]
            await settled(pilot)
            await press(pilot, "4")
            await press(pilot, "down", "A")
        await shows(pilot, "For Tablet (ID: 2) of Ada Lovelace")
        seen = screen_text(pilot.app)
        assert "Extra 5GB" in seen
        assert "Static IP" not in seen
        assert "$4.00 once   setup $0.00" in seen
        await pilot.press("enter")
        await shows(pilot, "Tablet (ID: 2)")
        await shows(pilot, "Price, once")
        await pilot.press("ctrl+s")
        await shows(pilot, "Provisioning Status")
    [job] = started(crm, admin)
    assert (job["product"], job["service"]) == (ADDON, 2)


@pytest.mark.req("SVC-184", "CAT-367")
async def test_a_service_that_is_over_says_why_it_gets_no_add_on(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    with crm.as_actor(admin) as work:
        work.customer_services.update(1, ServiceChange(service_status="Deactivated"))
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.open_place("service", 1)  # type: ignore[attr-defined]
        await settled(pilot)
        await pilot.press("a")
        await shows(pilot, "Mobile 20GB is Deactivated: nothing")
        assert "Add-ons" not in screen_text(pilot.app).splitlines()[0]
