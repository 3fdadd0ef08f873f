"""Every field of products: its name, its type, its default."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.schemas import parse
from tests.api.conftest import ClientAs
from tests.api.fields import REQUIRED, Entity

PRODUCT = Entity("/crm/product/", "product_id", {"product_name": "Plan {n}", "category": "standalone"})

ROWS = [
    pytest.param(
        "product_name",
        "Mobile SIM Only",
        "Mobile SIM Only",
        REQUIRED,
        marks=pytest.mark.req("PLT-103", "CAT-077", "BIL-070"),
    ),
    pytest.param("category", "bundle", "bundle", REQUIRED, marks=pytest.mark.req("PLT-105", "CAT-079")),
    pytest.param("service_type", "fixed-voice", "fixed-voice", "", marks=pytest.mark.req("CAT-080", "BIL-073")),
    pytest.param("comment", "20/2 Mbps", "20/2 Mbps", "", marks=pytest.mark.req("CAT-081", "BIL-076")),
    pytest.param("icon", "fa-solid fa-sim-card", "fa-solid fa-sim-card", "", marks=pytest.mark.req("BIL-075")),
    pytest.param("retail_cost", "15.00", 15, 0, marks=pytest.mark.req("PLT-109", "CAT-083", "BIL-077")),
    pytest.param("wholesale_cost", 5.84, 5.84, 0, marks=pytest.mark.req("CAT-084", "BIL-077")),
    pytest.param("retail_setup_cost", "1.5", 1.5, 0, marks=pytest.mark.req("PLT-110", "CAT-085", "BIL-078")),
    pytest.param("wholesale_setup_cost", 45, 45, 0, marks=pytest.mark.req("CAT-086", "BIL-078")),
    pytest.param("tax_percentage", "12.5", 12.5, 0, marks=pytest.mark.req("CAT-087", "BIL-092")),
    pytest.param("enabled", False, False, True, marks=pytest.mark.req("PLT-111", "CAT-088")),
    pytest.param("residential", False, False, True, marks=pytest.mark.req("CAT-089")),
    pytest.param("business", False, False, True, marks=pytest.mark.req("CAT-090")),
    pytest.param("customer_can_purchase", True, True, False, marks=pytest.mark.req("CAT-091")),
    pytest.param(
        "available_from", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", None, marks=pytest.mark.req("CAT-092")
    ),
    pytest.param(
        "available_until", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", None, marks=pytest.mark.req("CAT-093")
    ),
    pytest.param("contract_days", 180, 180, 0, marks=pytest.mark.req("CAT-094", "BIL-079")),
    pytest.param("auto_renew", "prompt", "prompt", "false", marks=pytest.mark.req("CAT-095", "BIL-084")),
    pytest.param("allow_auto_renew", True, True, False, marks=pytest.mark.req("CAT-096", "BIL-085")),
    pytest.param(
        "terms",
        "Credit is lost\nafter 12 months.",
        "Credit is lost\nafter 12 months.",
        "",
        marks=pytest.mark.req("CAT-097", "BIL-089"),
    ),
    pytest.param(
        "features_list", "['10 GB', 'Calls']", "['10 GB', 'Calls']", "", marks=pytest.mark.req("CAT-098", "BIL-088")
    ),
    pytest.param(
        "provisioning_play", "play_psim_only", "play_psim_only", "", marks=pytest.mark.req("PLT-106", "SVC-034")
    ),
    pytest.param(
        "provisioning_json_vars",
        '{"iccid": "", "msisdn": ""}',
        '{"iccid": "", "msisdn": ""}',
        "",
        marks=pytest.mark.req("PLT-107", "CAT-100", "SVC-035"),
    ),
    pytest.param(
        "inventory_items_list",
        "['SIM Card', 'Mobile Number']",
        "['SIM Card', 'Mobile Number']",
        "",
        marks=pytest.mark.req("PLT-108", "CAT-101", "SVC-036"),
    ),
    pytest.param("relies_on_list", "['mobile', 7]", "['mobile', 7]", "", marks=pytest.mark.req("CAT-102")),
]


@pytest.mark.req("CAT-104")
@pytest.mark.parametrize(("name", "sent", "shown", "default"), ROWS)
def test_a_products_field(client: TestClient, name: str, sent: Any, shown: Any, default: Any) -> None:
    PRODUCT.check(client, name, sent, shown, default)
    made = PRODUCT.make(client)
    changed = client.patch(f"/crm/product/{made['product_id']}", json={name: sent})
    assert changed.status_code == 200, changed.text
    assert PRODUCT.read(client, made["product_id"])[name] == shown


@pytest.mark.req("PLT-105", "CAT-079", "BIL-072")
def test_the_four_categories(client: TestClient) -> None:
    for category in ("standalone", "bundle", "addon", "promo"):
        assert PRODUCT.make(client, category=category)["category"] == category
    assert PRODUCT.refused(client, category="service") == {"category"}


@pytest.mark.req("PLT-102", "CAT-076", "BIL-069", "CAT-103")
def test_number_and_times_are_the_systems(client: TestClient, clock: FrozenClock) -> None:
    made = [PRODUCT.make(client) for _ in range(2)]
    assert [found["product_id"] for found in made] == [1, 2]
    assert made[0]["created"] == made[0]["last_modified"] == "2026-11-21T12:00:00Z"
    clock.advance(timedelta(minutes=5))
    changed = client.patch("/crm/product/1", json={"product_id": 9, "created": "2020-01-01", "terms": "New"}).json()
    assert (changed["product_id"], changed["created"]) == (1, "2026-11-21T12:00:00Z")
    assert changed["last_modified"] == "2026-11-21T12:05:00Z"


@pytest.mark.req("PLT-104", "CAT-078", "BIL-071", "SVC-038")
def test_a_slug_is_made_from_the_name_and_is_one_products_alone(client: TestClient) -> None:
    assert PRODUCT.make(client, product_name="Mobile SIM Only")["product_slug"] == "mobile-sim-only"
    assert PRODUCT.make(client, product_slug="sim-2")["product_slug"] == "sim-2"
    assert PRODUCT.refused(client, product_slug="Mobile SIM") == {"product_slug"}
    again = client.put("/crm/product/", json={**PRODUCT.body, "product_slug": "mobile-sim-only"})
    assert again.status_code == 409


@pytest.mark.req("CAT-081", "BIL-076", "BIL-088", "SVC-037", "SVC-039")
def test_a_play_reads_everything_and_a_customer_no_notes_and_no_costs_of_ours(
    client: TestClient, client_as: ClientAs
) -> None:
    made = PRODUCT.make(client, comment="Hidden", wholesale_cost=3, wholesale_setup_cost=1, customer_can_purchase=True)
    job = client_as(Actor(ActorKind.JOB, "job 1", 9, frozenset({"view_product"}), provision_id=1))
    names = ("comment", "retail_cost", "retail_setup_cost", "wholesale_cost", "wholesale_setup_cost")
    assert [PRODUCT.read(job, made["product_id"])[name] for name in names] == ["Hidden", 0, 0, 3, 1]
    customer = client_as(Actor(ActorKind.CUSTOMER, "ada", 5, frozenset({"view_own_customer", "view_product"}), 1))
    assert [PRODUCT.read(customer, made["product_id"])[name] for name in names] == ["", 0, 0, None, None]


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(
            {
                "product_name": "Mini Plan",
                "product_slug": "mobile-prepaid-mini",
                "category": "addon",
                "service_type": "mobile",
                "provisioning_play": "play_topup_charge_then_action",
                "provisioning_json_vars": "",
                "inventory_items_list": "[]",
                "retail_cost": 30,
                "retail_setup_cost": 0,
                "wholesale_cost": 5.84,
                "contract_days": 30,
                "residential": True,
                "business": False,
                "customer_can_purchase": True,
                "auto_renew": "prompt",
            },
            marks=pytest.mark.req("CAT-345"),
        ),
        pytest.param(
            {
                "product_name": "Seniors Bundle",
                "product_slug": "Bundle-Seniors",
                "category": "bundle",
                "service_type": "fixed",
                "provisioning_play": "play_seniors_package",
                "provisioning_json_vars": '{"IPTV_Service_ID": "SeniorBundle"}',
                "inventory_items_list": "['Modem Router']",
                "retail_cost": 30,
                "wholesale_cost": 10,
                "wholesale_setup_cost": 11,
                "contract_days": 180,
                "business": False,
                "enabled": True,
                "icon": "fa-solid fa-person-walking-with-cane",
            },
            marks=pytest.mark.req("CAT-346"),
        ),
        pytest.param(
            {
                "product_name": "PAYG £5 Topup",
                "product_slug": "Mobile-Topup-5",
                "category": "addon",
                "service_type": "mobile",
                "provisioning_play": "play_topup_monetary",
                "provisioning_json_vars": '{"service_id": ""}',
                "retail_cost": 5,
                "wholesale_cost": 0,
                "contract_days": 0,
                "business": False,
                "customer_can_purchase": True,
                "icon": "fa-solid fa-coins",
            },
            marks=pytest.mark.req("CAT-347"),
        ),
        pytest.param(
            {
                "product_name": "Prepaid Mobile 20GB",
                "product_slug": "prepaid-mobile-20gb",
                "category": "standalone",
                "service_type": "mobile",
                "enabled": True,
                "retail_cost": 15,
                "wholesale_cost": 5,
                "retail_setup_cost": 0,
                "wholesale_setup_cost": 1,
                "contract_days": 30,
            },
            marks=pytest.mark.req("BIL-093"),
        ),
        pytest.param(
            {
                "product_name": "5GB Data Boost",
                "product_slug": "5gb-data-boost",
                "category": "addon",
                "service_type": "mobile",
                "retail_cost": 5,
                "wholesale_cost": 1.5,
                "retail_setup_cost": 0,
                "wholesale_setup_cost": 0,
                "contract_days": 0,
                "residential": True,
                "business": True,
                "customer_can_purchase": True,
                "auto_renew": "false",
                "allow_auto_renew": False,
            },
            marks=pytest.mark.req("BIL-094"),
        ),
        pytest.param(
            {
                "product_name": "WiFi 6 Modem Rental",
                "product_slug": "wifi6-modem-rental",
                "category": "addon",
                "service_type": "internet",
                "retail_cost": 10,
                "wholesale_cost": 3,
                "retail_setup_cost": 0,
                "wholesale_setup_cost": 45,
                "contract_days": 30,
                "auto_renew": "true",
                "allow_auto_renew": True,
                "inventory_items_list": "['Rental Modem']",
            },
            marks=pytest.mark.req("BIL-095"),
        ),
        pytest.param(
            {
                "product_name": "Monthly 10GB Data Plan",
                "category": "addon",
                "retail_cost": 10,
                "contract_days": 30,
                "auto_renew": "true",
                "provisioning_play": "play_topup_charge_then_action",
            },
            marks=pytest.mark.req("BIL-096"),
        ),
        pytest.param(
            {
                "product_name": "Mobile SIM",
                "category": "standalone",
                "features_list": "['Australian mobile number (04xxx)', 'Fastest speeds', 'Best coverage', "
                "'Roaming on the mainland']",
                "terms": "Must be activated within 6 months.\nCredit is lost after 12 months without use.",
            },
            marks=pytest.mark.req("CAT-348"),
        ),
        pytest.param(
            {
                "product_name": "Mini Plan, as it is told",
                "category": "addon",
                "contract_days": 30,
                "features_list": "['8 GB', 'Unlimited calls and texts on our network', '100 minutes to Australia', "
                "'100 SMS to Australia', 'Valid for 30 days']",
                "terms": "Ends after 30 days.",
            },
            marks=pytest.mark.req("CAT-349"),
        ),
        pytest.param(
            {
                "product_name": "Seniors Bundle, as it is told",
                "category": "bundle",
                "contract_days": 180,
                "retail_setup_cost": 0,
                "comment": "20/2 Mbps internet, IPTV and telephone",
                "features_list": "['20/5 Mbps', 'Unlimited data', 'Home voice', 'Extra television for 5 a month']",
                "terms": "Installation costs 60. Contract of 6 months. A senior card is required.",
            },
            marks=pytest.mark.req("CAT-350"),
        ),
        pytest.param(
            {
                "product_name": "PAYG top-up, as it is told",
                "category": "addon",
                "retail_cost": 5,
                "features_list": "5 of credit",
                "terms": "Valid for 180 days or until it is used.",
            },
            marks=pytest.mark.req("CAT-351"),
        ),
    ],
)
def test_an_operators_sample_is_taken_as_it_is(
    crm: Crm, admin: Actor, client: TestClient, sample: dict[str, Any]
) -> None:
    with crm.as_actor(admin) as work:
        product_id = work.catalog.create(parse(ProductInput, sample), imported=True).product_id
    made = PRODUCT.read(client, product_id)
    assert {name: made[name] for name in sample} == sample
