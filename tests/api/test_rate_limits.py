"""How the REST door says that something was done too often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from omnicrm_tui.api.app import create_app
from omnicrm_tui.api.server import ApiServer
from omnicrm_tui.clock import FrozenClock, SystemClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.key_schemas import ApiKeyInput
from omnicrm_tui.identity.models import RateLimit
from omnicrm_tui.identity.schemas import UserInput
from omnicrm_tui.job.own_api import OwnApi
from omnicrm_tui.security_settings import LimitsSection
from omnicrm_tui.settings import ApiSection
from tests.fixtures.house import wait_for

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


@pytest.fixture
def key(crm: Crm, admin: Actor) -> str:
    """A key that may look at customers, recorded as an administrator."""
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        fields = {"username": "ada", "email": "ada@mail.example", "first_name": "Ada", "last_name": "L"}
        work.identity.create_user(UserInput(password="Right-Horse9", role="System Admin", **fields))
        return work.identity.create_api_key(ApiKeyInput(name="probe", permissions=["view_customer"])).api_key


def test_every_answer_says_how_many_calls_are_left_and_one_too_many_is_429(
    limited: Limited, key: str, clock: FrozenClock
) -> None:
    client = limited(api_per_caller=3, api_per_address=10)
    client.headers["X-API-KEY"] = key
    answers = [client.get("/crm/customer") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["ratelimit-policy"] == '"api-caller";q=3;w=60'
    assert answers[3].headers["retry-after"] == "20"
    assert answers[3].headers["x-request-id"]
    clock.advance(timedelta(seconds=20))
    assert client.get("/crm/customer").status_code == 200


def test_an_address_is_limited_whatever_it_asks_for_and_health_is_not(limited: Limited) -> None:
    client = limited(api_per_address=2)
    assert [client.get(path).status_code for path in ("/nowhere", "/crm/customer", "/crm/customer")] == [404, 403, 429]
    refused = client.get("/crm/docs/")
    assert (refused.status_code, refused.headers["ratelimit"]) == (429, '"api-address";r=0;t=60')
    assert refused.json()["message"] == "Too many attempts. Try again in 30 seconds."
    for path in ("/crm/health", "/crm/health/live", "/health"):
        answer = client.get(path)
        assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)
    assert client.get("/crm/customer", headers={"x-forwarded-for": "198.51.100.9"}).status_code == 403


def test_a_job_calls_its_own_door_as_often_as_it_has_to(crm: Crm) -> None:
    security = crm.settings.security.model_copy(update={"limits": LimitsSection(api_per_address=1)})
    few = Crm(crm.settings.model_copy(update={"security": security}), crm.engine, crm.clock, crm.vault)
    own = OwnApi(few.settings)
    own.serve(few, lambda: None)
    try:
        assert [httpx.get(f"{own.url}/crm/customer", timeout=30).status_code for _ in range(3)] == [403] * 3
    finally:
        own.close()
    with ApiServer(few) as server:
        assert [httpx.get(f"{server.url}/crm/customer", timeout=30).status_code for _ in range(2)] == [403, 429]


def test_calls_are_settled_while_a_server_runs(crm: Crm, admin: Actor) -> None:
    security = crm.settings.security.model_copy(update={"limits": LimitsSection(api_per_address=20)})
    few = Crm(crm.settings.model_copy(update={"security": security}), crm.engine, SystemClock(), crm.vault)

    def rows() -> int:
        with crm.reading(admin) as work:
            return work.session.scalar(select(func.count(RateLimit.subject))) or 0

    with ApiServer(few) as server:
        for _ in range(10):
            httpx.get(f"{server.url}/crm/customer", timeout=30)
        wait_for(lambda: rows() == 1, "the count in the database")
