"""The figures of the system: for Prometheus as its text format, for programs as JSON (PLT-069).

Both need the permission view_status, of a token, an API key or a whitelisted address; being on this machine opens
nothing, because a proxy on this machine hands everybody on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from fastapi import Request
from fastapi.responses import Response

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.exposition import CONTENT_TYPE, Family, Sample, text_of
from omnicrm_tui.api.paths import Router
from omnicrm_tui.api.serialize import Answer
from omnicrm_tui.messaging.rules import DUTIES
from omnicrm_tui.reporting.schemas import Figures

router = Router(tags=["Health"])


@router.get("/status")
def status(caller: CallerDep) -> Answer[Figures]:
    """Return how the system does: jobs, outbox, duties, sessions, connections, disk. Needs view_status."""
    with caller.reading() as work:
        return Answer(work.reporting.figures())


@router.get("/metrics")
def metrics(request: Request, caller: CallerDep) -> Response:
    """Return the same figures and the times of this process's requests, for Prometheus. Needs view_status."""
    with caller.reading() as work:
        figures = work.reporting.figures()
    families = [*families_of(figures), request.app.state.times.family()]
    return Response(text_of(families), media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


def families_of(figures: Figures) -> Iterator[Family]:
    """Yield the figures as Prometheus names them; docs/watching.md says what each of them is for."""
    about = {"version": figures.version, "schema": figures.schema, "database": figures.database}
    yield _gauge("omnicrm_build_info", "The program and what it works with.", Sample(1, about))
    yield from _jobs(figures)
    yield from _outbox(figures)
    yield _one("omnicrm_sessions_active", "Sessions of people that are open.", figures.sessions)
    led = {duty.name for duty in figures.duties if duty.led}
    duties = (Sample(name in led, {"duty": name}) for name in DUTIES)
    yield _gauge("omnicrm_duty_led", "Whether a process leads the duty.", *duties)
    holders = (Sample(1, {"duty": duty.name, "holder": duty.owner}) for duty in figures.duties if duty.led)
    yield _gauge("omnicrm_duty_holder_info", "The process that leads the duty.", *holders)
    yield from _resources(figures)


def _jobs(figures: Figures) -> Iterator[Family]:
    jobs = figures.jobs
    states = (Sample(jobs.waiting, {"state": "waiting"}), Sample(jobs.running, {"state": "running"}))
    yield _gauge("omnicrm_jobs", "Jobs that have not ended, by state; waiting is the depth of the queue.", *states)
    ends = [Sample(jobs.succeeded, {"outcome": "success"}), Sample(jobs.failed, {"outcome": "failure"})]
    yield Family("omnicrm_jobs_ended_total", "counter", "Jobs that have ended, by outcome.", ends)
    waited = _age(figures.at, jobs.oldest_waiting)
    yield _one("omnicrm_jobs_oldest_waiting_seconds", "How long the first job of the queue has waited.", waited)
    if jobs.success_rate is not None:
        yield _one(
            "omnicrm_jobs_success_ratio", "The part of the latest 1,000 jobs that ended well.", jobs.success_rate
        )


def _outbox(figures: Figures) -> Iterator[Family]:
    outbox, now = figures.outbox, figures.at
    counts = {"waiting": outbox.waiting, "due": outbox.due, "failed": outbox.failed, "dropped": outbox.dropped}
    states = (Sample(number, {"state": state}) for state, number in counts.items())
    yield _gauge("omnicrm_outbox_messages", "Messages that were not sent, by state; due are waiting too.", *states)
    oldest, overdue = _age(now, outbox.oldest), _age(now, outbox.overdue_since)
    yield _one("omnicrm_outbox_oldest_seconds", "The age of the oldest message that waits.", oldest)
    yield _one("omnicrm_outbox_overdue_seconds", "How long a due message has not been picked up.", overdue)


def _resources(figures: Figures) -> Iterator[Family]:
    pool, disk, cache = figures.pool, figures.disk, figures.cache
    connections = (Sample(pool.in_use, {"state": "in_use"}), Sample(pool.idle, {"state": "idle"}))
    yield _gauge("omnicrm_database_connections", "Database connections of this process.", *connections)
    if pool.most is not None:
        yield _one("omnicrm_database_connections_most", "The most connections of this process.", pool.most)
    yield _one("omnicrm_disk_free_bytes", "Room on the disk that holds the home.", disk.free)
    yield _one("omnicrm_disk_size_bytes", "Size of the disk that holds the home.", disk.size)
    asked = [Sample(cache.hits, {"result": "hit"}), Sample(cache.misses, {"result": "miss"})]
    yield Family(
        "omnicrm_cache_requests_total", "counter", "Questions for these figures, by what the cache had.", asked
    )


def _gauge(name: str, help_text: str, *samples: Sample) -> Family:
    return Family(name, "gauge", help_text, samples)


def _one(name: str, help_text: str, value: float) -> Family:
    return _gauge(name, help_text, Sample(value))


def _age(now: datetime, then: datetime | None) -> float:
    return max(0.0, (now - then).total_seconds()) if then is not None else 0.0
