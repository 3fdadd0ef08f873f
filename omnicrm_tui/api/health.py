"""Is it up, and can it work? Asked without an identity, by plays and by monitoring (CAT-192)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from omnicrm_tui import __version__
from omnicrm_tui.api.auth import CrmDep
from omnicrm_tui.api.serialize import Answer
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.listing import ListQuery

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
