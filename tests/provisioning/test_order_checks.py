"""What is refused before a job is made: customers that may not buy, add-ons that have nowhere to go."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.customer_services.schemas import ServiceChange, ServiceInput
from omnicrm_tui.customers.schemas import ContactInput, CustomerChange, CustomerInput, SiteInput
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.progress import JobEnd
from omnicrm_tui.provisioning.rules import FAILED
from omnicrm_tui.provisioning.schemas import ProvisionRequest
from omnicrm_tui.settings import CrmSection
from tests.fixtures.operator import Stock, end_job


@dataclass
class Shelf:
    """A stock whose customer has two mobile services and one for internet, and an add-on for mobile ones."""

    stock: Stock
    mobile: int
    internet: int
    addon: int

    def add_to(self, service_id: int | None) -> int:
        """Order the add-on for a service; return the job's number."""
        asked = ProvisionRequest(product_id=self.addon, customer_id=self.stock.customer_id, service_id=service_id)
        return self.stock.start(asked).provision_id

    def change(self, service_id: int, status: str) -> None:
        with self.stock.crm.as_actor(self.stock.admin) as work:
            work.customer_services.update(service_id, ServiceChange(service_status=status))


@pytest.fixture
def shelf(stock: Stock) -> Shelf:
    with stock.crm.as_actor(stock.admin) as work:
        made = [
            work.customer_services.create(
                ServiceInput(customer_id=stock.customer_id, service_name=name, service_type=kind)
            ).service_id
            for name, kind in (("Phone", "mobile"), ("Fibre", "internet"), ("Tablet", "mobile"))
        ]
        addon = work.catalog.create(
            ProductInput(
                product_name="Extra",
                category="addon",
                service_type="mobile",
                provisioning_play="play_local_data_addon",
            )
        )
    return Shelf(stock, made[0], made[1], addon.product_id)


def refused(shelf: Shelf, service_id: int | None) -> dict[str, str]:
    """Return what is told when the add-on is refused; nothing may have begun."""
    with pytest.raises(InvalidInput) as error:
        shelf.add_to(service_id)
    assert error.value.message in error.value.fields.values()
    assert shelf.stock.dispatcher.dispatched == []
    with shelf.stock.crm.reading(shelf.stock.admin) as work:
        assert work.provisioning.window(ListQuery(), FIRST, 5).rows == []
    return error.value.fields


@pytest.mark.req("CAT-367", "SVC-057", "SVC-179")
def test_an_add_on_goes_to_a_service_that_is_named_and_fits(shelf: Shelf) -> None:
    assert refused(shelf, None) == {"service_id": "Extra is added to a service: choose which one."}
    assert refused(shelf, shelf.internet) == {"service_id": "Fibre is of the type internet; the add-on is for mobile."}
    shelf.add_to(shelf.mobile)


@pytest.mark.req("CAT-367")
@pytest.mark.parametrize("status", ["Deactivated", "Inactive"])
def test_nothing_is_added_to_a_service_that_is_over(shelf: Shelf, status: str) -> None:
    shelf.change(shelf.mobile, status)
    assert refused(shelf, shelf.mobile) == {"service_id": f"Phone is {status}: nothing can be added to it."}


@pytest.mark.req("CAT-021", "PLT-076")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (CustomerChange(customer_status="Archived"), "is Archived"),
        (CustomerChange(customer_status="Closed"), "is Closed"),
        (CustomerChange(customer_status="Suspended"), "is Suspended"),
        (CustomerChange(customer_enabled=False), "is disabled"),
    ],
    ids=["archived", "closed", "suspended", "disabled"],
)
def test_who_is_closed_for_sale_orders_nothing(stock: Stock, change: CustomerChange, why: str) -> None:
    with stock.crm.as_actor(stock.admin) as work:
        work.customers.update(stock.customer_id, change)
    request = ProvisionRequest(product_id=stock.product_ids["play_simple_service"], customer_id=stock.customer_id)
    with pytest.raises(InvalidInput, match=why) as error:
        stock.start(request)
    assert set(error.value.fields) == {"customer_id"}
    assert stock.dispatcher.dispatched == []


