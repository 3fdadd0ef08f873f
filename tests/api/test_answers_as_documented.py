"""Every address of people, roles and keys answers what the OpenAPI document says, whatever it is sent.

Schemathesis makes the calls from the document: valid ones and such that break it. A short run is part of every
test run, the same each time; `OMNICRM_FUZZ_MINUTES=20` goes on with other calls for as long.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from httpx import InvalidURL, Response
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import content_type_conformance, not_a_server_error, response_schema_conformance
from schemathesis.core import NotSet
from schemathesis.specs.openapi.checks import status_code_conformance

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, ActorKind
from tests.api.conftest import ClientAs, Stage

ROOMS = ("/crm/auth/", "/crm/2fa/", "/crm/api-keys")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MINUTES = float(os.environ.get("OMNICRM_FUZZ_MINUTES", "0"))
EXAMPLES = 60 if MINUTES else 6


@dataclass
class Fuzz:
    """Made-up calls of somebody who may do everything, half of them of rows that exist, and what they led to."""

    client: TestClient
    known: dict[str, int]
    statuses: Counter[int] = field(default_factory=Counter)

    def look(self, operation: Any, mode: GenerationMode, number: int) -> None:
        """Make calls of one operation and look at each answer."""
        ids = {name: self.known[name] for name in re.findall(r"{(\w+)}", operation.path) if name in self.known}
        known = operation.as_strategy(GenerationMode.POSITIVE, path_parameters=ids)

        @seed(number)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(operation.as_strategy(mode), known))
        def one(case: Any) -> None:
            answer = self.sent(case)
            self.statuses[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        one()

    def sent(self, case: Any) -> Response:
        """Send a made-up call and return the answer."""
        body: dict[str, Any] = {} if isinstance(case.body, NotSet) else {"json": case.body}
        if isinstance(case.body, bytes):
            body = {"content": case.body, "headers": {"content-type": "application/json"}}
        try:
            return self.client.request(case.method, case.formatted_path, params=case.query, **body)
        except InvalidURL:  # longer than any client sends
            reject()


@pytest.fixture
def fuzz(crm: Crm, admin: Actor, client: TestClient, client_as: ClientAs) -> Fuzz:
    """Calls of a user beside a role, a permission and a key."""

    def made(path: str, name: str, body: dict[str, Any]) -> int:
        answer = client.post(f"/crm/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()[name])

    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
    ann = {"username": "ann", "email": "ann@people.example", "first_name": "Ann", "last_name": "Lee", "role": "Support"}
    known = {
        "role_id": made("auth/roles", "id", {"name": "Night shift", "design": "Support"}),
        "user_id": made("auth/users", "id", {**ann, "password": "Tr0mbone!x"}),
        "permission_id": made("auth/permissions", "id", {"name": "view_roof", "description": "See the roof"}),
        "api_key_id": made("api-keys", "api_key_id", {"name": "Monitoring", "permissions": ["view_customer"]}),
    }
    actor = Actor(ActorKind.STAFF, "ann", known["user_id"], frozenset({"admin"}), session_id="here")
    return Fuzz(client_as(actor), known)


def operations(document: dict[str, Any]) -> list[Any]:
    """Return what is documented of these rooms; what deletes comes last, so that there is something to find."""
    found = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
    rooms = [operation for operation in found if operation is not None and operation.path.startswith(ROOMS)]
    return sorted(rooms, key=lambda operation: operation.method == "delete")


def test_every_answer_is_as_documented(
    fuzz: Fuzz, stage: Stage, record_property: Callable[[str, object], None]
) -> None:
    until, rounds = time.monotonic() + MINUTES * 60, 0
    found = operations(stage.app.openapi())
    while not rounds or time.monotonic() < until:
        for operation in found:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                fuzz.look(operation, mode, rounds)
        rounds += 1
    statuses = fuzz.statuses
    assert statuses[200] > 2 * len(found), statuses
    record_property(
        "count",
        f"{len(found)} documented operations, {statuses.total()} made-up calls, {statuses[200]} accepted, "
        "0 answers outside the document",
    )
