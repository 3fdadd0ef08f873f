"""Calls of REST: counted in each process, and settled between them while somebody calls much."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity import call_counter
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.call_counter import CallCounter, settle_calls
from omnicrm_tui.identity.limits import Limit, RateLimited, microseconds
from omnicrm_tui.identity.models import RateLimit

pytestmark = pytest.mark.req("PLT-051")
LIMIT = Limit("api-caller", 100, 60)
ADA = "user 1"


def call(crm: Crm, counter: CallCounter, times: int = 1, whose: str = ADA) -> int:
    """Call some times; return how many calls were let through."""
    for number in range(times):
        try:
            counter.count(LIMIT, whose, microseconds(crm.clock.now()))
        except RateLimited:
            return number
    return times


def rows(crm: Crm, admin: Actor) -> int:
    with crm.reading(admin) as work:
        return work.session.scalar(select(func.count(RateLimit.subject))) or 0


def test_two_processes_share_a_limit_once_they_have_settled(any_crm: Crm, admin: Actor) -> None:
    one, other = CallCounter(), CallCounter()
    assert (call(any_crm, one, 60), call(any_crm, other, 30)) == (60, 30)
    for counter in (one, other, one):
        settle_calls(any_crm, counter)
    assert rows(any_crm, admin) == 1
    assert call(any_crm, one, 20) == 10
    settle_calls(any_crm, one)
    assert call(any_crm, other, 20) == 10
    settle_calls(any_crm, other)
    assert call(any_crm, other) == 0
    assert call(any_crm, other, whose="user 2") == 1


def test_what_is_settled_again_and_again_is_counted_once(any_crm: Crm, clock: FrozenClock) -> None:
    counter = CallCounter()
    for _ in range(300):
        assert call(any_crm, counter) == 1
        settle_calls(any_crm, counter)
        clock.advance(timedelta(seconds=0.6))
    assert call(any_crm, counter, 200) >= 98


def test_who_calls_little_costs_no_write_however_long(any_crm: Crm, admin: Actor, clock: FrozenClock) -> None:
    counter = CallCounter()
    for _ in range(300):
        assert call(any_crm, counter) == 1
        assert not counter.noted.is_set()
        clock.advance(timedelta(seconds=1))
    settle_calls(any_crm, counter)
    assert rows(any_crm, admin) == 0
    # And what has long leaked away is not poured in at the first hurry.
    assert call(any_crm, counter, 20) == 20
    assert counter.noted.is_set()
    settle_calls(any_crm, counter)
    assert call(any_crm, counter, 100) >= 79


def test_without_a_database_a_process_counts_alone_and_settles_later(any_crm: Crm, admin: Actor) -> None:
    gone = Crm(any_crm.settings, make_engine("sqlite:////nowhere/at/all.sqlite"), any_crm.clock, any_crm.vault)
    counter = CallCounter()
    assert call(gone, counter, 50) == 50
    settle_calls(gone, counter)
    with pytest.raises(DatabaseProblem), gone.reading(admin):
        gone.database_clock()
    assert call(gone, counter, 60) == 50
    assert counter.noted.is_set()
    settle_calls(any_crm, counter)
    other = CallCounter()
    assert call(any_crm, other, 11) == 11
    settle_calls(any_crm, other)
    assert call(any_crm, other) == 0


def test_callers_who_are_gone_are_forgotten(crm: Crm, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_counter, "_MOST_KEPT", 10)
    counter = CallCounter()
    for number in range(100):
        call(crm, counter, whose=f"address {number}")
        clock.advance(timedelta(seconds=30))
    assert len(counter._buckets) <= 12
