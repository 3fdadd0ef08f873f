"""Customers, contacts and sites over REST."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.identity.actor import Actor, ActorKind
from tests.api.conftest import ClientAs


def _customer(client: TestClient, **values: object) -> dict[str, object]:
    answer = client.put("/crm/customer/", json={"customer_name": "Ada Lovelace", **values})
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


@pytest.mark.req("CAT-185")
@pytest.mark.parametrize("verb", ["put", "post"])
def test_both_verbs_create_and_answer_200(client: TestClient, verb: str) -> None:
    answer = getattr(client, verb)("/crm/customer", json={"customer_name": "Ada", "customer_phone": 4930123})
    assert answer.status_code == 200
    assert answer.json()["customer_name"] == "Ada"
    assert answer.json()["customer_phone"] == "4930123"
    assert answer.json()["created"] == "2026-11-21T12:00:00Z"


@pytest.mark.req("CAT-184", "CAT-193", "SVC-489")
def test_the_list_has_exact_totals(client: TestClient) -> None:
    for number in range(5):
        _customer(client, customer_name=f"Customer {number}")
    answer = client.get("/crm/customers", params={"page": 2, "per_page": 2, "sort": "customer_id", "order": "desc"})
    assert [row["customer_name"] for row in answer.json()["data"]] == ["Customer 2", "Customer 1"]
    assert answer.json()["pagination"] == {"current_page": 2, "per_page": 2, "total_pages": 3, "total_items": 5}


@pytest.mark.req("SVC-044")
def test_filters_and_search_narrow_the_list_together(client: TestClient) -> None:
    _customer(client, customer_name="Blue Ltd", customer_account_type="Business")
    _customer(client, customer_name="Blue Jay")
    _customer(client, customer_name="Red Ltd", customer_account_type="Business")
    answer = client.get("/customers", params={"search": "blue", "filters": '{"customer_account_type": ["Business"]}'})
    assert [row["customer_name"] for row in answer.json()["data"]] == ["Blue Ltd"]


@pytest.mark.req("CAT-194", "CAT-023", "CAT-208")
def test_a_customer_comes_with_contacts_and_its_sites_are_an_array(client: TestClient) -> None:
    number = _customer(client)["customer_id"]
    contact = {"customer_id": str(number), "contact_firstname": "Ada", "contact_email": "ada@example.org"}
    assert client.post("/crm/contact/", json=contact).status_code == 200
    site = {"customer_id": number, "site_name": "Home", "country": "Norway", "latitude": "59.9", "longitude": 10.75}
    assert client.put("/crm/site/", json=site).status_code == 200
    customer = client.get(f"/crm/customer/customer_id/{number}").json()
    assert customer["contacts"][0]["contact_email"] == "ada@example.org"
    sites = client.get(f"/crm/site/customer_id/{number}").json()
    assert [(found["site_name"], found["latitude"]) for found in sites] == [("Home", 59.9)]
    assert client.get(f"/crm/contact/customer_id/{number}").json() == customer["contacts"]


def test_a_stale_version_is_a_conflict_and_none_means_last_write_wins(client: TestClient) -> None:
    made = _customer(client)
    path, version = f"/crm/customer/{made['customer_id']}", made["version"]
    assert client.patch(path, json={"version": version, "customer_name": "Ada King"}).status_code == 200
    stale = client.patch(path, json={"version": version, "customer_name": "Ada Byron"})
    assert stale.status_code == 409
    assert client.patch(path, json={"customer_name": "Ada Byron"}).json()["customer_name"] == "Ada Byron"


def test_contacts_and_sites_are_changed_by_field_and_guarded_by_version(client: TestClient) -> None:
    number = _customer(client)["customer_id"]
    contact = client.put("/crm/contact", json={"customer_id": number, "contact_firstname": "Ada"}).json()
    site = client.put("/crm/site", json={"customer_id": number, "site_name": "Home", "country": "UK"}).json()
    paths = {
        f"/crm/contact/contact_id/{contact['contact_id']}": ("contact_phone", contact["version"], "contact_firstname"),
        f"/crm/site/site_id/{site['site_id']}": ("address_note", site["version"], "site_name"),
    }
    for path, (field, version, required) in paths.items():
        changed = client.patch(path, json={field: "+47", "version": version})
        assert (changed.status_code, changed.json()[field]) == (200, "+47")
        assert client.patch(path, json={field: "+48", "version": version}).status_code == 409
        blank = client.patch(path, json={required: None})
        assert (blank.status_code, list(blank.json()["errors"])) == (400, [required])
        assert client.patch(path, json={"customer_id": 2}).status_code == 400
    assert client.patch("/crm/contact/contact_id/99", json={}).status_code == 404
    assert client.patch("/crm/site/site_id/99", json={}).status_code == 404


def test_wrong_fields_are_named_and_nothing_is_written(client: TestClient) -> None:
    answer = client.put("/crm/customer/", json={"customer_name": "", "customer_payment_type": "gold", "colour": "x"})
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"customer_name", "customer_payment_type", "colour"}
    assert client.get("/crm/customers").json()["pagination"]["total_items"] == 0


@pytest.mark.req("BIL-378")
def test_another_customers_records_are_unknown(client: TestClient, client_as: ClientAs) -> None:
    own, other = _customer(client)["customer_id"], _customer(client)["customer_id"]
    assert isinstance(own, int)
    rights = frozenset({"view_own_customer", "view_own_customer_contact", "view_own_customer_site"})
    user = client_as(Actor(ActorKind.CUSTOMER, "ada", 5, rights, own))
    for path in ("/crm/customer/{}", "/crm/contact/customer_id/{}", "/crm/site/customer_id/{}"):
        assert user.get(path.format(own)).status_code == 200
        assert user.get(path.format(other)).status_code == 404
    assert [row["customer_id"] for row in user.get("/customers").json()["data"]] == [own]


@pytest.mark.req("SVC-147", "SVC-148", "SVC-150")
def test_what_was_changed_can_be_read_newest_first(client: TestClient) -> None:
    number = _customer(client)["customer_id"]
    client.patch(f"/crm/customer/{number}", json={"customer_notes": "calls at night"})
    entries = client.get(f"/crm/activity/customer_id/{number}").json()["data"]
    assert [entry["action"] for entry in entries] == ["Customer changed", "Customer created"]
    assert entries[0]["details"] == {"customer_notes": {"old": None, "new": "calls at night"}}
    assert client.get(f"/crm/activity/{entries[0]['activity_id']}").json() == entries[0]
    assert client.get("/crm/activity/customer_id/999").status_code == 404
    assert client.delete(f"/crm/activity/{entries[0]['activity_id']}").status_code == 405


@pytest.mark.parametrize("number", ["9" * 30, "9" * 5000])
def test_the_history_of_a_number_that_cannot_be_is_empty(client: TestClient, number: str) -> None:
    answer = client.get("/crm/activity", params={"filters": json.dumps({"object_id": [number]})})
    assert (answer.status_code, answer.json().get("data")) == (200, [])