@pytest.mark.req("CAT-021")
def test_which_statuses_are_open_for_sale_is_configured(stock: Stock) -> None:
    def sells_to(status: str, section: CrmSection) -> bool:
        stock.crm.settings = stock.crm.settings.model_copy(update={"crm": section})
        with stock.crm.as_actor(stock.admin) as work:
            work.customers.update(stock.customer_id, CustomerChange(customer_status=status))
        try:
            stock.order("play_simple_service")
        except InvalidInput:
            return False
        return True

    own = ["Neu", "Closed", "Gesperrt"]
    for status, sold in (("Neu", True), ("Gesperrt", True), ("Closed", False)):
        assert sells_to(status, CrmSection(customer_statuses=own)) is sold
    chosen = CrmSection(customer_statuses=own, sale_statuses=["Closed"])
    assert [sells_to(status, chosen) for status in own] == [False, True, False]


@pytest.mark.req("SVC-011", "CAT-367")
def test_what_would_be_refused_now_is_not_tried_again(shelf: Shelf) -> None:
    number = shelf.add_to(shelf.mobile)
    end_job(shelf.stock.crm, number, JobEnd(FAILED, "failed", "no", {}))

    def again() -> int:
        with shelf.stock.crm.as_actor(shelf.stock.admin) as work:
            return work.provisioning.retry(number).provision_id

    shelf.change(shelf.mobile, "Deactivated")
    with pytest.raises(InvalidInput, match="Phone is Deactivated"):
        again()
    shelf.change(shelf.mobile, "Active")
    with shelf.stock.crm.as_actor(shelf.stock.admin) as work:
        work.customers.update(shelf.stock.customer_id, CustomerChange(customer_status="Closed"))
    with pytest.raises(InvalidInput, match="is Closed"):
        again()
    with shelf.stock.crm.as_actor(shelf.stock.admin) as work:
        work.customers.update(shelf.stock.customer_id, CustomerChange(customer_status="Open"))
    assert again() > number


@pytest.fixture
def places(stock: Stock) -> dict[str, int]:
    """A site and a contact of the customer, and those of somebody else."""
    with stock.crm.as_actor(stock.admin) as work:
        other = work.customers.create(CustomerInput(customer_name="Bob")).customer_id
        site = SiteInput(site_name="Plant", country="NO")
        contact = ContactInput(contact_firstname="Li")
        return {
            "site": work.customers.add_site(stock.customer_id, site).site_id,
            "contact": work.customers.add_contact(stock.customer_id, contact).contact_id,
            "others_site": work.customers.add_site(other, site).site_id,
            "others_contact": work.customers.add_contact(other, contact).contact_id,
        }


@pytest.mark.req("SVC-181", "SVC-183")
def test_the_details_of_an_order_are_variables_of_its_job(stock: Stock, places: dict[str, int]) -> None:
    job = stock.order(
        "play_simple_service",
        site_id=str(places["site"]),
        billing_contact_id=places["contact"],
        technical_contact_id="",
        purchase_order_number=" PO-2025-001234 ",
        account_number=4711,
        installation_date="2026-12-01",
        speed=100,
    )
    with stock.crm.reading(stock.admin) as work:
        variables = work.provisioning.get(job).provisioning_json_vars
    expected = {
        "site_id": places["site"],
        "billing_contact_id": places["contact"],
        "purchase_order_number": "PO-2025-001234",
        "account_number": "4711",
        "installation_date": "2026-12-01",
        "speed": 100,
    }
    assert {name: variables.get(name) for name in expected} == expected
    assert "technical_contact_id" not in variables


@pytest.mark.req("SVC-181")
@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("site_id", "others_site", "is no site of this customer"),
        ("billing_contact_id", "others_contact", "is no contact of this customer"),
        ("technical_contact_id", "others_contact", "is no contact of this customer"),
        ("site_id", "the plant", "valid integer"),
        ("installation_date", "next Tuesday", "a day such as 2026-12-01"),
        ("installation_date", "2026-02-30", "a day such as 2026-12-01"),
        ("cost_centre", "x" * 61, "at most 60"),
    ],
)
def test_what_is_not_the_customers_or_no_day_is_refused_by_name(
    stock: Stock, places: dict[str, int], name: str, value: str, why: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        stock.order("play_simple_service", **{name: places.get(value, value)})
    assert why in refused.value.fields.pop(name)
    assert refused.value.fields == {}
    assert stock.dispatcher.dispatched == []
