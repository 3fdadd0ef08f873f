"""Is it up, and can it work? Asked without an identity, by plays and by monitoring (CAT-192)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from omnicrm_tui import __version__
from omnicrm_tui.api.auth import CrmDep
from omnicrm_tui.api.serialize import Answer
from omnicrm_tui.crm import Crm
from omnicrm_tui.database import migrate
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.listing import ListQuery
from omnicrm_tui.messaging.rules import DUTIES

router = APIRouter(tags=["Health"])
PUBLIC: dict[str, Any] = {"security": []}


@router.get("/health", openapi_extra=PUBLIC)
def health(crm: CrmDep) -> Answer:
    """Answer 200 when requests can be served, 503 when the database cannot be used."""
    try:
        with crm.reading(system_actor("health")) as work:
            work.customers.count(ListQuery(), cap=1)
    except DatabaseProblem as problem:
        return Answer({"status": "unavailable", "database": problem.message, "version": __version__}, 503)
    return Answer({"status": "ok", "database": "ok", "version": __version__})


@router.get("/health/live", openapi_extra=PUBLIC)
async def live() -> Answer:
    """Answer 200 as long as the process answers at all."""
    return Answer({"status": "ok", "version": __version__})


@router.get("/health/ready", openapi_extra=PUBLIC)
def ready(crm: CrmDep) -> Answer:
    """Answer 200 when the database can be used and has this program's version, 503 when not.

    `duties` tells which of the chores some process leads. A server is ready without: what is due waits meanwhile.
    """
    try:
        found = _found(crm)
    except DatabaseProblem as problem:
        return Answer({"status": "unavailable", "database": problem.message, "version": __version__}, 503)
    current = found["schema_state"] == migrate.SchemaState.CURRENT.value
    status = {"status": "ok" if current else "unavailable", "database": "ok", "version": __version__}
    return Answer(status | found, 200 if current else 503)


def _found(crm: Crm) -> dict[str, Any]:
    with crm.reading(system_actor("health")) as work:
        led = {duty.name for duty in work.messaging.leaders() if duty.led}
    version = migrate.current_version(crm.settings)
    duties = {name: name in led for name in DUTIES}
    return {"schema": version.revision, "schema_state": version.state.value, "duties": duties}
