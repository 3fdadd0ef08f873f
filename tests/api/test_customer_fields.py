"""Every field of customers, contacts and sites: its name, its type, its default."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.crm import Crm
from omnicrm_tui.settings import CrmSection
from tests.api.fields import REQUIRED, Entity

CUSTOMER = Entity("/crm/customer/", "customer_id", {"customer_name": "Ada"})


def below(client: TestClient, kind: str, **body: Any) -> dict[str, Any]:
    """Make a contact or a site of a new customer, and return it as its customer's list shows it."""
    number = CUSTOMER.make(client)["customer_id"]
    answer = client.put(f"/crm/{kind}/", json={"customer_id": number, **body})
    assert answer.status_code == 200, answer.text
    found = client.get(f"/crm/{kind}/customer_id/{number}").json()
    assert [row["customer_id"] for row in found] == [number]
    first: dict[str, Any] = found[0]
    return first


@pytest.mark.parametrize(
    ("name", "sent", "shown", "default"),
    [
        pytest.param(
            "customer_name", "ABC Company", "ABC Company", REQUIRED, marks=pytest.mark.req("PLT-072", "CAT-020")
        ),
        pytest.param(
            "customer_account_type", "Business", "Business", "Individual", marks=pytest.mark.req("PLT-073", "CAT-022")
        ),
        pytest.param("customer_status", "Archived", "Archived", "Open", marks=pytest.mark.req("PLT-074")),
        pytest.param("customer_payment_type", "postpaid", "postpaid", "prepaid", marks=pytest.mark.req("PLT-075")),
        pytest.param("customer_enabled", False, False, True, marks=pytest.mark.req("PLT-076")),
        pytest.param("tax_identifier", "GB123456789", "GB123456789", None, marks=pytest.mark.req("PLT-077")),
        pytest.param(
            "contract_start_date",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            None,
            marks=pytest.mark.req("PLT-078"),
        ),
        pytest.param(
            "contract_end_date",
            "2027-01-01T01:00:00+0100",
            "2027-01-01T00:00:00Z",
            None,
            marks=pytest.mark.req("PLT-078"),
        ),
        pytest.param("customer_phone", "+4790011223", "+4790011223", None, marks=pytest.mark.req("CAT-024")),
        pytest.param(
            "custom_fields", {"Cost centre": "12"}, {"Cost centre": "12"}, None, marks=pytest.mark.req("CAT-018")
        ),
    ],
)
def test_a_customers_field(client: TestClient, name: str, sent: Any, shown: Any, default: Any) -> None:
    CUSTOMER.check(client, name, sent, shown, default)


@pytest.mark.req("PLT-073", "PLT-074", "PLT-075")
@pytest.mark.parametrize("name", ["customer_account_type", "customer_status", "customer_payment_type"])
def test_a_customers_choices_are_those_of_the_list(client: TestClient, name: str) -> None:
    assert CUSTOMER.refused(client, **{name: "Golden"}) == {name}


@pytest.mark.req("PLT-074", "PLT-076")
def test_the_flag_of_an_account_is_apart_from_its_status(client: TestClient) -> None:
    made = CUSTOMER.make(client, customer_status="Suspended")
    changed = client.patch(f"/crm/customer/{made['customer_id']}", json={"customer_enabled": False}).json()
    assert (changed["customer_status"], changed["customer_enabled"]) == ("Suspended", False)


@pytest.mark.req("PLT-071", "CAT-019")
def test_a_customers_number_is_given_counts_up_and_finds_it(client: TestClient) -> None:
    numbers = [CUSTOMER.make(client, customer_name=name)["customer_id"] for name in ("Ada", "Bob", "Eve")]
    assert numbers == [1, 2, 3]
    found = client.get("/crm/customer", params={"search": "2"}).json()["data"]
    assert [row["customer_name"] for row in found] == ["Bob"]
    assert CUSTOMER.refused(client, customer_id=9) == {"customer_id"}


