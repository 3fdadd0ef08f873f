"""Leases: one holder at a time, whatever the clocks do."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import DatabaseProblem, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.messaging import leading
from omnicrm_tui.messaging.leading import every
from omnicrm_tui.messaging.leases import LEASE_MS, Lease

HOUR = timedelta(hours=1)


class Ticks:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def test_a_clock_put_back_leaves_the_lease_with_its_holder(any_crm: Crm, clock: FrozenClock, ticks: Ticks) -> None:
    holder, other = Lease(any_crm, "outbox", monotonic=ticks), Lease(any_crm, "outbox", monotonic=ticks)
    assert (holder.hold(), other.hold()) == (True, False)
    clock.advance(-HOUR)
    for _ in range(10):
        ticks.now += LEASE_MS / 4000
        clock.advance(timedelta(milliseconds=LEASE_MS / 4))
        assert (holder.hold(), other.hold()) == (True, False)


def test_a_clock_put_back_does_not_keep_the_lease_of_a_dead_holder(
    any_crm: Crm, clock: FrozenClock, ticks: Ticks
) -> None:
    assert Lease(any_crm, "outbox").hold()
    clock.advance(-HOUR)
    heirs = [Lease(any_crm, "outbox", monotonic=ticks) for _ in range(2)]
    assert [heir.hold() for heir in heirs] == [False, False]
    ticks.now += LEASE_MS / 1000 - 0.1
    assert [heir.hold() for heir in heirs] == [False, False]
    ticks.now += 0.2
    assert [heir.hold() for heir in heirs] == [True, False]
    clock.advance(timedelta(milliseconds=LEASE_MS))
    assert heirs[1].hold()


def test_who_leads_is_told_to_those_who_may_know(any_crm: Crm, admin: Actor, clock: FrozenClock) -> None:
    Lease(any_crm, "outbox", "host:1:a").hold()
    Lease(any_crm, "schedule", "host:2:b").hold()
    Lease(any_crm, "outbox", "host:1:a").release()
    with any_crm.reading(admin) as work:
        found = [(leader.name, leader.owner, leader.led) for leader in work.messaging.leaders()]
    assert found == [("outbox", "host:1:a", False), ("schedule", "host:2:b", True)]
    with any_crm.reading(Actor(ActorKind.STAFF, "ada")) as work, pytest.raises(NotPermitted):
        work.messaging.leaders()


def test_a_duty_that_is_due_now_and_then_is_done_at_once_and_then_at_its_time(ticks: Ticks) -> None:
    done: list[float] = []
    duty = every(60, lambda _go_on: done.append(ticks.now), ticks)
    for _ in range(130):
        duty(lambda: True)
        ticks.now += 1
    assert done == [100.0, 160.0, 220.0]


def test_a_trouble_that_lasts_is_told_once_and_its_end_too(
    crm: Crm, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, looks = threading.Event(), 0
    monkeypatch.setattr(leading, "FOLLOW_SECONDS", 0.01)

    def hold(_lease: Lease) -> bool:
        nonlocal looks
        looks += 1
        if 3 <= looks < 8:
            raise DatabaseProblem("The disk is full.")
        if looks > 9:
            stop.set()
        return True

    monkeypatch.setattr(Lease, "hold", hold)
    with caplog.at_level(logging.INFO, "omnicrm_tui.messaging.leading"):
        leading.Leader(crm, "outbox", stop, [], look_seconds=0.01).run()
    assert caplog.messages == [
        "Leading outbox from now on",
        "The duty outbox waits: The disk is full.",
        "Not leading outbox any more",
        "The duty outbox goes on",
        "Leading outbox from now on",
    ]
