"""How a program begins to work with its data: the right version of the tables, then a Crm."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from omnicrm_tui.clock import Clock
from omnicrm_tui.crm import Crm
from omnicrm_tui.database import migrate
from omnicrm_tui.errors import Conflict, CrmError
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.settings import Settings

if TYPE_CHECKING:
    from omnicrm_tui.database.upgrade_lock import JobsRunning

_LOOK_SECONDS = 1.0


def open_crm(settings: Settings, clock: Clock | None = None, kept_connections: int = 1) -> Crm:
    """Return the Crm that `settings` describe, on a database of this program's version.

    A program that works for many keeps more connections to the database. An empty embedded database (SQLite) is made
    on the way. Raises DatabaseProblem for any other version.
    """
    made = migrate.require_current(settings)
    crm = Crm.open(settings, clock, kept_connections)
    if made:
        add_reference_data(crm)
    return crm


def open_for_terminal(settings: Settings) -> Crm:
    """Return the Crm of a terminal, its chores begun: they end with the process. Call it in a thread.

    In a demo's home the lab network is started, detached, unless some process runs it. Raises DatabaseProblem.
    """
    if settings.demo:
        Thread(target=_lab_or_nothing, args=(settings,), name="lab", daemon=True).start()
    crm = open_crm(settings)
    Thread(target=_begin_chores, args=(crm,), name="begin-chores", daemon=True).start()
    return crm


def _begin_chores(crm: Crm) -> None:
    """Begin what the first list need not wait for: log and chores."""
    from omnicrm_tui import chores, logs

    logs.begin(crm.settings, "tui")
    chores.begin(crm, Event())


def _lab_or_nothing(settings: Settings) -> None:
    """A lab that does not start is told by what needs it: a job, a balance."""
    from omnicrm_tui.lab_process import ensure_lab

    with suppress(CrmError, OSError):
        ensure_lab(settings)


def upgrade(
    settings: Settings,
    revision: str = "head",
    wait_seconds: float = 0,
    told: Callable[[JobsRunning], None] = lambda _waits: None,
) -> list[str]:
    """Bring the database to `revision`, with the permissions and roles of this program; return the steps taken.

    While jobs run, waits for up to `wait_seconds`, and calls `told` whenever it waits for others than before; then
    raises JobsRunning. Raises DatabaseProblem.
    """
    steps = _upgraded_without_jobs(settings, revision, wait_seconds, told)
    if migrate.current_version(settings).state is migrate.SchemaState.CURRENT:
        crm = Crm.open(settings)
        try:
            add_reference_data(crm)
        finally:
            crm.close()
    return steps


def _upgraded_without_jobs(
    settings: Settings, revision: str, wait_seconds: float, told: Callable[[JobsRunning], None]
) -> list[str]:
    from omnicrm_tui.database.upgrade_lock import JobsRunning

    give_up, waited_for = time.monotonic() + wait_seconds, list[int]()
    while True:
        try:
            return migrate.upgrade(settings, revision)
        except JobsRunning as waits:
            if time.monotonic() >= give_up:
                raise
            if waits.jobs != waited_for:
                waited_for = waits.jobs
                told(waits)
        time.sleep(_LOOK_SECONDS)


def add_reference_data(crm: Crm) -> None:
    """Add the permissions and role designs that are missing."""
    try:
        _add_what_is_missing(crm)
    except Conflict:
        # Another program that began in the same moment was faster, and has added them all.
        _add_what_is_missing(crm)


def _add_what_is_missing(crm: Crm) -> None:
    with crm.as_actor(system_actor("set-up")) as work:
        work.identity.ensure_catalogue()
