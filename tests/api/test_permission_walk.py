"""Every route against the permission that its documentation names: without it 403, with it alone not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.permissions import ADMIN, BESIDE, PERMISSIONS
from tests.api.conftest import ClientAs, Dispatched, Stage
from tests.api.walks import Operation, operations, tenant

FOR_ANYBODY = {
    "/crm/health",
    "/crm/health/live",
    "/crm/health/ready",
    "/crm/auth/login",
    "/crm/auth/logout",
    "/crm/auth/refresh",
    "/crm/auth/change_password",
    "/crm/auth/forgot_password",
    "/crm/auth/reset_password",
    "/crm/auth/verify_email",
    "/crm/2fa/verify/user/{user_id}",
}
"""What is called without an identity: whoever calls proves who he is by what he sends, or asks for health."""

BODIES: dict[str, dict[str, Any]] = {
    "/crm/auth/permissions": {"name": "walk_routes"},
    "post /crm/auth/roles/{role_id}/permissions": {"permission_id": 1},
    "/crm/auth/users": {"email": "walker@walk.example", "role": ["walker"]},
    "/crm/inventory": {"item": "SIM Card"},
    "/crm/invoice": {"start_date": "2026-01-01", "end_date": "2026-12-31"},
    "/crm/provision": {"customer_id": 1, "product_id": 1},
    "/crm/site": {"country": "AU"},
}
"""What a body must hold where the types of its schema say too little."""

IN_PERSON = "/auth/impersonate"
"""For who has really logged in, beside the permission: tests/api/test_impersonation.py does."""

FOR_MACHINES = "simple_provision_addon"


def _needed(operation: Operation) -> set[str]:
    """The permissions that the documentation names, each of which is needed."""
    sentence = re.search(r"Needs ([^.;]*)", operation.said)
    assert sentence, f"{operation.verb} {operation.path} does not say what it needs: {operation.said}"
    return set(re.findall(r"[a-z_]+", re.split(", or |, except ", sentence[1])[0])) & {*PERMISSIONS, *BESIDE}


ONES_OWN = "One's own"
"""What the documentation says of a route that acts on the caller's own account: nobody else's, but for an admin."""


@pytest.mark.req("BIL-374")
def test_every_route_needs_what_it_says(
    client: TestClient, client_as: ClientAs, dispatched: Dispatched, stage: Stage, record_property: Any
) -> None:
    client.post("/crm/inventory/template/", json={"item": "SIM Card"})
    alone = {"product_name": "Alone", "category": "standalone", "provisioning_play": "play_simple_service"}
    assert client.put("/crm/product/", json=alone).json()["product_id"] == BODIES["/crm/provision"]["product_id"]
    ids = {**tenant(client, client_as, "own", 1).ids, "item": "SIM Card", "inventory_template_id": 1}
    client.post("/crm/auth/roles", json={"name": "walker"})
    everything = {*PERMISSIONS, *BESIDE} - {ADMIN}
    calls, wrong = 0, []
    for operation in operations(stage):
        if operation.path in FOR_ANYBODY:
            continue
        needed = {ADMIN} if ONES_OWN in operation.said else _needed(operation)
        assert needed, operation.said
        kind = ActorKind.MACHINE if FOR_MACHINES in operation.path else ActorKind.STAFF
        for permission in needed:
            held = frozenset(everything - {permission})
            answer = _call(client_as(Actor(kind, "lacks it", 1, held)), operation, ids)
            calls += 1
            if answer.status_code != 403 or (permission not in answer.text and ONES_OWN not in operation.said):
                wrong.append(_told(operation, f"without {permission}", answer))
        if ONES_OWN in operation.said or operation.path.endswith(IN_PERSON):
            continue
        client.put("/crm/transaction", json={"customer_id": 1, "title": "To be invoiced", "retail_cost": "1"})
        answer = _call(client_as(Actor(kind, "has it", 1, frozenset(needed))), operation, ids)
        calls += 1
        if answer.status_code in (400, 401, 403) or answer.status_code >= 500:
            wrong.append(_told(operation, f"with {', '.join(needed)} alone", answer))
    assert not wrong, "\n".join(wrong)
    record_property("count", f"permissions: {calls} calls of routes with and without what they need")


def _call(client: TestClient, operation: Operation, ids: dict[str, Any]) -> Any:
    known = BODIES.get(f"{operation.verb} {operation.path}") or BODIES.get(operation.path, {})
    body = operation.least(ids) | known
    return client.request(operation.verb, operation.at(ids), json=body or None)


def _told(operation: Operation, permission: object, answer: Any) -> str:
    return f"{operation.verb} {operation.path} {permission}: {answer.status_code} {answer.text[:300]}"
