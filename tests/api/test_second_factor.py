"""The second factor over REST, as an API client enrols, logs in and moves to another telephone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity import totp
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput

PASSWORD = "Tr0mbone!x"


@pytest.fixture
def user_id(crm: Crm, admin: Actor) -> int:
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        names = {"username": "ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace"}
        data = UserInput.model_validate({**names, "password": PASSWORD, "role": "Support"})
        return work.identity.create_user(data).id


def login(client: TestClient) -> dict[str, Any]:
    body: dict[str, Any] = client.post("/auth/login", json={"email": "ada", "password": PASSWORD}).json()
    return body


def code(secret: str, clock: FrozenClock) -> str:
    return totp.code_at(secret, int(clock.now().timestamp()) // 30)


@pytest.mark.req("PLT-234", "PLT-235", "PLT-236", "PLT-237", "PLT-238")
@pytest.mark.req("BIL-410", "BIL-411", "BIL-412", "BIL-413", "BIL-414", "BIL-415", "PLT-603")
def test_a_client_enrols_logs_in_moves_and_is_reset(
    stranger: TestClient, client: TestClient, user_id: int, clock: FrozenClock
) -> None:
    bearer = {"Authorization": f"Bearer {login(stranger)['token']}"}

    def ask(path: str, body: dict[str, str] | None = None) -> httpx.Response:
        return stranger.post(f"/2fa/{path}/user/{user_id}", json=body, headers=bearer)

    assert ask("enable").status_code == 400
    wrong = ask("enable", {"password": "guess"})
    assert (wrong.status_code, set(wrong.json()["errors"])) == (400, {"password"})
    issued = ask("enable", {"password": PASSWORD}).json()
    assert len(issued["backup_codes"]) == 10
    assert issued["qr_code_url"] == issued["provisioning_uri"]
    assert issued["qr_code_url"].startswith("otpauth://totp/OmniCRM:ada@example.org?secret=" + issued["totp_secret"])
    assert ask("verify-setup", {"code": "12"}).status_code == 400
    assert ask("verify-setup", {"code": code(issued["totp_secret"], clock)}).json()["verified"] is True
    assert ask("enable", {"password": PASSWORD}).status_code == 409
    clock.advance(timedelta(seconds=60))

    def verify(typed: str) -> httpx.Response:
        challenge = login(stranger)
        assert challenge.keys() == {"requires_2fa", "user_id", "challenge_token"}
        body = {"challenge_token": challenge["challenge_token"], "code": typed}
        return stranger.post(f"/crm/2fa/verify/user/{user_id}", json=body)

    opened = verify(code(issued["totp_secret"], clock)).json()
    assert {"token", "refresh_token", "user_id", "roles", "permissions"} <= opened.keys()
    assert opened["must_enable_2fa"] is False
    assert verify(code(issued["totp_secret"], clock)).status_code == 401
    unsaid = ask("backup-codes/regenerate")
    assert (unsaid.status_code, set(unsaid.json()["errors"])) == (400, {"password"})
    codes = ask("backup-codes/regenerate", {"password": PASSWORD}).json()["backup_codes"]
    assert verify(issued["backup_codes"][0]).status_code == 401
    assert verify(codes[0]).status_code == 200
    assert ask("reset-for-new-device", {"backup_code": codes[0]}).status_code == 401
    moved = ask("reset-for-new-device", {"backup_code": codes[1]}).json()
    assert moved["totp_secret"] != issued["totp_secret"]
    assert verify(code(moved["totp_secret"], clock)).status_code == 200
    shown = stranger.get(f"/2fa/user/{user_id}", headers=bearer).json()
    assert shown == {"enabled": True, "pending": False, "unused_codes": 10}
    assert ask("admin/disable", {"reason": "Lost"}).status_code == 403
    assert client.post(f"/2fa/admin/disable/user/{user_id}").json()["is_2fa_enabled"] is False
    assert login(stranger)["token"]


@pytest.mark.req("PLT-162")
def test_whom_the_policy_asks_is_told_and_held_until_it_is_done(
    stranger: TestClient, crm: Crm, user_id: int, clock: FrozenClock
) -> None:
    security = crm.settings.security.model_copy(update={"second_factor_roles": ["Support"]})
    crm.settings = crm.settings.model_copy(update={"security": security})
    session = login(stranger)
    bearer = {"Authorization": f"Bearer {session['token']}"}
    assert session["must_enable_2fa"] is True
    assert stranger.get("/crm/customers", headers=bearer).status_code == 403
    issued = stranger.post(f"/2fa/enable/user/{user_id}", json={"password": PASSWORD}, headers=bearer).json()
    body = {"code": code(issued["totp_secret"], clock)}
    assert stranger.post(f"/2fa/verify-setup/user/{user_id}", json=body, headers=bearer).status_code == 200
    assert stranger.get("/crm/customers", headers=bearer).status_code == 200