@pytest.mark.parametrize(
    ("name", "sent", "default"),
    [
        pytest.param("contact_firstname", "John", REQUIRED, marks=pytest.mark.req("PLT-081", "CAT-025")),
        pytest.param("contact_lastname", "Smith", "", marks=pytest.mark.req("PLT-081", "CAT-026")),
        pytest.param("contact_email", "john@abc.example", None, marks=pytest.mark.req("PLT-082", "CAT-027")),
        pytest.param("contact_phone", "+61 2 9999 0000", None, marks=pytest.mark.req("PLT-082")),
        pytest.param("contact_types", "Primary,Billing,Technical", "", marks=pytest.mark.req("PLT-083")),
    ],
)
def test_a_contacts_field(client: TestClient, name: str, sent: str, default: Any) -> None:
    least = {"contact_firstname": "Ada"}
    assert below(client, "contact", **least | {name: sent})[name] == sent
    if default is REQUIRED:
        answer = client.put("/crm/contact/", json={"customer_id": 1, "contact_lastname": "Smith"})
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {name})
    else:
        assert below(client, "contact", **least)[name] == default


@pytest.mark.req("PLT-079", "PLT-080", "CAT-003", "CAT-029", "PLT-084", "PLT-085", "CAT-004", "CAT-031")
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("contact", {"contact_firstname": "John", "contact_types": "Billing"}),
        ("site", {"site_name": "Head Office", "country": "Norway"}),
    ],
)
def test_a_customer_has_several_and_each_belongs_to_one(client: TestClient, kind: str, body: dict[str, str]) -> None:
    owner, other = (CUSTOMER.make(client)["customer_id"] for _ in range(2))
    for number in (owner, owner, other):
        assert client.put(f"/crm/{kind}/", json={"customer_id": number, **body}).status_code == 200
    shown = client.get(f"/crm/{kind}/customer_id/{owner}").json()
    assert [(row[f"{kind}_id"], row["customer_id"]) for row in shown] == [(1, owner), (2, owner)]
    assert client.put(f"/crm/{kind}/", json=body).json()["errors"].keys() == {"customer_id"}
    assert client.put(f"/crm/{kind}/", json={"customer_id": 99, **body}).status_code == 404


@pytest.mark.parametrize(
    ("name", "sent", "shown", "default"),
    [
        pytest.param(
            "site_name", "Branch Office", "Branch Office", REQUIRED, marks=pytest.mark.req("PLT-086", "CAT-032")
        ),
        pytest.param("address_line_1", "1 Main St", "1 Main St", "", marks=pytest.mark.req("PLT-087", "CAT-033")),
        pytest.param("address_line_2", "Unit 4", "Unit 4", None, marks=pytest.mark.req("CAT-034")),
        pytest.param("city", "Sydney", "Sydney", "", marks=pytest.mark.req("PLT-087", "CAT-035")),
        pytest.param("state", "NSW", "NSW", None, marks=pytest.mark.req("PLT-087", "CAT-036")),
        pytest.param("zip_code", "2000", "2000", None, marks=pytest.mark.req("PLT-087", "CAT-037")),
        pytest.param("latitude", "-33.8688", -33.8688, None, marks=pytest.mark.req("PLT-088")),
        pytest.param("longitude", 151.2093, 151.2093, None, marks=pytest.mark.req("PLT-088")),
        pytest.param(
            "google_maps_place_id",
            "ChIJP3Sa8ziYEmsR",
            "ChIJP3Sa8ziYEmsR",
            None,
            marks=pytest.mark.req("PLT-089", "CAT-041"),
        ),
        pytest.param("plus_code", "8C3MFJV8+2F", "8C3MFJV8+2F", None, marks=pytest.mark.req("PLT-090")),
        pytest.param(
            "address_note",
            "Left after the grid\n2 km",
            "Left after the grid\n2 km",
            None,
            marks=pytest.mark.req("CAT-042"),
        ),
    ],
)
def test_a_sites_field(client: TestClient, name: str, sent: Any, shown: Any, default: Any) -> None:
    least = {"site_name": "Head Office", "country": "Norway"}
    assert below(client, "site", **least | {name: sent})[name] == shown
    if default is REQUIRED:
        answer = client.put("/crm/site/", json={"customer_id": 1, "country": "Norway"})
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {name})
    else:
        assert below(client, "site", **least)[name] == default


