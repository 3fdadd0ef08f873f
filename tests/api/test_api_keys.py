"""API keys over REST: the addresses of the guide, what the key opens, and that it opens nothing a moment later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.api.app import create_app
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import UserInput
from omnicrm_tui.identity.use_counter import write_uses
from omnicrm_tui.schemas import parse
from tests.api.conftest import Dispatched

PASSWORD = "Tr0mbone!x"
SAMPLE = {
    "name": "Integration API",
    "description": "For the web shop",
    "expiry_date": "2027-01-10",
    "permissions": ["view_customer", "view_service"],
}


@pytest.fixture
def signed_in(crm: Crm, admin: Actor, stranger: TestClient) -> TestClient:
    """A client with an administrator's bearer token, as the guide wants it."""
    person = {
        "username": "ada",
        "email": "ada@example.org",
        "first_name": "Ada",
        "last_name": "L",
        "password": PASSWORD,
    }
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        work.identity.create_user(parse(UserInput, {**person, "role": "System Admin"}))
    token = stranger.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD}).json()["token"]
    stranger.headers["authorization"] = f"Bearer {token}"
    return stranger


def make(client: TestClient, **values: object) -> dict[str, Any]:
    answer = client.post("/crm/api-keys", json={**SAMPLE, **values})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def door(crm: Crm, key: str, address: str = "192.0.2.7") -> TestClient:
    """Return a client at `address` that sends a key."""
    return TestClient(create_app(crm), headers={"X-API-KEY": key}, client=(address, 1))


@pytest.mark.req("PLT-285", "PLT-244", "PLT-260", "PLT-605", "PLT-272", "CAT-177")
def test_a_key_is_answered_whole_once_and_opens_the_door(crm: Crm, signed_in: TestClient) -> None:
    made = make(signed_in)
    assert {"api_key_id", "name", "api_key", "status", "created", "expiry_date"} <= made.keys()
    assert (made["api_key_id"], made["status"], made["expiry_date"]) == (1, "active", "2027-01-10T23:59:59Z")
    assert made["created"] == "2026-11-21T12:00:00Z"
    caller = door(crm, made["api_key"])
    assert caller.get("/crm/customers").status_code == 200
    refused = caller.put("/crm/customer/", json={"customer_name": "Grace"})
    assert (refused.status_code, "create_customer" in refused.json()["message"]) == (403, True)
    for path in ("/crm/api-keys", "/crm/api-keys/1", "/crm/activity"):
        assert made["api_key"] not in signed_in.get(path).text


@pytest.mark.req("PLT-284")
def test_keys_are_listed_masked(signed_in: TestClient) -> None:
    made = [make(signed_in, name=name) for name in ("b", "a")]
    listed = signed_in.get("/crm/api-keys", params={"sort": "name"}).json()
    assert [row["name"] for row in listed["data"]] == ["a", "b"]
    assert listed["pagination"]["total_items"] == 2
    key = made[1]["api_key"]
    assert listed["data"][0]["api_key"] == f"{key[:12]}...{key[-4:]}"
    assert listed["data"][0]["created_by"] == "ada"
    expiring = signed_in.get("/crm/api-keys", params={"filters": '{"status": ["expiring_soon"]}'}).json()
    assert expiring["data"] == []
    figures = signed_in.get("/crm/api-keys/statistics").json()
    assert figures == {"total": 2, "active": 2, "expiring_soon": 0, "expired": 0, "revoked": 0}


@pytest.mark.req("PLT-286", "PLT-263")
def test_a_key_is_changed_in_part(crm: Crm, signed_in: TestClient) -> None:
    made = make(signed_in)
    path = f"/crm/api-keys/{made['api_key_id']}"
    changed = signed_in.patch(path, json={"expiry_date": "2027-06-30", "permissions": ["view_product"]}).json()
    assert (changed["name"], changed["expiry_date"]) == (SAMPLE["name"], "2027-06-30T23:59:59Z")
    assert changed["permissions"] == ["view_product"]
    assert door(crm, made["api_key"]).get("/crm/customers").status_code == 403
    assert signed_in.get(path).json() == changed
    for field in ("api_key", "created", "created_by"):
        assert signed_in.patch(path, json={field: "x"}).json()["errors"] == {field: "is not a field of this record"}
    assert signed_in.patch("/crm/api-keys/99", json={"name": "x"}).status_code == 404


@pytest.mark.req("PLT-287", "PLT-265", "PLT-606")
def test_a_revoked_key_is_refused_from_the_next_request_on(crm: Crm, signed_in: TestClient) -> None:
    made = make(signed_in)
    caller = door(crm, made["api_key"])
    assert caller.get("/crm/customers").status_code == 200
    assert signed_in.delete("/crm/api-keys/1").json() == {"message": "API key revoked"}
    refused = caller.get("/crm/customers")
    assert (refused.status_code, refused.json()["message"]) == (401, "This API key was revoked.")
    assert signed_in.get("/crm/api-keys").json()["data"] == []
    [kept] = signed_in.get("/crm/api-keys", params={"filters": '{"status": ["revoked"]}'}).json()["data"]
    assert (kept["api_key_id"], kept["status"]) == (1, "revoked")
    assert signed_in.delete("/crm/api-keys/99").status_code == 404
    make(signed_in, protected=True)
    assert signed_in.delete("/crm/api-keys/2").status_code == 409


