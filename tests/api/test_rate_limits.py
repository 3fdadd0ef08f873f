"""How the REST door says that something was done too often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.api.app import create_app
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.security_settings import LimitsSection
from omnicrm_tui.settings import ApiSection

pytestmark = pytest.mark.req("PLT-051", "PLT-179", "PLT-582")
GUESS = {"email": "ada@mail.example", "password": "guess"}
Limited = Callable[..., TestClient]


@pytest.fixture
def limited(crm: Crm) -> Limited:
    """Make a client of an API with these limits and no other."""

    def make(**limits: int) -> TestClient:
        none = dict.fromkeys(LimitsSection.model_fields, 0)
        security = crm.settings.security.model_copy(update={"limits": LimitsSection(**(none | limits))})
        changes = {"security": security, "api": ApiSection(trusted_proxies=["192.0.2.1"])}
        settings = crm.settings.model_copy(update=changes)
        app = create_app(Crm(settings, crm.engine, crm.clock, crm.vault))
        return TestClient(app, client=("192.0.2.1", 50_000))

    return make


def test_a_log_in_says_how_many_attempts_are_left_and_then_when_to_come_again(
    limited: Limited, clock: FrozenClock
) -> None:
    client = limited(login_per_account=2, login_per_address=50)
    first, second, third = (client.post("/crm/auth/login", json=GUESS) for _ in range(3))
    assert (first.status_code, second.status_code, third.status_code) == (401, 401, 429)
    assert first.headers["ratelimit-policy"] == '"login-account";q=2;w=900'
    assert first.headers["ratelimit"] == '"login-account";r=1;t=450'
    assert "retry-after" not in first.headers
    assert third.headers["ratelimit"] == '"login-account";r=0;t=900'
    assert third.headers["retry-after"] == "450"
    assert third.headers["x-ratelimit-limit"] == "2"
    assert third.headers["x-ratelimit-remaining"] == "0"
    assert int(third.headers["x-ratelimit-reset"]) == int(clock.now().timestamp()) + 900
    assert third.json() == {"message": "Too many attempts. Try again in 8 minutes.", "errors": {}}
    clock.advance(timedelta(seconds=450))
    assert client.post("/crm/auth/login", json=GUESS).status_code == 401


def test_the_address_is_the_one_that_a_trusted_proxy_names(limited: Limited) -> None:
    client = limited(login_per_address=1)

    def guess(address: str) -> int:
        return client.post("/crm/auth/login", json=GUESS, headers={"x-forwarded-for": address}).status_code

    assert [guess(address) for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1")] == [401, 401, 429]


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        ("/crm/2fa/verify/user/1", {"challenge_token": "none", "code": "123456"}, "code_per_address"),
        ("/crm/auth/forgot_password", {"email": "nobody@mail.example"}, "reset_per_account"),
        ("/crm/auth/reset_password", {"token": "none", "new_password": "Another-Horse9"}, "reset_per_address"),
        ("/crm/auth/refresh", {"refresh_token": "none"}, "refresh_per_address"),
    ],
)
def test_every_way_to_guess_has_its_limit(limited: Limited, path: str, body: dict[str, str], limit: str) -> None:
    client = limited(**{limit: 1})
    first, second = client.post(path, json=body), client.post(path, json=body)
    assert first.status_code != 429
    assert first.headers["x-ratelimit-remaining"] == "0"
    assert second.status_code == 429
    assert int(second.headers["retry-after"]) > 0


def test_without_limits_nothing_is_said_of_them(limited: Limited) -> None:
    answer = limited().post("/crm/auth/login", json=GUESS)
    assert answer.status_code == 401
    assert not [name for name in answer.headers if "ratelimit" in name]