@pytest.mark.req("CAT-038")
def test_a_sites_country_is_required_unless_the_operator_has_a_usual_one(client: TestClient, crm: Crm) -> None:
    site = {"customer_id": CUSTOMER.make(client)["customer_id"], "site_name": "Head Office"}
    assert client.put("/crm/site/", json=site).json()["errors"].keys() == {"country"}
    crm.settings = crm.settings.model_copy(update={"crm": CrmSection(default_country="Norway")})
    assert client.put("/crm/site/", json=site).json()["country"] == "Norway"
    assert client.put("/crm/site/", json=site | {"country": "Chile"}).json()["country"] == "Chile"


@pytest.mark.req("PLT-045")
@pytest.mark.req("PLT-044")
def test_contacts_sites_and_services_hang_on_the_customer(client: TestClient) -> None:
    number = CUSTOMER.make(client, customer_name="ABC Company", customer_account_type="Business")["customer_id"]
    for first, last, kind in (("John", "Smith", "Billing"), ("Jane", "Doe", "Technical")):
        body = {"contact_firstname": first, "contact_lastname": last, "contact_types": kind}
        client.put("/crm/contact/", json={"customer_id": number, **body})
    sites = [
        client.put("/crm/site/", json={"customer_id": number, "site_name": name, "country": "Norway"}).json()["site_id"]
        for name in ("Head Office", "Branch Office")
    ]
    services = {"Internet": sites[0], "Mobile Plan": None, "VoIP": sites[1]}
    for name, site in services.items():
        body = {"customer_id": number, "service_name": name, "site_id": site}
        assert client.put("/crm/service/", json=body).status_code == 200
    customer = CUSTOMER.read(client, number)
    assert [(row["contact_firstname"], row["contact_types"]) for row in customer["contacts"]] == [
        ("John", "Billing"),
        ("Jane", "Technical"),
    ]
    assert [row["site_name"] for row in customer["sites"]] == ["Head Office", "Branch Office"]
    listed = client.get(f"/crm/service/customer_id/{number}").json()["data"]
    whole = [client.get(f"/crm/service/{row['service_id']}").json() for row in listed]
    assert {row["service_name"]: row["site_id"] for row in whole} == services


@pytest.mark.req("CAT-040", "CAT-540", "PLT-090")
def test_a_sites_plus_code_follows_from_its_coordinates(client: TestClient) -> None:
    place = {"site_name": "Home", "country": "United Kingdom", "latitude": 51.5074, "longitude": -0.1278}
    site = below(client, "site", **place)
    assert (site["plus_code"], len(site["plus_code"])) == ("9C3XGV4C+XV", 11)
    path = f"/crm/site/{site['site_id']}"
    assert client.patch(path, json={"latitude": -33.8688, "longitude": 151.2093}).json()["plus_code"] == "4RRH46J5+FP"
    assert client.patch(path, json={"site_name": "Office"}).json()["plus_code"] == "4RRH46J5+FP"
    assert client.patch(path, json={"plus_code": " 8c3mfjv8+2f "}).json()["plus_code"] == "8C3MFJV8+2F"
    assert below(client, "site", **place | {"plus_code": "8C3MFJV8+2F"})["plus_code"] == "8C3MFJV8+2F"
    for wrong in ("MFJV8+2F", "8C3MFJV8", "here"):
        assert client.patch(path, json={"plus_code": wrong}).json()["errors"].keys() == {"plus_code"}
