"""Items and templates over REST."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.identity.actor import Actor, ActorKind
from tests.api.conftest import ClientAs

KI = "0123456789ABCDEF0123456789ABCDEF"


@pytest.fixture
def sim(client: TestClient) -> dict[str, Any]:
    """A SIM card in stock, with its secret key."""
    template = {"item": "SIM Card", "itemtext1_label": "ICCID", "itemtext2_label": "IMSI", "retail_cost": "10.00"}
    assert client.post("/crm/inventory/template/", json=template).status_code == 200
    values = {"item": "SIM Card", "itemtext1": 8961234567890123456, "itemtext2": "310120123456789", "ki": KI}
    answer = client.put("/crm/inventory/", json=values)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _customer(client: TestClient) -> int:
    number: int = client.put("/crm/customer/", json={"customer_name": "Ada"}).json()["customer_id"]
    return number


@pytest.mark.req("CAT-206", "CAT-146")
def test_an_item_has_the_names_that_plays_read(client: TestClient, sim: dict[str, Any]) -> None:
    item = client.get(f"/crm/inventory/inventory_id/{sim['inventory_id']}").json()
    assert (item["iccid"], item["imsi"]) == ("8961234567890123456", "310120123456789")
    assert (item["itemtext1"], item["retail_cost"]) == ("8961234567890123456", 10)
    template = client.get("/crm/inventory/template/item/SIM%20Card").json()
    assert (template["itemtext1_label"], template["itemtext3_label"]) == ("ICCID", None)


@pytest.mark.req("PLT-402")
def test_a_key_is_shown_to_jobs_and_to_who_asks_and_is_logged(
    client: TestClient, client_as: ClientAs, sim: dict[str, Any]
) -> None:
    path = f"/crm/inventory/inventory_id/{sim['inventory_id']}"
    assert client.get(path).json()["ki"] == "(hidden)"
    assert client.get(path, params={"secrets": "true"}).json()["ki"] == KI
    assert client.get("/crm/activity").json()["data"][0]["action"] == "Secrets of the item read"
    rights = frozenset({"view_inventory", "view_customer_activity"})
    reader = client_as(Actor(ActorKind.STAFF, "eve", 9, rights))
    assert reader.get(path, params={"secrets": "true"}).json()["ki"] == "(hidden)"
    job = client_as(Actor(ActorKind.JOB, "job 1", 9, frozenset({"view_inventory"}), provision_id=1))
    assert job.get(path).json()["ki"] == KI


@pytest.mark.req("CAT-207", "SVC-049")
def test_an_item_is_assigned_by_a_patch_and_found_under_its_customer(
    client: TestClient, client_as: ClientAs, sim: dict[str, Any]
) -> None:
    own, other = _customer(client), _customer(client)
    path = f"/crm/inventory/inventory_id/{sim['inventory_id']}"
    assigned = client.patch(path, json={"customer_id": str(own), "item_state": "Assigned"})
    assert (assigned.status_code, assigned.json()["item_state"]) == (200, "Assigned")
    listed = client.get(f"/crm/inventory/customer_id/{own}").json()["data"]
    assert [item["inventory_id"] for item in listed] == [sim["inventory_id"]]
    assert client.get(f"/crm/inventory/customer_id/{other}").json()["data"] == []
    assert client.get("/crm/inventory/customer_id/999").status_code == 404
    stranger = client_as(Actor(ActorKind.CUSTOMER, "eve", 9, frozenset({"view_own_inventory"}), other))
    assert stranger.get(path).status_code == 404


def test_an_item_can_be_sent_back_as_it_was_read(client: TestClient, sim: dict[str, Any]) -> None:
    path = f"/crm/inventory/inventory_id/{sim['inventory_id']}"
    item = client.get(path).json()
    changed = client.patch(path, json={**item, "item_location": "Shelf 3"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["item_location"] == "Shelf 3"
    assert client.get(path, params={"secrets": "true"}).json()["ki"] == KI


def test_wrong_items_are_told_by_field(client: TestClient, sim: dict[str, Any]) -> None:
    answer = client.put("/crm/inventory/", json={"item": "SIM Card", "item_state": "Lent", "latitude": "200"})
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"itemtext1", "item_state", "latitude"}
    assert client.post("/crm/inventory/template/", json={"item": "SIM Card"}).status_code == 409
    assert client.get("/crm/inventory/template").json()["data"][0]["item"] == sim["item"]


@pytest.mark.req("BIL-103", "SVC-166", "SVC-169")
def test_what_an_order_can_take_is_listed(client: TestClient, client_as: ClientAs, sim: dict[str, Any]) -> None:
    path = "/crm/inventory/pickable/item/SIM%20Card"
    more = {"item": "SIM Card", "itemtext1": "8962", "item_state": "Damaged"}
    client.put("/crm/inventory/", json=more)
    other = client.put("/crm/inventory/", json={**more, "item_state": "In Stock"}).json()

    def offered(**parameters: str) -> list[int]:
        return [item["inventory_id"] for item in client.get(path, params=parameters).json()["data"]]

    assert offered(sort="inventory_id") == [sim["inventory_id"], other["inventory_id"]]
    assert offered(search="8962") == [other["inventory_id"]]
    assert client.get(path, params={"per_page": "1"}).json()["pagination"]["total_items"] == 2
    client.patch(f"/crm/inventory/{other['inventory_id']}", json={"customer_id": _customer(client)})
    assert offered() == [sim["inventory_id"]]
    assert client.get("/crm/inventory/pickable/item/Spoon").status_code == 404
    own = client_as(Actor(ActorKind.CUSTOMER, "ada", 5, frozenset({"view_own_inventory"}), 1))
    assert own.get(path).status_code == 403
