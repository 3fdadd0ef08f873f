"""Every field of users, roles and permissions: its name, its type, its default."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.models import User
from tests.api.fields import REQUIRED

PASSWORD = "Tr0mbone!x"
USER = {
    "username": "ada{n}",
    "email": "ada{n}@mail.example",
    "first_name": "Ada",
    "last_name": "King",
    "password": PASSWORD,
    "role": "Support",
}


@pytest.fixture
def desk(client: TestClient, crm: Crm, admin: Actor) -> TestClient:
    """The catalogue in place, and customer 1 with contact 1."""
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
    client.put("/crm/customer/", json={"customer_name": "ABC Company"})
    client.put("/crm/contact/", json={"customer_id": 1, "contact_firstname": "Jane"})
    return client


def make(client: TestClient, number: str = "", **values: Any) -> dict[str, Any]:
    """Make a user and return it as it is read."""
    body = {name: value.replace("{n}", number) for name, value in USER.items()}
    made = client.put("/auth/users", json=body | values)
    assert made.status_code == 200, made.text
    found: dict[str, Any] = client.get(f"/auth/users/{made.json()['id']}").json()
    return found


@pytest.mark.parametrize(
    ("name", "sent", "default"),
    [
        pytest.param("username", "jane", REQUIRED, marks=pytest.mark.req("PLT-142")),
        pytest.param("email", "jane@abc.example", REQUIRED, marks=pytest.mark.req("PLT-143", "CAT-168")),
        pytest.param("first_name", "Jane", REQUIRED, marks=pytest.mark.req("PLT-147")),
        pytest.param("middle_name", "Q", None, marks=pytest.mark.req("BIL-379")),
        pytest.param("last_name", "Doe", REQUIRED, marks=pytest.mark.req("PLT-147")),
        pytest.param("phone_number", "+4790011223", None, marks=pytest.mark.req("PLT-147")),
        pytest.param("contact_id", 1, None, marks=pytest.mark.req("PLT-152", "CAT-006", "CAT-017")),
        pytest.param("force_password_change", True, False, marks=pytest.mark.req("PLT-150")),
    ],
)
def test_a_users_field(desk: TestClient, name: str, sent: Any, default: Any) -> None:
    assert make(desk, **{name: sent})[name] == sent
    body = {field: value.replace("{n}", "2") for field, value in USER.items() if field != name}
    without = desk.put("/auth/users", json=body)
    if default is REQUIRED:
        assert (without.status_code, set(without.json()["errors"])) == (400, {name})
    else:
        assert without.json()[name] == default


@pytest.mark.req("PLT-141", "PLT-144", "PLT-145", "PLT-147", "PLT-148", "CAT-016")
def test_what_a_user_gets_by_itself(desk: TestClient, crm: Crm) -> None:
    first, second = make(desk), make(desk, "2")
    assert (first["id"], second["id"]) == (1, 2)
    expected = {"email_verified": False, "is_2fa_enabled": False, "active": True, "login_count": 0, "deleted": False}
    assert {name: first[name] for name in expected} == expected
    with crm.as_actor(visitor("192.0.2.7")) as work:
        assert work.identity.login("ada", PASSWORD, "192.0.2.7").tokens is not None
    assert desk.get("/auth/users/1").json()["login_count"] == 1
    assert desk.patch("/auth/users/1", json={"active": False}).json()["active"] is False


@pytest.mark.req("PLT-146")
def test_no_secret_of_a_user_is_shown(desk: TestClient, crm: Crm, admin: Actor) -> None:
    number = make(desk)["id"]
    with crm.as_actor(admin) as work:
        user = work.session.get_one(User, number)
        user.totp_secret = work.vault.seal("crm_user.totp_secret", number, "JBSWY3DPEHPK3PXP")
        work.session.flush()
        assert b"JBSWY3DPEHPK3PXP" not in user.totp_secret
    shown = desk.get(f"/auth/users/{number}").json()
    assert not {"password", "password_hash", "totp_secret", "backup_codes"} & shown.keys()


@pytest.mark.req("PLT-153", "PLT-154", "PLT-155", "CAT-015")
def test_users_have_roles_and_roles_have_permissions_many_to_many(desk: TestClient) -> None:
    names = {found["name"]: found["id"] for found in desk.get("/auth/permissions").json()["data"]}
    roles = []
    for name, rights in (("Night desk", ["view_customer", "view_inventory"]), ("Store", ["view_inventory"])):
        role = desk.put("/auth/roles", json={"name": name, "description": f"{name} staff"}).json()
        body = {"permission_ids": [names[right] for right in rights]}
        assert desk.post(f"/auth/roles/{role['id']}/permissions", json=body).status_code == 200
        roles.append(desk.get(f"/auth/roles/{role['id']}").json())
    assert [(role["name"], role["description"]) for role in roles] == [
        ("Night desk", "Night desk staff"),
        ("Store", "Store staff"),
    ]
    both, one = make(desk, role="Night desk, Store"), make(desk, "2", role=["Store"])
    assert sorted(both["roles"]) == ["Night desk", "Store"]
    assert sorted(both["permissions"]) == ["view_customer", "view_inventory"]
    assert (list(one["roles"]), list(one["permissions"])) == (["Store"], ["view_inventory"])
    assert all(found["description"] for found in desk.get("/auth/permissions").json()["data"])


@pytest.mark.req("PLT-593", "BIL-433")
def test_a_deleted_user_is_kept_and_can_come_back(desk: TestClient) -> None:
    number = make(desk)["id"]
    assert desk.delete(f"/auth/users/{number}").status_code == 200
    assert desk.get(f"/auth/users/{number}").json()["deleted"] is True
    assert desk.delete(f"/auth/users/{number}").status_code in (200, 409)
    assert desk.get(f"/auth/users/{number}").json()["username"] == "ada"
    assert desk.patch(f"/auth/users/{number}", json={"deleted": False}).json()["deleted"] is False


@pytest.mark.req("BIL-406")
def test_a_user_is_given_one_role_more_and_once(desk: TestClient) -> None:
    number = make(desk)["id"]
    roles = {role["name"]: role["id"] for role in desk.get("/auth/roles").json()["data"]}
    path = f"/auth/roles/{roles['Finance']}/users/{number}"
    for _ in range(2):
        assert desk.post(path).json()["users"] == ["ada"]
    user = desk.get(f"/auth/users/{number}").json()
    assert sorted(user["roles"]) == ["Finance", "Support"]
    assert "create_customer_invoice" in user["permissions"]
    logged = desk.get("/crm/activity", params={"filters": '{"object_type": ["user"]}'}).json()["data"]
    assert [entry["action"] for entry in logged].count("Role given") == 1


@pytest.mark.req("BIL-409", "PLT-604")
def test_a_permission_of_ones_own_is_named_like_the_others(desk: TestClient) -> None:
    given = {"name": "view_report", "description": "Read reports"}
    made = desk.post("/auth/permissions", json=given)
    assert made.status_code == 200, made.text
    assert given.items() <= made.json().items()
    assert made.json() in desk.get("/auth/permissions").json()["data"]
    assert desk.put("/auth/permissions", json=given).status_code == 409
    for name in ("report.view", "VIEW_REPORT", "report", ""):
        answer = desk.put("/auth/permissions", json={"name": name})
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {"name"})
