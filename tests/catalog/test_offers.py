"""What is offered to whom when an order begins: every filter of the guide at once, and each alone."""

from __future__ import annotations

from typing import Any

import pytest

from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import ServiceInput
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.schemas import parse

ADDON: dict[str, Any] = {"product_name": "Boost", "category": "addon", "service_type": "mobile"}


def offered(crm: Crm, admin: Actor, product: dict[str, Any], **asked: Any) -> bool:
    """Tell whether a product is offered to a customer that has a mobile service."""
    with crm.as_actor(admin) as work:
        customer = work.customers.create(CustomerInput(customer_name="Ada"))
        service = ServiceInput(customer_id=customer.customer_id, service_name="Mobile", service_type="mobile")
        work.customer_services.create(service)
        made = work.catalog.create(parse(ProductInput, product))
        question = {"account_type": "Individual", "group": "addons", "service_type": "mobile"} | asked
        found = work.catalog.orderable(customer_id=customer.customer_id, **question)
    return made.product_id in {view.product_id for view in found}


@pytest.mark.req("CAT-354", "PLT-431")
@pytest.mark.parametrize(
    "hidden_by",
    [
        {"enabled": False},
        {"available_from": "2027-01-01"},
        {"available_until": "2025-01-01"},
        {"relies_on_list": "['iptv']"},
        {"relies_on_list": "['mobile', 999]"},
        pytest.param({"residential": False}, marks=pytest.mark.req("CAT-369")),
        pytest.param({"service_type": "internet"}, marks=pytest.mark.req("CAT-367")),
    ],
    ids=str,
)
def test_each_filter_alone_hides_an_addon(crm: Crm, admin: Actor, hidden_by: dict[str, Any]) -> None:
    assert offered(crm, admin, ADDON | {"relies_on_list": "['mobile']"})
    assert not offered(crm, admin, ADDON | hidden_by)


@pytest.mark.req("CAT-354", "CAT-365")
def test_customers_see_what_customers_may_order(crm: Crm, admin: Actor) -> None:
    assert not offered(crm, admin, ADDON, by_customer=True)
    assert offered(crm, admin, ADDON | {"customer_can_purchase": True}, by_customer=True)


@pytest.mark.req("CAT-369")
def test_an_addon_for_homes_is_not_for_businesses(crm: Crm, admin: Actor) -> None:
    assert offered(crm, admin, ADDON, account_type="Business")
    assert not offered(crm, admin, ADDON | {"business": False}, account_type="Business")


@pytest.mark.req("CAT-374")
def test_a_promo_stands_among_the_offers_and_nowhere_else(crm: Crm, admin: Actor) -> None:
    promo = ADDON | {"category": "promo"}
    assert offered(crm, admin, promo, group="promos")
    assert not offered(crm, admin, promo, group="plans")
    assert not offered(crm, admin, promo, group="addons")
