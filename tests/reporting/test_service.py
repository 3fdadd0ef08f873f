"""Figures of the system, on all three databases."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.errors import NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.schemas import UserInput
from omnicrm_tui.messaging.leases import Lease
from omnicrm_tui.messaging.models import OutboxMessage
from omnicrm_tui.provisioning import figures as job_figures
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.reporting import service
from omnicrm_tui.reporting.schemas import Figures

MINUTE = timedelta(minutes=1)


def figures_of(crm: Crm, actor: Actor, *, fresh: bool = True) -> Figures:
    with crm.reading(actor) as work:
        return work.reporting.figures(fresh=fresh)


@pytest.mark.req("PLT-069", "SVC-078")
def test_figures_of_an_empty_system_are_nought(any_crm: Crm, admin: Actor) -> None:
    found = figures_of(any_crm, admin)
    assert (found.jobs.waiting, found.jobs.running, found.jobs.success_rate, found.sessions) == (0, 0, None, 0)
    assert (found.outbox.waiting, found.outbox.oldest, found.duties) == (0, None, ())
    assert found.database == any_crm.engine.dialect.name
    assert 0 < found.disk.free < found.disk.size


@pytest.mark.req("PLT-069")
def test_jobs_are_counted_by_state_and_the_latest_tell_how_they_end(
    any_crm: Crm, admin: Actor, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_figures, "LATEST", 6)
    with any_crm.as_actor(admin) as work:
        customer_id = work.customers.create(CustomerInput(customer_name="Zoë")).customer_id
    for status, claimed in ((2, 1), (2, 1), (0, 1), (0, 1), (0, 1), (2, 1), (1, None), (1, 5), (1, None)):
        clock.advance(MINUTE)
        with any_crm.as_actor(admin) as work:
            job = Provision(customer_id=customer_id, provisioning_play="p", provisioning_status=status)
            job.lease_until_ms = claimed
            work.session.add(job)
    jobs = figures_of(any_crm, admin).jobs
    assert (jobs.waiting, jobs.running, jobs.succeeded, jobs.failed) == (2, 1, 3, 3)
    assert (jobs.recent, jobs.recent_failed) == (3, 1)
    assert jobs.success_rate == pytest.approx(2 / 3)
    assert jobs.oldest_waiting == clock.now() - 2 * MINUTE


@pytest.mark.req("PLT-069")
def test_the_outbox_tells_what_waits_and_since_when(any_crm: Crm, admin: Actor, clock: FrozenClock) -> None:
    begun = clock.now()
    with any_crm.as_actor(admin) as work:
        numbers = [work.messaging.enqueue_email(f"a{at}@mail.example", "S", "T") for at in range(5)]
        for number, status in zip(numbers, ("waiting", "sent", "failed", "dropped", "waiting"), strict=True):
            work.session.get_one(OutboxMessage, number).status = status
        retried = work.session.get_one(OutboxMessage, numbers[0])
        retried.attempts, retried.next_attempt = 1, begun + 9 * MINUTE
    clock.advance(5 * MINUTE)
    outbox = figures_of(any_crm, admin).outbox
    assert (outbox.waiting, outbox.due, outbox.failed, outbox.dropped) == (2, 1, 1, 1)
    assert (outbox.oldest, outbox.overdue_since) == (begun, begun)


@pytest.mark.req("PLT-069")
def test_sessions_are_counted_while_they_are_open(any_crm: Crm, admin: Actor, clock: FrozenClock) -> None:
    data = {"username": "ada", "email": "ada@mail.example", "first_name": "A", "last_name": "L", "role": "Support"}
    with any_crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        work.identity.create_user(UserInput(password="Right-Horse9", **data))
    with any_crm.as_actor(visitor("192.0.2.7")) as work:
        first, _second = (work.identity.login("ada", "Right-Horse9", "192.0.2.7") for _ in range(2))
        assert first.tokens is not None
        token = first.tokens.refresh_token
    assert figures_of(any_crm, admin).sessions == 2
    with any_crm.as_actor(visitor("192.0.2.7")) as work:
        work.identity.logout(token)
    assert figures_of(any_crm, admin).sessions == 1
    clock.advance(timedelta(days=31))
    assert figures_of(any_crm, admin).sessions == 0


def test_who_leads_and_how_many_connections_are_in_use(any_crm: Crm, admin: Actor) -> None:
    Lease(any_crm, "schedule", "host:7:x").hold()
    with any_crm.reading(admin) as work:
        work.messaging.backlog()
        found = figures_of(any_crm, admin)
    assert [(duty.name, duty.owner, duty.led) for duty in found.duties] == [("schedule", "host:7:x", True)]
    assert found.pool.in_use == 2
    assert found.pool.most == 15
    assert figures_of(any_crm, admin).pool.in_use == 1


@pytest.mark.req("PLT-069")
def test_the_database_is_asked_once_in_a_few_seconds_however_many_watch(crm: Crm, admin: Actor) -> None:
    with patch.object(service.time, "monotonic", lambda: now[0]):
        now = [50.0]
        first = figures_of(crm, admin, fresh=False)
        with crm.as_actor(admin) as work:
            work.messaging.enqueue_email("a@mail.example", "S", "T")
        assert [figures_of(crm, admin, fresh=False).outbox.waiting for _ in range(3)] == [0, 0, 0]
        assert figures_of(crm, admin).outbox.waiting == 1
        now[0] += service.FRESH_SECONDS
        last = figures_of(crm, admin, fresh=False)
    assert (first.cache.hits, first.cache.misses) == (0, 1)
    assert (last.cache.hits, last.cache.misses) == (3, 3)
    assert last.cache.hit_rate == 0.5


def test_figures_need_their_permission_fresh_or_not(crm: Crm, admin: Actor) -> None:
    figures_of(crm, admin)
    support = Actor(ActorKind.STAFF, "ada", permissions=frozenset({"view_provision", "view_communication"}))
    with pytest.raises(NotPermitted, match="view_status"):
        figures_of(crm, support, fresh=False)
    monitoring = Actor(ActorKind.MACHINE, "prometheus", permissions=frozenset({"view_status"}))
    assert figures_of(crm, monitoring).version
