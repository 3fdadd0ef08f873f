"""The chores of an installation: deliver what waits, keep the schedule, start what nobody started.

Each is a lease with its duties. The terminal and the server do what no other process leads; in production a worker
does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from omnicrm_tui.clock import ClockWatch, SystemClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.messaging.delivery import OutboxCourier
from omnicrm_tui.messaging.leading import Duty, Leader, every
from omnicrm_tui.messaging.rules import DUTIES, JOBS, OUTBOX, SCHEDULE
from omnicrm_tui.provisioning.left_folders import remove_left_folders
from omnicrm_tui.provisioning.recovery import Recovery
from omnicrm_tui.provisioning.starting import Starting
from omnicrm_tui.work import Work

log = logging.getLogger("omnicrm.chores")

CLEAN_SECONDS = 600.0
CLEAN_AT_ONCE = 500
"""Rows that one transaction deletes: nobody waits for it."""

_END_SECONDS = 10.0


def _outbox(crm: Crm) -> Sequence[Duty]:
    courier = OutboxCourier(crm)
    return [lambda go_on: courier.deliver_due(go_on=go_on)]


def _schedule(crm: Crm) -> Sequence[Duty]:
    recovery = Recovery(crm)
    watch = ClockWatch(SystemClock())
    return [
        lambda _go_on: recovery.look(),
        lambda _go_on: log_of_clock(watch),
        every(CLEAN_SECONDS, lambda go_on: clean(crm, go_on)),
        every(CLEAN_SECONDS, lambda _go_on: remove_keys(crm)),
    ]


def _jobs(crm: Crm) -> Sequence[Duty]:
    starting = Starting(crm)
    return [lambda _go_on: starting.look()]


_QUEUES: dict[str, Callable[[Crm], Sequence[Duty]]] = {JOBS: _jobs, OUTBOX: _outbox, SCHEDULE: _schedule}
QUEUES = DUTIES
"""The duties that a process can lead, by the names of their leases."""


def log_of_clock(watch: ClockWatch) -> None:
    """Log when somebody set the clock: who reads the log later wonders about its times."""
    if put := watch.look():
        log.warning("this machine's clock was put %s by %s", "back" if put.days < 0 else "forward", abs(put))


def clean(crm: Crm, go_on: Callable[[], bool] = lambda: True) -> int:
    """Delete sessions that have been over for a day, old counts of API keys' uses, and rate limits that nobody is near.

    Before, write down that who acted as another user has come to the time limit. Return how many rows.
    """
    sweeps: tuple[Callable[[Work], int], ...] = (
        lambda work: work.impersonation.settle(),
        lambda work: work.identity.delete_old_sessions(CLEAN_AT_ONCE),
        lambda work: work.identity.delete_old_uses(CLEAN_AT_ONCE),
        lambda work: work.limits.delete_empty(CLEAN_AT_ONCE),
    )
    return sum(_until_none(crm, go_on, sweep) for sweep in sweeps)


def remove_keys(crm: Crm) -> None:
    """Remove former signing keys of which all that they signed is over."""
    with crm.as_actor(system_actor(SCHEDULE)) as work:
        work.identity.remove_signing_keys()


def _until_none(crm: Crm, go_on: Callable[[], bool], delete: Callable[[Work], int]) -> int:
    """Delete a handful at a time until nothing is left; return how many."""
    deleted = 0
    while go_on():
        with crm.as_actor(system_actor(SCHEDULE)) as work:
            found = delete(work)
        deleted += found
        if found < CLEAN_AT_ONCE:
            break
    return deleted


def begin(crm: Crm, stop: Event, queues: Collection[str] = QUEUES) -> list[Thread]:
    """Start a thread for each of `queues`; they end, and give their leases back, once `stop` is set.

    What jobs left on this host is deleted first: when the host died, another one ended them, and cannot reach it.
    """
    remove_left_folders(crm.settings.jobs_folder)
    leaders = [(name, Leader(crm, name, stop, duties(crm))) for name, duties in _QUEUES.items() if name in queues]
    threads = [Thread(target=leader.run, name=name, daemon=True) for name, leader in leaders]
    for thread in threads:
        thread.start()
    return threads


@contextmanager
def doing(crm: Crm, queues: Collection[str] = QUEUES) -> Iterator[Sequence[Thread]]:
    """Do the chores while the block runs, as far as no other process does them; yield the threads that do.

    A thread ends by itself only when the database was upgraded.
    """
    stop = Event()
    threads = begin(crm, stop, queues)
    try:
        yield threads
    finally:
        stop.set()
        for thread in threads:
            thread.join(_END_SECONDS)
