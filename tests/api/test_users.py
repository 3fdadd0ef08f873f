"""Users, roles and permissions over REST: the addresses, bodies and answers of the guide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity import email_verification
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.models import User

PASSWORD = "Tr0mbone!x"
BOB = {"username": "bob", "email": "bob@abc.example", "first_name": "Bob", "last_name": "Roe", "role": "Support"}
HERE = "192.0.2.7"


@pytest.fixture
def desk(client: TestClient, crm: Crm, admin: Actor) -> TestClient:
    """The catalogue in place, and the administrator `ada`, user 1."""
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
    data = {**BOB, "username": "ada", "email": "ada@mail.example", "password": PASSWORD, "role": "System Admin"}
    assert client.post("/crm/auth/users", json=data).json()["id"] == 1
    return client


def make(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post("/crm/auth/users", json={**BOB, "password": PASSWORD, **more})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def log_in(crm: Crm, password: str = PASSWORD, name: str = "bob") -> str:
    """Return the refresh token of a new session, or what the log-in asks for instead."""
    with crm.as_actor(visitor(HERE)) as work:
        result = work.identity.login(name, password, HERE)
    if result.must_change_password:
        return "change"
    return result.tokens.refresh_token if result.tokens else "second factor"


def found(client: TestClient, **filters: Any) -> list[str]:
    parameters = {"filters": json.dumps(filters), "per_page": 50}
    answer = client.get("/crm/auth/users/search", params=parameters)
    assert answer.status_code == 200, answer.text
    return [user["username"] for user in answer.json()["data"]]


@pytest.mark.req("BIL-390", "PLT-594")
@pytest.mark.parametrize("roles", ["Support,Finance", "Support, Finance", ["Support", "Finance"]])
def test_a_user_is_made_with_roles_in_each_spelling(desk: TestClient, roles: Any) -> None:
    made = make(desk, role=roles, middle_name="Q", phone_number="+4790011223")
    assert {"id", "username", "email", "first_name", "last_name", "roles", "created"} <= made.keys()
    assert made["roles"] == ["Finance", "Support"]
    assert "temporary_password" not in made
    assert PASSWORD not in json.dumps(made)


@pytest.mark.req("PLT-594", "PLT-213", "BIL-396")
def test_a_password_that_nobody_typed_is_told_once(desk: TestClient, crm: Crm) -> None:
    made = desk.post("/crm/auth/users", json=BOB).json()
    assert log_in(crm, made["temporary_password"]) == "change"
    path = f"/crm/auth/users/{made['id']}"
    assert made["temporary_password"] not in desk.get(path).text
    reset = desk.post(f"{path}/admin_reset_password", json={}).json()
    assert len(reset["temporary_password"]) == 12
    assert log_in(crm, reset["temporary_password"]) == "change"
    for force in (True, False):
        body = {"new_password": f"Cla7inet!{force}", "force_change": force}
        assert desk.post(f"{path}/admin_reset_password", json=body).json() == {"message": "Password set"}
        assert (log_in(crm, body["new_password"]) == "change") is force  # type: ignore[arg-type]


@pytest.mark.req("BIL-392", "BIL-382", "BIL-432")
def test_users_are_found_by_each_filter(desk: TestClient, crm: Crm) -> None:
    bob, eve = make(desk)["id"], make(desk, username="eve", email="eve@mail.example", role="Finance")["id"]
    log_in(crm)
    desk.delete(f"/crm/auth/users/{eve}", params={"reason": "Left the company"})
    roles = {role["name"]: role["id"] for role in desk.get("/crm/auth/roles").json()["data"]}
    assert found(desk, role=["Support"]) == found(desk, role_id=[roles["Support"]]) == ["bob"]
    assert found(desk, deleted=[True]) == ["eve"]
    assert found(desk, domain=["mail.example"]) == ["ada"]
    assert found(desk, domain=["mail.example"], deleted=[True, False]) == ["ada", "eve"]
    assert found(desk, last_login=["never"]) == ["ada"]
    assert found(desk, last_login=["since:2020-01-01"]) == ["bob"]
    assert found(desk, is_2fa_enabled=[True]) == []
    assert found(desk, active=[True]) == ["ada", "bob"]
    assert desk.get("/crm/auth/users/domains").json() == {"data": ["mail.example", "abc.example"]}
    wrong = desk.get("/crm/auth/users/search", params={"filters": '{"last_login": ["soon"]}'})
    assert (wrong.status_code, set(wrong.json()["errors"])) == (400, {"last_login"})
    logged = desk.get("/crm/activity", params={"filters": f'{{"object_id": [{eve}]}}'}).json()["data"]
    assert [entry["details"]["reason"]["new"] for entry in logged if "reason" in entry["details"]] == [
        "Left the company"
    ]
    assert desk.put(f"/crm/auth/users/{eve}", json={"deleted": False}).json()["deleted"] is False
    assert bob != eve


@pytest.mark.req("BIL-394", "BIL-430")
def test_a_change_of_roles_by_name_and_an_address_that_waits(desk: TestClient) -> None:
    path = f"/crm/auth/users/{make(desk)['id']}"
    body = {"first_name": "Rob", "last_name": "R", "email": "new@abc.example", "phone_number": "1", "role": "Finance"}
    changed = desk.put(path, json=body).json()
    assert (changed["first_name"], changed["roles"]) == ("Rob", ["Finance"])
    assert (changed["email"], changed["pending_email"]) == ("bob@abc.example", "new@abc.example")


@pytest.mark.req("BIL-414", "PLT-238", "PLT-592", "PLT-229")
def test_a_second_factor_is_reset_with_or_without_a_reason(desk: TestClient, crm: Crm, admin: Actor) -> None:
    number = make(desk)["id"]
    path = f"/2fa/admin/disable/user/{number}"
    for body in ({"reason": "Passport seen"}, None):
        with crm.as_actor(admin) as work:
            work.session.get_one(User, number).is_2fa_enabled = True
        assert desk.post(path, json=body).json()["is_2fa_enabled"] is False
    assert desk.post(f"/crm{path}").status_code == 409


@pytest.mark.req("PLT-219", "PLT-209")
def test_a_welcome_is_written_until_the_first_login(desk: TestClient, crm: Crm) -> None:
    path = f"/crm/auth/users/{make(desk)['id']}/welcome_email"
    assert desk.post(path).json()["email"] == "bob@abc.example"
    assert [row["recipient"] for row in desk.get("/crm/outbox").json()["data"]] == ["bob@abc.example"]
    log_in(crm)
    assert desk.post(path).status_code == 409


@pytest.mark.req("BIL-384", "BIL-431")
def test_sessions_are_listed_and_ended(desk: TestClient, crm: Crm) -> None:
    path = f"/crm/auth/users/{make(desk)['id']}/sessions"
    tokens = [log_in(crm) for _ in range(3)]
    listed = desk.get(path).json()["data"]
    assert {
        "session_id",
        "started",
        "last_used",
        "ends",
        "remembered",
        "source_address",
        "current",
        "real_name",
    } == listed[0].keys()
    assert desk.delete(f"{path}/{listed[0]['session_id']}").status_code == 200
    assert desk.delete(f"{path}/{listed[0]['session_id']}").status_code == 404
    assert desk.delete(path).json() == {"ended": 2}
    assert desk.get(path).json() == {"data": []}
    for token in tokens:
        assert desk.post("/crm/auth/refresh", json={"refresh_token": token}).status_code == 401


@pytest.mark.req("BIL-384", "BIL-374")
def test_it_is_told_through_which_role(desk: TestClient) -> None:
    number = make(desk, role="Support, Finance")["id"]
    rights = desk.get(f"/crm/auth/users/{number}/rights").json()["data"]
    through = {right["permission"]: right["roles"] for right in rights}
    assert through["view_product"] == ["Finance", "Support"]
    assert through["create_customer_invoice"] == ["Finance"]
    assert desk.get("/crm/auth/users/99/rights").status_code == 404


@pytest.mark.req("BIL-400", "BIL-402", "BIL-403", "BIL-404", "BIL-405", "BIL-407")
def test_a_role_from_its_first_permission_to_its_end(desk: TestClient) -> None:
    made = desk.post("/crm/auth/roles", json={"name": "Night", "description": "At night"}).json()
    assert made | {"permissions": [], "users": []} == made
    path = f"/crm/auth/roles/{made['id']}"
    ids = {one["name"]: one["id"] for one in desk.get("/crm/auth/permissions").json()["data"]}
    one = desk.post(f"{path}/permissions", json={"permission_id": ids["view_product"]}).json()
    assert one["permissions"] == ["view_product"]
    several = {"permission_ids": [ids["view_customer"], ids["view_inventory"]]}
    assert len(desk.post(f"{path}/permissions", json=several).json()["permissions"]) == 3
    step = {"add": ["create_customer"], "remove": ["view_inventory"]}
    changed = desk.patch(f"{path}/permissions", json=step).json()
    assert changed["permissions"] == ["create_customer", "view_customer", "view_product"]
    left = desk.delete(f"{path}/permissions/{ids['create_customer']}").json()["permissions"]
    assert left == ["view_customer", "view_product"]
    assert desk.put(path, json={"name": "Late", "description": "Late at night"}).json()["name"] == "Late"
    bob = make(desk, role="Late")["id"]
    holders = desk.get(f"{path}/users").json()
    assert [user["username"] for user in holders["data"]] == ["bob"]
    assert holders["pagination"]["total_items"] == 1
    assert desk.delete(path).status_code == 200
    assert desk.get(f"/crm/auth/users/{bob}").json()["roles"] == []
    assert desk.get(f"{path}/users").status_code == 404


@pytest.mark.req("BIL-454", "BIL-403")
def test_a_role_as_designed_and_the_last_administrator(desk: TestClient) -> None:
    made = desk.post("/crm/auth/roles", json={"name": "Desk", "design": "Finance"}).json()
    finance = next(role for role in desk.get("/crm/auth/roles").json()["data"] if role["name"] == "Finance")
    assert made["permissions"] == finance["permissions"]
    boss = next(role for role in desk.get("/crm/auth/roles").json()["data"] if role["name"] == "System Admin")
    path = f"/crm/auth/roles/{boss['id']}"
    assert desk.patch(f"{path}/permissions", json={"remove": ["admin"]}).status_code == 409
    assert desk.delete(path).status_code == 409
    assert desk.delete("/crm/auth/users/1").status_code == 409


@pytest.mark.req("BIL-378", "BIL-379", "BIL-391", "BIL-394")
def test_a_customers_user_without_its_contact_is_told_apart_and_made_staff_only_by_saying_so(
    desk: TestClient, crm: Crm
) -> None:
    customer_id = desk.put("/crm/customer/", json={"customer_name": "Zoë"}).json()["customer_id"]
    contact = {"customer_id": customer_id, "contact_firstname": "Zoë"}
    contact_id = desk.put("/crm/contact/", json=contact).json()["contact_id"]
    made = make(desk, role="Customer", contact_id=contact_id)
    assert (made["is_customer"], made["contact_id"]) == (True, contact_id)
    unlinked = desk.patch(f"/crm/auth/users/{made['id']}", json={"contact_id": None}).json()
    assert (unlinked["is_customer"], unlinked["contact_id"], unlinked["permissions"]) == (True, None, [])
    assert found(desk, is_customer=[True]) == ["bob"]
    answer = desk.post("/crm/auth/login", json={"email": "bob@abc.example", "password": PASSWORD})
    assert (answer.status_code, "belongs to no customer" in answer.text) == (401, True)
    staff = desk.patch(f"/crm/auth/users/{made['id']}", json={"is_customer": False}).json()
    assert staff["is_customer"] is False
    assert found(desk, is_customer=[True]) == []
    assert log_in(crm)


@pytest.mark.req("BIL-430", "BIL-394", "BIL-207")
def test_a_new_address_is_verified_from_the_mails_page_and_a_look_at_it_verifies_nothing(
    desk: TestClient, stranger: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(["ABCD-EFGH-JKMN-PQRS", "ABCD-EFGH-JKMN-PQRT", "ABCD-EFGH-JKMN-PQRU"])
    monkeypatch.setattr(email_verification, "new_code", lambda: next(codes))
    path = f"/crm/auth/users/{make(desk)['id']}"
    desk.put(path, json={"email": "new@abc.example"})
    page = stranger.get("/verify-email/ABCD-EFGH-JKMN-PQRS")
    assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
    assert "ABCD-EFGH" not in page.text
    assert desk.get(path).json()["pending_email"] == "new@abc.example"
    sent = desk.post(f"{path}/verify_email/resend").json()
    assert sent["email"] == "new@abc.example"
    verify = lambda code: stranger.post("/crm/auth/verify_email", json={"token": code})  # noqa: E731
    assert verify("ABCD-EFGH-JKMN-PQRS").status_code == 400
    assert verify("ABCD-EFGH-JKMN-PQRT").status_code == 200
    seen = desk.get(path).json()
    assert (seen["email"], seen["email_verified"], seen["pending_email"]) == ("new@abc.example", True, None)
    assert desk.delete(f"{path}/pending_email").status_code == 409
    desk.put(path, json={"email": "newer@abc.example"})
    assert desk.delete(f"{path}/pending_email").status_code == 200
    assert verify("ABCD-EFGH-JKMN-PQRU").status_code == 400