@pytest.mark.req("PLT-264", "PLT-270")
def test_a_key_is_made_anew_and_extended(crm: Crm, signed_in: TestClient, clock: FrozenClock) -> None:
    made = make(signed_in)
    new = signed_in.post("/crm/api-keys/1/regenerate").json()
    assert (new["api_key_id"], new["name"], new["permissions"]) == (2, made["name"], made["permissions"])
    assert door(crm, made["api_key"]).get("/crm/customers").status_code == 401
    assert door(crm, new["api_key"]).get("/crm/customers").status_code == 200
    clock.advance(timedelta(days=300))
    expired = door(crm, new["api_key"]).get("/crm/customers")
    assert (expired.status_code, expired.json()["message"]) == (401, "This API key has expired.")
    login = signed_in.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD}).json()
    signed_in.headers["authorization"] = f"Bearer {login['token']}"
    assert signed_in.post("/crm/api-keys/2/extend", json={"expiry_date": "2028-01-10"}).status_code == 200
    assert door(crm, new["api_key"]).get("/crm/customers").status_code == 200


@pytest.mark.req("PLT-285", "PLT-278")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"description": "x"}, "name"),
        ({**SAMPLE, "permissions": ["fly"]}, "permissions"),
        ({**SAMPLE, "expiry_date": "10/01/2027"}, "expiry_date"),
        ({**SAMPLE, "expiry_date": "2020-01-01"}, "expiry_date"),
        ({**SAMPLE, "customer_id": 77}, "customer_id"),
    ],
)
def test_what_is_wrong_is_400_at_its_field(signed_in: TestClient, body: dict[str, Any], field: str) -> None:
    answer = signed_in.post("/crm/api-keys", json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.req("PLT-272", "PLT-278")
def test_a_key_in_the_wrong_header_is_told_the_right_one(crm: Crm, signed_in: TestClient) -> None:
    key = make(signed_in)["api_key"]
    answer = TestClient(create_app(crm)).get("/crm/customers", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401
    assert answer.json()["message"] == "Send an API key in the header X-API-KEY."


@pytest.mark.req("PLT-558", "PLT-252")
def test_neither_a_reading_key_nor_one_of_the_database_manages_keys(crm: Crm, signed_in: TestClient) -> None:
    reading, everything = make(signed_in)["api_key"], make(signed_in, permissions=["admin"])["api_key"]
    assert door(crm, reading).get("/crm/api-keys").status_code == 403
    assert door(crm, everything).get("/crm/api-keys").status_code == 200
    for call in (("POST", ""), ("PATCH", "/1"), ("DELETE", "/1"), ("POST", "/1/extend"), ("POST", "/1/regenerate")):
        body = {} if call[1] else {"name": "x"}
        answer = door(crm, everything).request(call[0], f"/crm/api-keys{call[1]}", json=body)
        assert answer.status_code == 403, call


@pytest.mark.req("PLT-248", "PLT-250", "PLT-276")
def test_every_request_is_counted(crm: Crm, signed_in: TestClient) -> None:
    made = make(signed_in)
    app = create_app(crm)
    for address in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        caller = TestClient(app, headers={"X-API-KEY": made["api_key"]}, client=(address, 1))
        assert caller.get("/crm/customers").status_code == 200
    write_uses(crm, app.state.uses)
    seen = signed_in.get("/crm/api-keys/1").json()
    assert (seen["use_count"], seen["last_used"]) == (3, "2026-11-21T12:00:00Z")
    assert sorted((use["address"], use["uses"]) for use in seen["uses"]) == [("192.0.2.7", 2), ("192.0.2.8", 1)]


def test_jobs_of_a_revoked_key_are_cancelled_and_left_with_cleaning_up(
    crm: Crm, signed_in: TestClient, dispatched: Dispatched
) -> None:
    addon = {"product_name": "Boost", "category": "addon", "service_type": "mobile", "provisioning_play": "play_x"}
    signed_in.put("/crm/customer/", json={"customer_name": "Ada"})
    signed_in.put("/crm/service/", json={"customer_id": 1, "service_name": "Mobile", "service_type": "mobile"})
    signed_in.put("/crm/product/", json=addon)
    made = make(signed_in, permissions=["admin"])
    started = door(crm, made["api_key"]).post("/crm/provision/simple_provision_addon/service_id/1/product_id/1")
    assert started.status_code == 200, started.text
    [number] = dispatched
    with crm.as_actor(visitor("")) as work:
        token = work.identity.mint_job_tokens(number, None).access_token

    def of_job() -> Actor:
        with crm.reading(visitor("")) as work:
            return work.identity.actor_of_token(token, "127.0.0.1")

    assert of_job().may("create_customer_service")
    assert signed_in.delete("/crm/api-keys/1").status_code == 200
    assert not of_job().may("create_customer_service")
    assert of_job().may("update_inventory")
    log = signed_in.get("/crm/activity").json()["data"]
    assert "Provisioning cancelled: its API key was revoked" in [entry["action"] for entry in log]
