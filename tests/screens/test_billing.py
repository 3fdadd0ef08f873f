"""The Billing tab: figures, adding, voiding, invoices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from textual.pilot import Pilot

from omnicrm_tui.billing.schemas import InvoiceInput
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.listing import FIRST, ListQuery
from tests.screens.harness import press, screen_lines, screen_text, signed_in_app, type_text, until
from tests.screens.people import add_people


async def open_billing(pilot: Pilot[None]) -> None:
    await press(pilot, "colon")
    await type_text(pilot, "c 1")
    await press(pilot, "enter", "b")
    await until(pilot, lambda: "$40.00" in screen_text(pilot.app))


@pytest.mark.req("CAT-280", "CAT-285", "BIL-356", "BIL-357")
async def test_the_figures_and_the_rows_are_those_of_the_customer(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_billing(pilot)
        labels, sums = screen_lines(pilot.app)[2:4]
        assert labels.split() == ["Transactions", "Total", "Uninvoiced", "This", "month", "Last", "month"]
        assert sums.split() == ["$40.00", "$40.00", "$40.00", "$0.00"]
        assert "-$10.00" in screen_text(pilot.app)
        assert screen_text(pilot.app).count("uninvoiced") == 2


@pytest.mark.req("CAT-282", "CAT-283", "BIL-364", "BIL-366")
async def test_a_credit_is_entered_positive_and_lowers_the_total(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_billing(pilot)
        await press(pilot, "n", "right", "tab", "right", "tab")
        await type_text(pilot, "Sorry")
        await press(pilot, "tab", "tab")
        await type_text(pilot, "15")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "$25.00" in screen_lines(pilot.app)[3])
        assert "-$15.00" in screen_text(pilot.app)


@pytest.mark.req("CAT-282")
async def test_service_and_site_are_chosen_by_name(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_billing(pilot)
        await press(pilot, "n", "tab", "tab")
        await type_text(pilot, "Call-out")
        await press(pilot, "tab", "tab")
        await type_text(pilot, "30")
        await press(pilot, "tab", "tab", "tab", "m", "tab", "right")
        assert "‹ Mobile 20GB #1 ›" in screen_text(pilot.app)
        assert "‹ Home ›" in screen_text(pilot.app)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "$70.00" in screen_lines(pilot.app)[3])
    with crm.reading(admin) as work:
        made = work.billing.get(3)
    assert (made.title, made.service_id, made.site_id) == ("Call-out", 1, 1)


@pytest.mark.req("BIL-365")
async def test_a_credit_without_its_type_is_refused_at_the_field(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_billing(pilot)
        await press(pilot, "n", "right", "tab", "tab")
        await type_text(pilot, "Sorry")
        await press(pilot, "tab", "tab")
        await type_text(pilot, "15")
        await press(pilot, "ctrl+s")
        lines = screen_lines(pilot.app)
        credit = next(at for at, line in enumerate(lines) if "Credit type" in line)
        await until(pilot, lambda: "!" in "".join(screen_lines(pilot.app)[credit + 1 : credit + 3]))
    with crm.reading(admin) as work:
        assert work.billing.count(ListQuery(), customer_id=1).value == 2


@pytest.mark.req("CAT-284", "BIL-368")
async def test_voiding_asks_with_the_amount_and_hides_the_row(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await open_billing(pilot)
        await press(pilot, "d")
        assert "Void transaction 2?" in screen_text(pilot.app)
        assert "-$10.00" in screen_text(pilot.app)
        await press(pilot, "n")
        assert "Void transaction" not in screen_text(pilot.app)
        await press(pilot, "d", "y")
        await until(pilot, lambda: "$50.00" in screen_lines(pilot.app)[3])
        assert "Outage" not in screen_text(pilot.app)
    with crm.reading(admin) as work:
        assert work.billing.get(2).void


@pytest.mark.req("BIL-372", "CAT-286", "CAT-296")
async def test_what_is_invoiced_is_not_voided_and_the_invoice_shows_its_lines(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    with crm.as_actor(admin) as work:
        days = {"start_date": date(2026, 11, 1), "end_date": date(2026, 11, 30), "due_date": date(2026, 12, 15)}
        number = work.billing.add_invoice(InvoiceInput(customer_id=1, **days)).invoice_number
    async with signed_in_app(crm, admin) as pilot:
        await open_billing(pilot)
        await press(pilot, "d")
        assert "issue a credit instead" in screen_text(pilot.app)
        await press(pilot, "tab")
        await until(pilot, lambda: "$40.00 (1)" in screen_text(pilot.app))
        assert number in screen_text(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: "Subtotal" in screen_text(pilot.app))
        assert "Setup" in screen_text(pilot.app)
        await press(pilot, "escape", "tab")
        assert "Setup" in screen_text(pilot.app)


@pytest.mark.req("CAT-270")
async def test_the_room_shows_all_customers_transactions(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, room="billing") as pilot:
        assert "1 of 2" in screen_text(pilot.app)
        assert " Add " not in screen_lines(pilot.app)[-1]
        await press(pilot, "enter")
        await until(pilot, lambda: "Goodwill" in screen_text(pilot.app))
    with crm.reading(admin) as work:
        assert work.billing.window(ListQuery(), FIRST, 5).rows[0].retail_cost in (Decimal(50), Decimal(-10))
