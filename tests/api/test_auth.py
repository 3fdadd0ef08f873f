"""Who calls: tokens, keys, addresses, and what each mistake is answered with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.api.app import create_app
from omnicrm_tui.api.auth import client_address
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity import password_reset
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput
from omnicrm_tui.settings import ApiKey, ApiSection, WhitelistEntry

PASSWORD = "Tr0mbone!x"
KEY = "k" * 40
READER = "r" * 40


@pytest.fixture
def user_id(crm: Crm, admin: Actor) -> int:
    """An administrator, so that machines have somebody to be recorded as."""
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        names = {"username": "ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace"}
        data = UserInput.model_validate({**names, "password": PASSWORD, "role": "System Admin"})
        return work.identity.create_user(data).id


@pytest.fixture
def trusting(crm: Crm, user_id: int) -> Crm:
    """A Crm whose configuration knows two API keys, a whitelisted network and a proxy."""
    changes = {
        "api_keys": {KEY: ApiKey(roles=["admin"]), READER: ApiKey(roles=["view_customer"])},
        "ip_whitelist": {"10.0.0.0/24": WhitelistEntry(roles=["admin"])},
        "api": ApiSection(trusted_proxies=["192.0.2.1"]),
    }
    return Crm(crm.settings.model_copy(update=changes), crm.engine, crm.clock, crm.vault)


def _login(client: TestClient, **values: object) -> dict[str, str]:
    answer = client.post("/crm/auth/login", json={"email": "ada@example.org", "password": PASSWORD, **values})
    assert answer.status_code == 200, answer.text
    body: dict[str, str] = answer.json()
    return body


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.req("PLT-050", "BIL-375")
@pytest.mark.req("CAT-190", "CAT-175", "CAT-176")
@pytest.mark.usefixtures("user_id")
def test_a_login_answers_tokens_roles_and_permissions(stranger: TestClient) -> None:
    session = _login(stranger)
    assert session["roles"] == ["System Admin"]
    assert "admin" in session["permissions"]
    assert stranger.get("/crm/customers", headers=_bearer(session["token"])).status_code == 200


@pytest.mark.usefixtures("user_id")
def test_a_user_name_logs_in_too_and_a_wrong_password_is_401(stranger: TestClient) -> None:
    assert stranger.post("/auth/login", json={"username": "ada", "password": PASSWORD}).status_code == 200
    wrong = stranger.post("/auth/login", json={"email": "ada@example.org", "password": "guess"})
    assert wrong.status_code == 401
    assert wrong.json() == {"message": "Invalid email or password", "errors": {}}
    assert stranger.post("/auth/login", json={"password": PASSWORD}).json()["errors"] == {"email": "is required"}
    assert stranger.post("/auth/login", json={}).status_code == 400


@pytest.mark.req("BIL-422")
@pytest.mark.usefixtures("user_id")
def test_too_many_failures_lock_the_account(stranger: TestClient) -> None:
    guesses = [{"email": "ada@example.org", "password": "guess"}] * 5
    assert [stranger.post("/auth/login", json=guess).status_code for guess in guesses] == [401] * 5
    locked = stranger.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    assert locked.status_code == 423


@pytest.mark.req("CAT-227", "SVC-087")
@pytest.mark.usefixtures("user_id")
def test_a_refresh_token_is_good_for_one_use(stranger: TestClient, clock: FrozenClock) -> None:
    first = _login(stranger)
    clock.advance(timedelta(minutes=16))
    assert stranger.get("/crm/customers", headers=_bearer(first["token"])).status_code == 401
    second = stranger.post("/crm/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
    assert stranger.get("/crm/customers", headers=_bearer(second["token"])).status_code == 200
    cookie = {"Cookie": f"refresh_token={second['refresh_token']}"}
    third = stranger.post("/crm/auth/refresh", headers=cookie).json()
    assert third["access_token"] == third["token"]
    again = stranger.post("/crm/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert again.status_code == 401
    assert stranger.get("/crm/customers", headers=_bearer(third["token"])).status_code == 401


@pytest.mark.usefixtures("user_id")
def test_a_logout_ends_the_access_token_too(stranger: TestClient) -> None:
    session = _login(stranger)
    assert stranger.post("/auth/logout", json={"refresh_token": session["refresh_token"]}).status_code == 200
    assert stranger.get("/crm/customers", headers=_bearer(session["token"])).status_code == 401


@pytest.mark.req("BIL-399", "PLT-178")
def test_a_password_is_changed_by_who_knows_it(stranger: TestClient, user_id: int) -> None:
    session = _login(stranger)
    change = {"current_password": PASSWORD, "new_password": "Cla7inet!x"}
    assert stranger.post("/auth/change_password", json=change).status_code == 403
    wrong = {**change, "current_password": "x", "user_id": user_id}
    answer = stranger.post("/auth/change_password", json=wrong, headers=_bearer(session["token"]))
    assert answer.status_code == 401
    assert stranger.post("/auth/change_password", json=change, headers=_bearer(session["token"])).status_code == 200
    assert _login(stranger, password="Cla7inet!x")["token"]


@pytest.mark.req("BIL-399", "PLT-178")
def test_a_temporary_password_is_changed_with_the_challenge_of_its_log_in(
    stranger: TestClient, crm: Crm, admin: Actor, user_id: int
) -> None:
    with crm.as_actor(admin) as work:
        temporary = work.identity.reset_password(user_id)
    asked = stranger.post("/auth/login", json={"username": "ada", "password": temporary}).json()
    assert asked.keys() == {"must_change_password", "user_id", "challenge_token"}
    change = {"current_password": temporary, "new_password": "Cla7inet!x"}
    bare = stranger.post("/auth/change_password", json={**change, "user_id": user_id})
    assert bare.status_code == 403
    proof = {"challenge_token": asked["challenge_token"]}
    assert stranger.post("/auth/change_password", json={**change, **proof}).status_code == 200
    assert _login(stranger, password="Cla7inet!x")["token"]
    assert stranger.post("/auth/change_password", json={**change, **proof}).status_code == 401


@pytest.mark.req("BIL-399", "PLT-179")
def test_nobody_locks_a_colleague_with_guesses_at_the_change(trusting: Crm, admin: Actor, user_id: int) -> None:
    """Neither a stranger, nor a machine, nor somebody who is logged in: not one guess is counted."""
    with trusting.as_actor(admin) as work:
        names = {"username": "bob", "email": "bob@example.org", "first_name": "Bob", "last_name": "B"}
        work.identity.create_user(UserInput.model_validate({**names, "password": PASSWORD, "role": "Support"}))
    client = TestClient(create_app(trusting))
    bob = client.post("/auth/login", json={"username": "bob", "password": PASSWORD}).json()
    guess = {"current_password": "wrong", "new_password": "Cla7inet!x", "user_id": user_id}
    unknown = {**guess, "user_id": 4711}
    for headers in ({}, {"X-API-KEY": KEY}, _bearer(bob["token"])):
        for _again in range(6):
            answers = [client.post("/auth/change_password", json=body, headers=headers) for body in (guess, unknown)]
            assert {answer.status_code for answer in answers} == {403}
            assert answers[0].json() == answers[1].json()
    assert _login(client)["token"]


@pytest.mark.req("PLT-050", "BIL-375")
@pytest.mark.req("SVC-082", "SVC-083", "SVC-084")
@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({}, 403, "Access denied"),
        ({"X-API-KEY": "wrong"}, 401, "Invalid API key"),
        ({"Authorization": "Bearer wrong"}, 401, None),
        ({"Authorization": "Bearer "}, 401, None),
        ({"Authorization": "Basic YTpi"}, 401, None),
        ({"Authorization": "Bearer a.b.c", "X-API-KEY": KEY}, 401, None),
    ],
)
def test_without_a_valid_identity_nobody_comes_in(
    trusting: Crm, headers: dict[str, str], status: int, message: str | None
) -> None:
    answer = TestClient(create_app(trusting)).get("/crm/customers", headers=headers)
    assert answer.status_code == status
    assert message is None or answer.json()["message"] == message
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.req("BIL-375")
@pytest.mark.req("SVC-079", "CAT-177", "CAT-179")
def test_a_key_acts_as_the_first_administrator_with_the_rights_it_was_given(trusting: Crm, user_id: int) -> None:
    client = TestClient(create_app(trusting))
    made = client.put("/crm/customer/", json={"customer_name": "Grace"}, headers={"X-API-KEY": KEY})
    assert made.status_code == 200
    log = client.get("/crm/activity", headers={"X-API-KEY": KEY}).json()["data"]
    assert (log[0]["action"], log[0]["user_id"]) == ("Customer created", user_id)
    assert client.get("/crm/customers", headers={"X-API-KEY": READER}).status_code == 200
    refused = client.put("/crm/customer/", json={"customer_name": "Grace"}, headers={"X-API-KEY": READER})
    assert refused.status_code == 403
    assert "create_customer" in refused.json()["message"]


@pytest.mark.req("BIL-375")
@pytest.mark.req("CAT-181", "SVC-084")
def test_a_whitelisted_address_needs_no_credential(trusting: Crm) -> None:
    app = create_app(trusting)
    assert TestClient(app, client=("10.0.0.9", 1)).get("/crm/customers").status_code == 200
    assert TestClient(app, client=("10.0.1.9", 1)).get("/crm/customers").status_code == 403
    forged = {"X-Forwarded-For": "10.0.0.9"}
    assert TestClient(app, client=("10.0.1.9", 1)).get("/crm/customers", headers=forged).status_code == 403
    assert TestClient(app, client=("192.0.2.1", 1)).get("/crm/customers", headers=forged).status_code == 200


@pytest.mark.parametrize(
    ("peer", "hops", "address"),
    [
        ("198.51.100.7", ["10.0.0.1"], "198.51.100.7"),
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["10.0.0.1"], "10.0.0.1"),
        ("192.0.2.1", ["10.0.0.1", "198.51.100.7"], "198.51.100.7"),
        ("192.0.2.1", ["10.0.0.1", "192.0.2.2"], "10.0.0.1"),
        ("testclient", ["10.0.0.1"], "testclient"),
    ],
)
def test_a_forwarded_address_is_believed_only_as_far_as_proxies_reach(peer: str, hops: list[str], address: str) -> None:
    assert client_address(peer, hops, ["192.0.2.0/24"]) == address


def test_a_proxy_is_known_by_its_address_inside_an_ipv6_one_too() -> None:
    """A server that listens on :: sees IPv4 peers so; lists of addresses unwrap them as well."""
    assert client_address("::ffff:192.0.2.1", ["10.0.0.1"], ["192.0.2.0/24"]) == "10.0.0.1"


def test_an_identity_is_asked_for_before_the_input_is_judged(stranger: TestClient) -> None:
    assert stranger.put("/crm/customer/", json={"colour": "x"}).status_code == 403
    assert stranger.get("/crm/customers?page=x", headers=_bearer("x")).status_code == 401


@pytest.mark.req("BIL-390", "BIL-391", "BIL-392", "BIL-393", "BIL-394", "BIL-395", "BIL-396")
@pytest.mark.usefixtures("user_id")
def test_an_administrator_manages_users(client: TestClient) -> None:
    names = {"username": "bob", "email": "bob@example.org", "first_name": "Bob", "last_name": "Roe"}
    made = client.post("/crm/auth/users", json={**names, "password": PASSWORD, "role": "System Admin"})
    assert made.status_code == 200
    assert PASSWORD not in made.text
    path = f"/crm/auth/users/{made.json()['id']}"
    assert client.get(path).json() == made.json()
    assert client.put(path, json={"first_name": "Robert"}).json()["first_name"] == "Robert"
    assert client.post(f"{path}/admin_reset_password", json={"new_password": "weak"}).status_code == 400
    assert client.post(f"{path}/admin_reset_password", json={"new_password": "Cla7inet!x"}).status_code == 200
    found = client.get("/crm/auth/users/search", params={"search": "bob", "filters": '{"deleted": [false]}'}).json()
    assert [user["username"] for user in found["data"]] == ["bob"]
    assert client.delete(path).status_code == 200
    assert [user["username"] for user in client.get("/crm/auth/users").json()["data"]] == ["ada"]


@pytest.mark.req("BIL-400", "BIL-401", "BIL-402", "BIL-403", "BIL-404", "BIL-405", "BIL-408")
@pytest.mark.usefixtures("user_id")
def test_an_administrator_manages_roles(client: TestClient) -> None:
    permissions = {found["name"]: found["id"] for found in client.get("/crm/auth/permissions").json()["data"]}
    role = client.post("/crm/auth/roles", json={"name": "Night desk"}).json()
    assert role["permissions"] == []
    path = f"/crm/auth/roles/{role['id']}"
    chosen = [permissions["view_customer"], permissions["view_customer_service"]]
    given = client.post(f"{path}/permissions", json={"permission_ids": chosen}).json()
    assert given["permissions"] == ["view_customer", "view_customer_service"]
    taken = client.delete(f"{path}/permissions/{chosen[0]}").json()
    assert taken["permissions"] == ["view_customer_service"]
    assert client.put(path, json={"description": "After ten"}).json()["description"] == "After ten"
    assert client.post(f"{path}/permissions", json={}).status_code == 400
    assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404
    assert "Night desk" not in {found["name"] for found in client.get("/crm/auth/roles").json()["data"]}


@pytest.mark.req("BIL-397", "BIL-398", "PLT-198", "PLT-199", "PLT-203")
@pytest.mark.usefixtures("user_id")
def test_a_forgotten_password_is_reset_with_the_mailed_code(
    stranger: TestClient, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(["ABCD-EFGH-JKMN-PQRS", "0000-0000-0000-0000"])
    monkeypatch.setattr(password_reset, "new_code", lambda: next(codes))
    answers = [
        stranger.post("/auth/forgot_password", json={"email": email})
        for email in ("ada@example.org", "nobody@example.org")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (200, '{"message":"Reset instructions have been sent to your email"}')
    }
    assert stranger.post("/auth/forgot_password", json={}).status_code == 400

    def reset(token: str, password: str) -> int:
        body = {"token": token, "new_password": password}
        return stranger.post("/crm/auth/reset_password", json=body).status_code

    assert reset("ABCD-EFGH-JKMN-PQRT", "Cla7inet!x") == 400
    assert reset("ABCD-EFGH-JKMN-PQRS", "weak") == 400
    assert reset("ABCD-EFGH-JKMN-PQRS", "Cla7inet!x") == 200
    assert reset("ABCD-EFGH-JKMN-PQRS", "0ther!Flute") == 400
    assert _login(stranger, password="Cla7inet!x")["token"]


@pytest.mark.req("PLT-200", "PLT-202", "PLT-590")
@pytest.mark.usefixtures("user_id")
def test_the_link_of_the_mail_leads_to_a_page_whose_address_is_written_nowhere(
    stranger: TestClient, crm: Crm, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="omnicrm.api")
    code = "ABCD-EFGH-JKMN-PQRS"
    page = stranger.get(f"/reset-password/{code}")
    assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
    assert code not in page.text
    nonce = page.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
    assert f'<script nonce="{nonce}">' in page.text
    assert "/reset-password/{token}" in caplog.text
    assert code not in caplog.text
    crm.settings = crm.settings.model_copy(update={"crm": crm.settings.crm.model_copy(update={"language": "fr"})})
    assert "Nouveau mot de passe" in stranger.get(f"/reset-password/{code}").text
