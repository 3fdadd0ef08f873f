"""Every field of customers' services: its name, its type, its default, and whether it may be changed."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.fields import REQUIRED, Entity

SERVICE = Entity("/crm/service/", "service_id", {"customer_id": 1, "service_name": "Mobile {n}"})
NOON, LATER = "2026-11-21T12:00:00Z", "2027-02-01T00:00:00Z"


@pytest.fixture
def shop(client: TestClient) -> TestClient:
    """Customer 1 with site 1, product 1, and service 1 of it."""
    product = {
        "product_name": "Mobile",
        "category": "standalone",
        "service_type": "mobile",
        "icon": "fa-solid fa-sim-card",
        "retail_cost": 15.5,
        "wholesale_cost": 3,
        "provisioning_play": "play_psim_only",
        "provisioning_json_vars": '{"iccid": ""}',
    }
    for path, body in (
        ("/crm/customer/", {"customer_name": "Ada"}),
        ("/crm/site/", {"customer_id": 1, "site_name": "Home", "country": "Norway"}),
        ("/crm/product/", product),
        ("/crm/service/", {"customer_id": 1, "product_id": 1, "service_name": "Mobile SIM - 0412345678"}),
    ):
        answer = client.put(path, json=body)
        assert answer.status_code == 200, answer.text
    return client


@pytest.mark.parametrize(
    ("name", "sent", "shown", "default"),
    [
        pytest.param("customer_id", "1", 1, REQUIRED, marks=pytest.mark.req("PLT-092", "CAT-045")),
        pytest.param("product_id", "1", 1, None, marks=pytest.mark.req("PLT-093", "CAT-046")),
        pytest.param("site_id", 1, 1, None, marks=pytest.mark.req("PLT-094", "CAT-069")),
        pytest.param("service_name", "SIM - 04", "SIM - 04", REQUIRED, marks=pytest.mark.req("PLT-095", "CAT-047")),
        pytest.param("service_type", "generic", "generic", "", marks=pytest.mark.req("CAT-048")),
        ("icon", "fa-solid fa-tv", "fa-solid fa-tv", None),
        pytest.param("service_status", "Suspended", "Suspended", "Active", marks=pytest.mark.req("PLT-097", "CAT-051")),
        pytest.param(
            "service_provisioned_date",
            "2026-11-20T10:00:00+0100",
            "2026-11-20T09:00:00Z",
            NOON,
            marks=pytest.mark.req("CAT-052"),
        ),
        pytest.param("service_active_date", LATER, LATER, None, marks=pytest.mark.req("CAT-053")),
        pytest.param("service_deactivate_date", LATER, LATER, None, marks=pytest.mark.req("CAT-054")),
        pytest.param("contract_end_date", LATER, LATER, None, marks=pytest.mark.req("CAT-055")),
        pytest.param("retail_cost", "15.50", 15.5, 0, marks=pytest.mark.req("PLT-099", "CAT-056")),
        pytest.param("wholesale_cost", 3.25, 3.25, 0, marks=pytest.mark.req("PLT-099", "CAT-057")),
        pytest.param("service_billed", False, False, True, marks=pytest.mark.req("PLT-098", "CAT-058", "CAT-075")),
        pytest.param("service_taxable", False, False, True, marks=pytest.mark.req("CAT-059", "CAT-075")),
        pytest.param("promo_code", "SPRING", "SPRING", None, marks=pytest.mark.req("CAT-061")),
        pytest.param("service_visible_to_customer", False, False, True, marks=pytest.mark.req("CAT-062", "CAT-075")),
        pytest.param(
            "service_usage_visible_to_customer", False, False, True, marks=pytest.mark.req("CAT-063", "CAT-075")
        ),
        pytest.param("provisioning_play", "play_x", "play_x", None, marks=pytest.mark.req("CAT-064")),
        pytest.param("provisioning_json_vars", '{"a": 1}', '{"a": 1}', None, marks=pytest.mark.req("CAT-065")),
        pytest.param("deprovisioning_play", "play_y", "play_y", None, marks=pytest.mark.req("CAT-066")),
        pytest.param("deprovisioning_json_vars", '{"b": 2}', '{"b": 2}', None, marks=pytest.mark.req("CAT-067")),
        pytest.param("bundled_parent", 1, 1, None, marks=pytest.mark.req("PLT-100", "CAT-068")),
        pytest.param("service_notes", "On the roof", "On the roof", None, marks=pytest.mark.req("CAT-070")),
    ],
)
def test_a_services_field(shop: TestClient, name: str, sent: Any, shown: Any, default: Any) -> None:
    SERVICE.check(shop, name, sent, shown, default)


@pytest.mark.req("PLT-091", "CAT-044", "PLT-096", "CAT-049", "CAT-060", "CAT-071", "CAT-072", "CAT-423")
def test_what_a_service_gets_by_itself(shop: TestClient) -> None:
    first, second = (SERVICE.make(shop) for _ in range(2))
    assert (first["service_id"], second["service_id"]) == (2, 3)
    assert len(first["service_uuid"]) >= 32
    assert first["service_uuid"] != second["service_uuid"]
    assert (first["invoiced"], first["created"], first["last_modified"]) == (False, NOON, NOON)
    taken = shop.put("/crm/service/", json={**SERVICE.body, "service_uuid": first["service_uuid"]})
    assert taken.status_code == 409


@pytest.mark.req("CAT-056", "CAT-057", "CAT-064", "CAT-065", "CAT-010", "PLT-040")
def test_a_service_inherits_from_its_product_once(shop: TestClient) -> None:
    expected = {
        "service_type": "mobile",
        "icon": "fa-solid fa-sim-card",
        "retail_cost": 15.5,
        "wholesale_cost": 3,
        "provisioning_play": "play_psim_only",
        "provisioning_json_vars": '{"iccid": ""}',
    }
    shop.patch("/crm/product/1", json={"retail_cost": 99, "provisioning_play": "play_other"})
    service = SERVICE.read(shop, 1)
    assert {name: service[name] for name in expected} == expected


EDITS = {
    "service_name": "Renamed",
    "service_type": "voip",
    "service_status": "Suspended",
    "service_notes": "On the roof",
    "retail_cost": 20.5,
    "wholesale_cost": 4,
    "service_billed": False,
    "service_taxable": False,
    "service_visible_to_customer": False,
    "service_usage_visible_to_customer": False,
    "service_active_date": LATER,
    "service_deactivate_date": LATER,
    "contract_end_date": LATER,
    "icon": "fa-solid fa-tv",
    "promo_code": "SPRING",
    "site_id": 1,
}
FIXED = {
    "service_id": 9,
    "customer_id": 2,
    "product_id": 2,
    "service_uuid": "other",
    "service_provisioned_date": LATER,
    "provisioning_play": "play_x",
    "provisioning_json_vars": '{"a": 1}',
    "deprovisioning_play": "play_x",
    "deprovisioning_json_vars": '{"a": 1}',
    "bundled_parent": 1,
    "invoiced": True,
    "created": LATER,
    "last_modified": LATER,
}


@pytest.mark.req("CAT-073", "CAT-202")
def test_each_of_the_sixteen_fields_can_be_changed_alone(shop: TestClient) -> None:
    assert len(EDITS) == 16
    for name, value in EDITS.items():
        number = SERVICE.make(shop)["service_id"]
        before = SERVICE.read(shop, number)
        assert shop.patch(f"/crm/service/{number}", json={name: value}).status_code == 200
        after = SERVICE.read(shop, number)
        assert after[name] == value != before[name]
        assert {name for name in EDITS if after[name] != before[name]} == {name}


@pytest.mark.req("CAT-074")
def test_no_read_only_field_can_be_changed(shop: TestClient) -> None:
    assert len(FIXED) == 13
    before = SERVICE.read(shop, 1)
    assert shop.patch("/crm/service/1", json=FIXED).status_code == 200
    assert SERVICE.read(shop, 1) == before


@pytest.mark.req("CAT-438")
def test_a_service_starts_active_goes_where_it_is_sent_and_can_be_removed(shop: TestClient) -> None:
    number = SERVICE.make(shop)["service_id"]
    seen = [SERVICE.read(shop, number)["service_status"]]
    for status in ("Suspended", "Inactive", "Active", "Deactivated"):
        shop.patch(f"/crm/service/{number}", json={"service_status": status})
        seen.append(SERVICE.read(shop, number)["service_status"])
    assert seen == ["Active", "Suspended", "Inactive", "Active", "Deactivated"]
    assert shop.delete(f"/crm/service/{number}").status_code == 200
    assert shop.get(f"/crm/service/{number}").status_code == 404


@pytest.mark.req("CAT-005", "SVC-154")
def test_a_service_needs_no_product_and_no_telephone(shop: TestClient) -> None:
    rack = SERVICE.make(shop, service_name="Metered rack power", service_type="generic", site_id=1)
    assert (rack["product_id"], rack["service_type"], rack["site_id"]) == (None, "generic", 1)
    for title in ("Monthly", "One-off", "Usage"):
        body = {"customer_id": 1, "service_id": rack["service_id"], "title": title, "retail_cost": 5}
        assert shop.put("/crm/transaction/", json=body).status_code == 200
    charged = shop.get("/crm/transaction/customer_id/1").json()["data"]
    assert [row["service_id"] for row in charged] == [rack["service_id"]] * 3
