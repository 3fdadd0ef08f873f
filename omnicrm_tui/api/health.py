"""Is it up, and can it work? Asked without an identity, by plays and by monitoring (CAT-192).

Whoever asks may be anybody: why a database fails is told in our words, never in its driver's.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from omnicrm_tui import __version__
from omnicrm_tui.api.auth import CrmDep
from omnicrm_tui.api.errors import in_our_words
from omnicrm_tui.api.paths import Router
from omnicrm_tui.api.serialize import Answer
from omnicrm_tui.crm import Crm
from omnicrm_tui.database.migrate import SchemaState
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.listing import ListQuery
from omnicrm_tui.messaging.rules import DUTIES

router = Router(tags=["Health"])
PUBLIC: dict[str, Any] = {"security": []}


@router.get("/health", openapi_extra=PUBLIC)
def health(crm: CrmDep) -> Answer[dict[str, Any]]:
    """Answer 200 when requests can be served, 503 when the database cannot be used."""
    try:
        with crm.reading(system_actor("health")) as work:
            work.customers.count(ListQuery(), cap=1)
    except DatabaseProblem as problem:
        return _unavailable(in_our_words(problem))
    return Answer({"status": "ok", "database": "ok", "version": __version__})


@router.get("/health/live", openapi_extra=PUBLIC)
async def live() -> Answer[dict[str, Any]]:
    """Answer 200 as long as the process answers at all."""
    return Answer({"status": "ok", "version": __version__})


@router.get("/health/ready", openapi_extra=PUBLIC)
async def ready(request: Request) -> Answer[dict[str, Any]]:
    """Answer 200 when the database can be used and has this program's version, 503 when not, within a second.

    `duties` tells which of the chores some process leads. A server is ready without: what is due waits meanwhile.
    """
    try:
        found = await request.app.state.readiness.answer()
    except DatabaseProblem as problem:
        return _unavailable(in_our_words(problem))
    except TimeoutError:
        return _unavailable("The database does not answer in time.")
    current = found["schema_state"] == SchemaState.CURRENT.value
    status = {"status": "ok" if current else "unavailable", "database": "ok", "version": __version__}
    return Answer(status | found, 200 if current else 503)


def readiness_of(crm: Crm) -> dict[str, Any]:
    """Return what `ready` tells of the database: `schema`, `schema_state` and `duties`; raises DatabaseProblem."""
    with crm.reading(system_actor("health")) as work:
        led = {duty.name for duty in work.messaging.leaders() if duty.led}
    version = crm.schema_version()
    duties = {name: name in led for name in DUTIES}
    return {"schema": version.revision, "schema_state": version.state.value, "duties": duties}


def _unavailable(sentence: str) -> Answer[dict[str, Any]]:
    return Answer({"status": "unavailable", "database": sentence, "version": __version__}, 503)
