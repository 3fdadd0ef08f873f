"""Every field of jobs and their events, and the numbers that tell how they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from omnicrm_tui.crm import Crm
from omnicrm_tui.provisioning.models import Provision, ProvisionEvent
from omnicrm_tui.provisioning.progress import EventRecord, JobEnd, JobProgress
from omnicrm_tui.provisioning.rules import FAILED, RUNNING, SUCCESS
from tests.fixtures.databases import NOON
from tests.fixtures.operator import end_job

IGNORED = 3
STAMP = "2026-11-21T12:00:00Z"


@pytest.fixture
def order(client: TestClient) -> dict[str, Any]:
    """The body of an order: product 1, customer 1, SIM 1 and number 2."""
    product = {
        "product_name": "Mobile SIM",
        "product_slug": "mobile-sim",
        "category": "standalone",
        "comment": "Physical SIM",
        "retail_cost": 0,
        "wholesale_cost": 3,
        "wholesale_setup_cost": 1,
        "provisioning_play": "play_psim_only",
        "provisioning_json_vars": '{"iccid": "", "msisdn": ""}',
        "inventory_items_list": "['SIM Card', 'Mobile Number']",
    }
    client.put("/crm/customer/", json={"customer_name": "Ada"})
    for item in ("SIM Card", "Mobile Number"):
        client.put("/crm/inventory/template/", json={"item": item})
        client.put("/crm/inventory/", json={"item": item, "itemtext1": "1"})
    assert client.put("/crm/product/", json=product).status_code == 200
    return {"product_id": 1, "customer_id": 1, "SIM Card": 1, "Mobile Number": 2}


@pytest.mark.req(
    "PLT-130",
    "PLT-131",
    "PLT-132",
    "PLT-133",
    "PLT-134",
    "CAT-106",
    "CAT-107",
    "CAT-108",
    "CAT-110",
    "CAT-111",
    "CAT-474",
    "CAT-475",
    "CAT-211",
    "CAT-212",
    "SVC-007",
    "SVC-013",
    "SVC-014",
    "SVC-015",
    "SVC-016",
    "SVC-018",
    "SVC-021",
    "SVC-023",
    "SVC-024",
    "SVC-055",
)
def test_a_job_as_it_was_ordered(client: TestClient, order: dict[str, Any]) -> None:
    assert client.put("/crm/provision/", json=order).status_code == 200
    job = client.get("/crm/provision/provision_id/1").json()
    expected = {
        "provision_id": 1,
        "customer_id": 1,
        "customer_name": "Ada",
        "product_id": 1,
        "service_id": None,
        "provisioning_play": "play_psim_only",
        "provisioning_status": 1,
        "created": STAMP,
        "provisioning_result_json": [],
    }
    assert {name: job[name] for name in expected} == expected
    merged = {"product_id": 1, "customer_id": 1, "SIM Card": 1, "Mobile Number": 2, "iccid": "", "msisdn": ""}
    assert {name: job["provisioning_json_vars"][name] for name in merged} == merged


@pytest.mark.req("PLT-132", "CAT-111", "SVC-025", "CAT-356")
def test_a_job_names_the_service_that_it_changes_and_takes_other_variables(
    client: TestClient, order: dict[str, Any]
) -> None:
    client.put("/crm/service/", json={"customer_id": 1, "product_id": 1, "service_name": "Mobile"})
    body = {**order, "service_id": 1, "monthly_cost": 45, "iccid": "given"}
    assert client.put("/crm/provision/", json=body).status_code == 200
    job = client.get("/crm/provision/1").json()
    assert job["service_id"] == 1
    assert (job["provisioning_json_vars"]["monthly_cost"], job["provisioning_json_vars"]["iccid"]) == (45, "given")


@pytest.mark.req(
    "PLT-135",
    "PLT-136",
    "PLT-137",
    "PLT-138",
    "PLT-139",
    "PLT-140",
    "CAT-116",
    "CAT-119",
    "CAT-011",
    "SVC-006",
    "SVC-008",
    "SVC-009",
    "SVC-010",
    "SVC-031",
    "SVC-032",
)
@pytest.mark.parametrize("status", [SUCCESS, FAILED, IGNORED])
def test_an_event_runs_and_ends_as_0_2_or_3(client: TestClient, crm: Crm, order: dict[str, Any], status: int) -> None:
    client.put("/crm/provision/", json=order)
    progress = JobProgress(crm, 1, "one")
    progress.claim(11)
    name = "Assigning [SIM] Card"
    progress.record(EventRecord(1, name, "main", RUNNING, {}, NOON, None))
    running = client.get("/crm/provision/1").json()["provisioning_result_json"]
    progress.record(EventRecord(1, name, "main", status, {"msg": "seen"}, NOON, NOON))
    ended = client.get("/crm/provision/1").json()["provisioning_result_json"]
    assert [(event["provisioning_status"], event["finished"]) for event in running] == [(1, None)]
    shown = {key: ended[0][key] for key in ("provision_id", "event_number", "event_name", "timestamp")}
    assert shown == {"provision_id": 1, "event_number": 1, "event_name": name, "timestamp": STAMP}
    assert (len(ended), ended[0]["provisioning_status"]) == (1, status)
    assert json.loads(ended[0]["provisioning_result_json"]) == {"msg": "seen"}
    with crm.engine.connect() as connection:
        kept = connection.execute(select(ProvisionEvent.provision_event_id, ProvisionEvent.provision_id)).all()
    assert [tuple(row) for row in kept] == [(1, 1)]


@pytest.mark.req("SVC-006", "SVC-008", "SVC-009", "PLT-134", "CAT-110", "CAT-428", "CAT-480")
@pytest.mark.parametrize("status", [SUCCESS, FAILED])
def test_a_job_ends_as_0_or_2_and_never_as_3(client: TestClient, crm: Crm, order: dict[str, Any], status: int) -> None:
    client.put("/crm/provision/", json=order)
    end_job(crm, 1, JobEnd(status, "ended", None, {}))
    assert client.get("/crm/provision/1").json()["provisioning_status"] == status
    with pytest.raises(IntegrityError), crm.engine.begin() as connection:
        connection.execute(text("UPDATE provision SET provisioning_status = 3"))


@pytest.mark.req("PLT-136", "SVC-032", "PLT-131", "SVC-014")
def test_an_event_belongs_to_a_job_and_a_job_to_a_customer_that_exist(crm: Crm) -> None:
    event = {"provision_id": 9, "event_number": 1, "event_name": "x", "provisioning_status": 1, "timestamp": NOON}
    job = {"customer_id": 9, "provisioning_play": "x", "created": NOON, "last_modified": NOON, "version": 1}
    for table, values in ((ProvisionEvent, event), (Provision, job)):
        with pytest.raises(IntegrityError), crm.engine.begin() as connection:
            connection.execute(insert(table).values(**values))


@pytest.mark.req("SVC-026")
def test_each_run_of_a_play_is_a_job_of_its_own(client: TestClient, order: dict[str, Any]) -> None:
    client.patch("/crm/product/1", json={"inventory_items_list": "[]"})
    numbers = [
        client.put("/crm/provision/", json={"product_id": 1, "customer_id": 1}).json()["provision_id"] for _ in range(3)
    ]
    assert numbers == [1, 2, 3]
    assert client.get("/crm/provision/").json()["pagination"]["total_items"] == 3
    assert client.get("/crm/service/customer_id/1").json()["data"] == []
