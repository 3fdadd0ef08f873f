"""The chores: old sessions go, abandoned jobs are started or ended, and all of it by whoever leads."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest

from omnicrm_tui import chores
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import UserInput
from omnicrm_tui.provisioning.progress import JobProgress
from omnicrm_tui.provisioning.recovery import Recovery
from omnicrm_tui.provisioning.starting import AT_ONCE, PATIENCE_SECONDS, Starting
from tests.fixtures.operator import Operator

PASSWORD = "Right-Horse9"


@pytest.fixture
def sessions(any_crm: Crm, admin: Actor, clock: FrozenClock) -> Crm:
    """Three sessions of three people, begun five days after each other; the first two have run out two days ago."""
    data = {"first_name": "Ada", "last_name": "L", "role": "Support", "password": PASSWORD}
    for number in range(3):
        with any_crm.as_actor(admin) as work:
            work.identity.ensure_catalogue()
            user = f"ada{number}"
            work.identity.create_user(UserInput(username=user, email=f"{user}@mail.example", **data))
        with any_crm.as_actor(visitor("192.0.2.7")) as work:
            work.identity.login(user, PASSWORD, "192.0.2.7")
        clock.advance(timedelta(days=5))
    clock.advance(timedelta(days=22))
    return any_crm


def test_sessions_that_have_long_been_over_are_deleted_a_handful_at_a_time(
    sessions: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "CLEAN_AT_ONCE", 1)
    assert chores.clean(sessions, go_on=lambda: False) == 0
    # Beside the two sessions: what the log-ins were counted in, of three accounts and an address.
    assert chores.clean(sessions) == 2 + 4
    assert chores.clean(sessions) == 0


def test_a_job_that_nobody_started_is_started_once_more(operator: Operator) -> None:
    now = [0.0]
    starting = Starting(operator.crm, lambda: now[0])
    waiting, claimed = operator.order(), operator.order("play_simple_service")
    JobProgress(operator.crm, claimed, "one").claim(11)
    operator.dispatcher.dispatched.clear()
    assert starting.look() == []
    now[0] += PATIENCE_SECONDS
    assert (starting.look(), starting.look()) == ([waiting], [])
    assert operator.dispatcher.dispatched == [waiting]
    now[0] += PATIENCE_SECONDS
    assert starting.look() == [waiting]
    JobProgress(operator.crm, waiting, "two").claim(12)
    now[0] += PATIENCE_SECONDS
    assert starting.look() == []


def test_a_heap_of_waiting_jobs_is_started_bit_by_bit(operator: Operator) -> None:
    now = [0.0]
    starting = Starting(operator.crm, lambda: now[0])
    jobs = [operator.order("play_simple_service") for _ in range(AT_ONCE + 2)]
    starting.look()
    now[0] += PATIENCE_SECONDS
    assert starting.look() == jobs[:AT_ONCE]
    assert starting.look() == jobs[AT_ONCE:]


@pytest.mark.req("SVC-130")
def test_a_clock_put_back_neither_ends_a_living_job_nor_keeps_a_dead_one(
    operator: Operator, clock: FrozenClock
) -> None:
    living, dead = operator.order(), operator.order("play_simple_service")
    pens = {number: JobProgress(operator.crm, number, "one") for number in (living, dead)}
    for number, pen in pens.items():
        pen.claim(number)
    beat = operator.crm.settings.provisioning.heartbeat_seconds
    clock.advance(timedelta(hours=-1))
    now = [0.0]
    recovery = Recovery(operator.crm, lambda: now[0])
    ended: list[int] = []
    for _ in range(8):
        pens[living].beat()
        ended += recovery.look()
        now[0] += beat
        clock.advance(timedelta(seconds=beat))
    assert ended == [dead]


def test_what_is_asked_for_is_led_and_given_back(crm: Crm, admin: Actor) -> None:
    def led() -> set[str]:
        with crm.reading(admin) as work:
            return {leader.name for leader in work.messaging.leaders() if leader.led}

    stop = Event()
    threads = chores.begin(crm, stop, ["outbox", "jobs"])
    assert [thread.name for thread in threads] == ["jobs", "outbox"]
    looks = 0
    while led() != {"outbox", "jobs"} and looks < 3000:
        looks += not stop.wait(0.01)
    assert led() == {"outbox", "jobs"}
    stop.set()
    for thread in threads:
        thread.join(30)
    assert led() == set()
