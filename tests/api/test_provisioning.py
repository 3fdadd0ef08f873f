"""Jobs over REST. What a job does is the business of tests/provisioning; here nothing is dispatched."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.identity.actor import Actor, ActorKind
from tests.api.conftest import ClientAs, Dispatched

PRODUCT = {
    "product_name": "Mobile SIM",
    "category": "standalone",
    "service_type": "mobile",
    "provisioning_play": "play_psim_only",
    "provisioning_json_vars": '{"iccid": "", "data_limit_gb": 100}',
    "inventory_items_list": "['SIM Card']",
}


@pytest.fixture
def order(client: TestClient) -> dict[str, Any]:
    """What an order of a SIM needs: the body of SVC-040."""
    client.post("/crm/inventory/template/", json={"item": "SIM Card"})
    item = client.put("/crm/inventory/", json={"item": "SIM Card", "itemtext1": "89612", "itemtext2": "3101"}).json()
    product = client.put("/crm/product/", json=PRODUCT).json()
    customer = client.put("/crm/customer/", json={"customer_name": "Ada"}).json()
    return {
        "product_id": product["product_id"],
        "customer_id": customer["customer_id"],
        "SIM Card": str(item["inventory_id"]),
        "data_limit_gb": 150,
    }


@pytest.mark.req("SVC-040", "SVC-053", "SVC-054", "SVC-004")
def test_a_job_is_made_of_a_flat_body_and_answered_at_once(
    client: TestClient, order: dict[str, Any], dispatched: Dispatched
) -> None:
    answer = client.put("/crm/provision/", json=order)
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert (job["provisioning_status"], job["message"]) == (1, "Provisioning job created")
    assert job["inventory_choices"] == {"SIM Card": int(order["SIM Card"])}
    assert job["provisioning_json_vars"]["data_limit_gb"] == 150
    item = client.get(f"/crm/inventory/{order['SIM Card']}").json()
    assert item["reserved_by"] == job["provision_id"]
    assert client.post("/crm/provision", json=order).status_code == 409
    assert dispatched == [job["provision_id"]]


@pytest.mark.req("SVC-041", "SVC-042")
def test_a_job_is_read_with_its_events(client: TestClient, order: dict[str, Any]) -> None:
    number = client.put("/crm/provision/", json=order).json()["provision_id"]
    job = client.get(f"/crm/provision/provision_id/{number}").json()
    assert job["customer_name"] == "Ada"
    assert job["provisioning_play"] == "play_psim_only"
    assert job["provisioning_result_json"] == []
    assert {"task_count", "playbook_description", "initiating_user"} <= job.keys()


@pytest.mark.req("SVC-077")
def test_whoever_follows_a_job_is_told_its_tasks_at_first(client: TestClient, order: dict[str, Any]) -> None:
    path = f"/crm/provision/{client.put('/crm/provision/', json=order).json()['provision_id']}"
    planned = client.get(path).json()["planned_tasks"]
    assert planned[0] == "Load the configuration"
    assert "Create the HSS subscriber" in planned
    assert "planned_tasks" not in client.get(path, params={"after": "1"}).json()


@pytest.mark.req("BIL-128")
@pytest.mark.parametrize("accepted", [True, False])
def test_that_the_terms_were_accepted_is_kept_with_its_moment(
    client: TestClient, order: dict[str, Any], accepted: bool
) -> None:
    client.patch(f"/crm/product/{order['product_id']}", json={"terms": "Valid for 30 days."})
    job = client.put("/crm/provision/", json={**order, "terms_accepted": accepted}).json()
    assert "terms_accepted" not in job["provisioning_json_vars"]
    log = client.get(f"/crm/activity/customer_id/{order['customer_id']}").json()["data"]
    kept = [entry["object_id"] for entry in log if entry["action"] == "Terms accepted" and entry["timestamp"]]
    assert kept == ([order["product_id"]] if accepted else [])


@pytest.mark.req("SVC-043", "SVC-044", "SVC-045")
def test_jobs_are_listed_newest_first_filtered_and_searched(client: TestClient, order: dict[str, Any]) -> None:
    first = client.put("/crm/provision/", json=order).json()["provision_id"]
    other = client.put("/crm/product/", json={**PRODUCT, "inventory_items_list": "[]"}).json()["product_id"]
    plain = {"product_id": other, "customer_id": order["customer_id"]}
    second = client.put("/crm/provision/", json=plain).json()["provision_id"]

    def listed(**parameters: str) -> list[int]:
        answer = client.get("/crm/provision/", params=parameters)
        return [job["provision_id"] for job in answer.json()["data"]]

    assert listed() == [second, first]
    assert listed(sort="provision_id", order="asc", page="1", per_page="20") == [first, second]
    assert listed(filters='{"provisioning_status":[2]}') == []
    assert listed(filters='{"provisioning_status":[1]}', search="psim") == [second, first]
    assert listed(search="nothing like it") == []
    assert client.get("/crm/provision/", params={"filters": '{"provisioning_status":["x"]}'}).status_code == 400


def test_a_job_is_cancelled_and_only_a_failed_one_repeated(client: TestClient, order: dict[str, Any]) -> None:
    path = f"/crm/provision/{client.put('/crm/provision/', json=order).json()['provision_id']}"
    assert client.post(f"{path}/retry").status_code == 409
    assert client.post(f"{path}/cancel").json()["cancel_requested"] is True


def test_a_wrong_order_is_told_by_field(client: TestClient, order: dict[str, Any]) -> None:
    del order["SIM Card"]
    answer = client.put("/crm/provision/", json=order)
    assert (answer.status_code, answer.json()["errors"].keys()) == (400, {"SIM Card"})
    assert client.put("/crm/provision/", json={"customer_id": order["customer_id"]}).status_code == 400
    assert client.put("/crm/provision/", json={**order, "product_id": 999}).status_code == 404


@pytest.mark.req("SVC-080", "BIL-378")
def test_a_customer_sees_its_own_jobs_alone(client: TestClient, client_as: ClientAs, order: dict[str, Any]) -> None:
    number = client.put("/crm/provision/", json=order).json()["provision_id"]
    rights = frozenset({"view_own_provision"})
    own = client_as(Actor(ActorKind.CUSTOMER, "ada", 5, rights, order["customer_id"]))
    other_id = client.put("/crm/customer/", json={"customer_name": "Eve"}).json()["customer_id"]
    other = client_as(Actor(ActorKind.CUSTOMER, "eve", 6, rights, other_id))
    assert own.get(f"/crm/provision/{number}").status_code == 200
    assert other.get(f"/crm/provision/{number}").status_code == 404
    assert other.get("/crm/provision/").json()["data"] == []
    assert other.put("/crm/provision/", json=order).status_code == 404


@pytest.mark.req("SVC-003", "CAT-209")
@pytest.mark.req("SVC-046", "SVC-119")
def test_machines_start_an_add_on_with_ids_alone(
    client: TestClient, client_as: ClientAs, order: dict[str, Any]
) -> None:
    service = {"customer_id": order["customer_id"], "service_name": "Mobile", "service_type": "mobile"}
    service_id = client.put("/crm/service/", json=service).json()["service_id"]
    addon = {**PRODUCT, "category": "addon", "inventory_items_list": ""}
    product_id = client.put("/crm/product/", json=addon).json()["product_id"]
    path = f"/crm/provision/simple_provision_addon/service_id/{service_id}/product_id/{product_id}"
    assert client.post(path).status_code == 403
    machine = client_as(Actor(ActorKind.MACHINE, "OCS", None, frozenset({"admin"})))
    answer = machine.post(path, content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["service_id"], answer.json()["product_id"]) == (service_id, product_id)


@pytest.mark.req("CAT-367", "SVC-046")
def test_an_add_on_without_a_service_that_fits_is_refused(
    client: TestClient, client_as: ClientAs, order: dict[str, Any]
) -> None:
    owner = order["customer_id"]
    service = {"customer_id": owner, "service_name": "Mobile", "service_type": "mobile"}
    service_id = client.put("/crm/service/", json=service).json()["service_id"]
    fibre = {"customer_id": owner, "service_name": "Fibre", "service_type": "internet", "service_status": "Deactivated"}
    over = client.put("/crm/service/", json=fibre).json()["service_id"]
    addon = {**PRODUCT, "category": "addon", "inventory_items_list": ""}
    product_id = client.put("/crm/product/", json=addon).json()["product_id"]
    asked = {"product_id": product_id, "customer_id": owner}
    machine = client_as(Actor(ActorKind.MACHINE, "OCS", None, frozenset({"admin"})))
    path = "/crm/provision/simple_provision_addon/service_id/{}/product_id/{}"
    for answer in (
        client.put("/crm/provision/", json=asked),
        client.put("/crm/provision/", json={**asked, "service_id": over}),
        machine.post(path.format(over, product_id)),
    ):
        assert (answer.status_code, answer.json()["errors"].keys()) == (400, {"service_id"})
    client.patch(f"/crm/customer/{owner}", json={"customer_status": "Closed"})
    answer = machine.post(path.format(service_id, product_id))
    assert (answer.status_code, answer.json()["errors"].keys()) == (400, {"customer_id"})
    assert client.get("/crm/provision/").json()["data"] == []
