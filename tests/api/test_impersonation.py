"""Acting as another user over REST: the answers to the letter, and both prefixes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput

PASSWORD = "Right-Horse9"


@pytest.fixture
def people(crm: Crm, admin: Actor) -> dict[str, int]:
    """An administrator and somebody of support, by name."""
    made = {}
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        for name, role in (("root", "System Admin"), ("sam", "Support")):
            data = UserInput.model_validate(
                {
                    **{"username": name, "email": f"{name}@mail.example", "password": PASSWORD, "role": role},
                    **{"first_name": name, "last_name": "Test"},
                }
            )
            made[name] = work.identity.create_user(data).id
    return made


def bearer(client: TestClient, name: str) -> dict[str, str]:
    answer = client.post("/crm/auth/login", json={"email": name, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.mark.req("SVC-363", "SVC-364", "SVC-365", "SVC-366", "SVC-370", "BIL-416", "BIL-417")
@pytest.mark.parametrize("prefix", ["", "/crm"])
def test_begin_act_stop_and_look_it_up(
    stranger: TestClient, clock: FrozenClock, people: dict[str, int], prefix: str
) -> None:
    root = bearer(stranger, "root")
    begun = stranger.post(
        f"{prefix}/auth/impersonate", json={"user_id": people["sam"], "purpose": "training"}, headers=root
    ).json()
    assert (begun["success"], begun["impersonating_user_id"], begun["target_user_id"]) == (
        True,
        people["root"],
        people["sam"],
    )
    acting = {"Authorization": f"Bearer {begun['access_token']}"}
    assert stranger.get("/crm/customer/", headers=acting).status_code == 200
    assert stranger.get("/crm/auth/users", headers=acting).status_code == 403
    renewed = stranger.post("/auth/refresh", json={"refresh_token": begun["refresh_token"]}).json()
    acting = {"Authorization": f"Bearer {renewed['access_token']}"}
    clock.advance(timedelta(minutes=10))
    change = {"current_password": PASSWORD, "new_password": "Other-Horse9"}
    assert stranger.post("/auth/change_password", json=change, headers=acting).status_code == 403
    ended = stranger.post(f"{prefix}/auth/stop_impersonation", headers=acting).json()
    assert (ended["success"], ended["duration_seconds"]) == (True, 600)
    back = {"Authorization": f"Bearer {ended['access_token']}"}
    assert stranger.get("/crm/auth/users", headers=back).status_code == 200
    assert stranger.post("/auth/refresh", json={"refresh_token": ended["refresh_token"]}).status_code == 200
    assert stranger.get("/crm/customer/", headers=acting).status_code == 401
    told = {"user_id": people["sam"], "start_date": begun["impersonation_start"][:10], "min_duration": 600}
    logs = stranger.get(f"{prefix}/auth/impersonation_logs", params=told, headers=back).json()
    [row] = logs["data"]
    assert logs["pagination"]["total_items"] == 1
    assert row["impersonation_start"] == begun["impersonation_start"]
    assert (row["impersonation_end"], row["impersonation_duration"]) == (ended["impersonation_end"], 600)
    assert stranger.get("/auth/impersonation_logs", params={"max_duration": 599}, headers=back).json()["data"] == []
    assert stranger.get("/auth/impersonation_logs", params={"end_date": "no"}, headers=back).status_code == 400


@pytest.mark.req("SVC-373", "SVC-382")
def test_what_is_stuck_is_stopped_from_ones_own_session(stranger: TestClient, people: dict[str, int]) -> None:
    root = bearer(stranger, "root")
    assert stranger.post("/auth/stop_impersonation", headers=root).status_code == 409
    body = {"user_id": people["sam"]}
    assert stranger.post("/auth/impersonate", json=body, headers=root).status_code == 200
    again = stranger.post("/auth/impersonate", json=body, headers=bearer(stranger, "root"))
    assert (again.status_code, "sam" in again.json()["message"]) == (409, True)
    assert stranger.post("/auth/stop_impersonation", headers=root).status_code == 200
    assert stranger.post("/auth/impersonate", json=body, headers=root).status_code == 200


@pytest.mark.req("SVC-367")
def test_who_logs_in_for_a_customers_contacts(client: TestClient, people: dict[str, int]) -> None:
    customer = client.put("/crm/customer/", json={"customer_name": "Zoë"}).json()["customer_id"]
    contact = {"customer_id": customer, "contact_firstname": "Zoë"}
    number = client.put("/crm/contact/", json=contact).json()["contact_id"]
    assert client.get(f"/crm/contact/logins/customer_id/{customer}").json() == {"data": []}
    client.patch(f"/crm/auth/users/{people['sam']}", json={"contact_id": number})
    expected = {"contact_id": number, "user_id": people["sam"], "username": "sam"}
    assert client.get(f"/crm/contact/logins/customer_id/{customer}").json() == {"data": [expected]}
    assert client.get("/crm/contact/logins/customer_id/99").status_code == 404
