"""A clock that is put back by an hour: nobody is thrown out, nothing waits for the hour to pass again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.api.app import create_app
from omnicrm_tui.chores import log_of_clock
from omnicrm_tui.clock import ClockWatch, FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput
from tests.screens.harness import press, screen_text, signed_in_app, until

HOUR = timedelta(hours=1)
PASSWORD = "Right-Horse9"


@pytest.fixture
def ada(crm: Crm, admin: Actor) -> dict[str, str]:
    """Somebody to log in as."""
    person = {"username": "ada", "email": "ada@mail.example", "first_name": "Ada", "last_name": "L"}
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        work.identity.create_user(UserInput(password=PASSWORD, role="System Admin", **person))
    return {"email": person["email"], "password": PASSWORD}


@pytest.mark.req("PLT-066")
def test_a_session_over_rest_goes_on(crm: Crm, clock: FrozenClock, ada: dict[str, str]) -> None:
    client = TestClient(create_app(crm))
    clock.advance(HOUR)
    tokens = client.post("/crm/auth/login", json=ada).json()
    bearer = {"authorization": f"Bearer {tokens['token']}"}
    assert client.post("/crm/customer", json={"customer_name": "Before"}, headers=bearer).status_code == 200
    clock.advance(-HOUR)
    assert client.get("/crm/customer", headers=bearer).status_code == 200
    assert client.post("/crm/customer", json={"customer_name": "After"}, headers=bearer).status_code == 200
    renewed = client.post("/crm/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert renewed.status_code == 200
    assert client.post("/crm/auth/login", json=ada).status_code == 200


async def test_a_terminal_goes_on(crm: Crm, clock: FrozenClock, admin: Actor) -> None:
    clock.advance(HOUR)
    with crm.as_actor(admin) as work:
        work.messaging.enqueue_email("zoe@mail.example", "S", "T")
    async with signed_in_app(crm, admin, room="status") as pilot:
        await until(pilot, lambda: "1 waiting" in screen_text(pilot.app))
        pilot.app.clock_notice.watch = ClockWatch(clock, lambda: 0.0)
        pilot.app.look_around()
        clock.advance(-HOUR)
        pilot.app.look_around()
        await until(pilot, lambda: "put back by 60 min" in screen_text(pilot.app))
        await press(pilot, "r")
        assert "0 s" in screen_text(pilot.app)
        await press(pilot, "g", "c", "n")
        assert "New customer" in screen_text(pilot.app)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        pytest.param(-HOUR, ["this machine's clock was put back by 1:00:00"], id="back"),
        pytest.param(timedelta(days=2), ["this machine's clock was put forward by 2 days, 0:00:00"], id="forward"),
        pytest.param(timedelta(seconds=2), [], id="kept right"),
    ],
)
def test_the_log_says_when_the_clock_was_set(
    clock: FrozenClock, caplog: pytest.LogCaptureFixture, step: timedelta, told: list[str]
) -> None:
    seconds = 0.0
    watch = ClockWatch(clock, lambda: seconds)
    for _ in range(3):
        seconds += 300
        clock.advance(timedelta(seconds=300))
        log_of_clock(watch)
    clock.advance(step)
    log_of_clock(watch)
    log_of_clock(watch)
    assert [record.getMessage() for record in caplog.records if record.name == "omnicrm.chores"] == told
