"""What holds for every route there is: identity, permission, unknown ids, and nothing that breaks it."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnicrm_tui.api.app import ROUTERS
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paths import spellings
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.schemas import MAX_ID
from tests.api.conftest import ClientAs

Call = tuple[str, str]

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
PUBLIC_ROOTS = (
    "/health",
    "/docs",
    "/auth/login",
    "/auth/refresh",
    "/auth/logout",
    "/auth/change_password",
    "/auth/forgot_password",
    "/auth/reset_password",
    "/reset-password",
    "/auth/verify_email",
    "/verify-email",
    "/2fa/verify/",
)
GUARDED: list[Call] = sorted(
    (method, route.path)
    for route in ROUTES
    for method in route.methods or ()
    if not route.path.startswith(PUBLIC_ROOTS)
)
LISTS = [
    call
    for call in GUARDED
    if call[0] == "GET" and "{" not in call[1] and not call[1].endswith(("/statistics", "/status", "/metrics"))
]
TOLD_ANEW = ("/metrics", "/status")
"""What answers differently each time: the calls before are part of it."""
TAKES_BODY = {
    (method, route.path)
    for route in ROUTES
    for method in route.methods or ()
    if any(isinstance(part.call, JsonBody) for part in route.dependant.dependencies)
}
UNKNOWN = 999_999
FOR_MACHINES = "/provision/simple_provision"

USER = {"username": "x", "email": "x@example.org", "first_name": "X", "last_name": "Y", "password": "Tr0mbone!x"}
BODIES: dict[str, dict[str, Any]] = {
    "/customer": {"customer_name": "Ada"},
    "/customer/{customer_id}/email": {"subject": "Hello", "text": "How are you?"},
    "/contact": {"customer_id": UNKNOWN, "contact_firstname": "Ada"},
    "/site": {"customer_id": UNKNOWN, "site_name": "Home", "country": "Norway"},
    "/product": {"product_name": "Mini", "category": "standalone"},
    "/service": {"customer_id": UNKNOWN, "service_name": "Mobile"},
    "/transaction": {"customer_id": UNKNOWN, "title": "Set-up", "retail_cost": "5.00"},
    "/invoice": {"customer_id": UNKNOWN, "start_date": "2026-01-01", "end_date": "2026-01-31"},
    "/inventory": {"item": "SIM Card", "itemtext1": "1"},
    "/inventory/template": {"item": "SIM Card"},
    "/provision": {"customer_id": UNKNOWN, "product_id": UNKNOWN},
    "/outbox/{outbox_id}/drop": {"reason": "Not wanted any more"},
    "/auth/users": {**USER, "role": "Support"},
    "/auth/users/{user_id}/admin_reset_password": {"new_password": "Tr0mbone!x"},
    "/auth/users/{user_id}/sessions/end": {"password": "Tr0mbone!x"},
    "/2fa/enable/user/{user_id}": {"password": "Tr0mbone!x"},
    "/2fa/verify-setup/user/{user_id}": {"code": "123456"},
    "/2fa/reset-for-new-device/user/{user_id}": {"backup_code": "12345678"},
    "/auth/impersonate": {"user_id": UNKNOWN},
    "/auth/permissions": {"name": "view_report"},
    "/api-keys": {"name": "Monitoring"},
    "/auth/roles": {"name": "Night desk"},
    "/auth/roles/{role_id}/permissions": {"permission_id": 1},
}
"""A sound body for each address that creates; changes are sound when they are empty."""


def _fill(path: str, value: object) -> str:
    return re.sub(r"{\w+}", str(value), path)


def _body(method: str, path: str) -> dict[str, Any] | None:
    if (method, path) not in TAKES_BODY:
        return None
    return BODIES.get(path, {}) if method in ("PUT", "POST") else {}


def _ask(client: TestClient, call: Call, value: object, **more: Any) -> httpx.Response:
    method, path = call
    return client.request(method, _fill(path, value), json=_body(method, path), **more)


@pytest.mark.req("CAT-174", "SVC-084")
def test_nobody_comes_in_without_an_identity(stranger: TestClient) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    answers = {
        call: (_ask(stranger, call, 1).status_code, _ask(stranger, call, 1, headers=wrong).status_code)
        for call in GUARDED
    }
    assert {call: answer for call, answer in answers.items() if answer != (403, 401)} == {}


def test_every_route_asks_for_a_permission(client: TestClient, client_as: ClientAs) -> None:
    client.put("/crm/customer/", json={"customer_name": "Ada"})
    nobody = client_as(Actor(ActorKind.STAFF, "nobody", 9))
    answers = {call: _ask(nobody, call, 1) for call in GUARDED}
    assert {call: answer.text for call, answer in answers.items() if answer.status_code != 403} == {}


def test_an_unknown_id_is_404(client_as: ClientAs) -> None:
    everything = frozenset({"admin"})
    people = client_as(Actor(ActorKind.STAFF, "admin", permissions=everything))
    machines = client_as(Actor(ActorKind.MACHINE, "machine", permissions=everything))
    for number in (UNKNOWN, MAX_ID):
        answers = {
            call: _ask(machines if call[1].startswith(FOR_MACHINES) else people, call, number)
            for call in GUARDED
            if "{" in call[1]
        }
        assert {call: answer.text for call, answer in answers.items() if answer.status_code != 404} == {}
        assert all(answer.json()["message"] for answer in answers.values())


@pytest.mark.req("PLT-603")
def test_every_spelling_answers_alike(client: TestClient) -> None:
    for method, path in GUARDED:
        if method != "GET" or path in TOLD_ANEW:
            continue
        answers = {
            (answer.status_code, answer.text)
            for spelling in (*spellings(path), path)
            for end in ("", "/")
            for answer in [client.get(_fill(spelling, UNKNOWN) + end)]
        }
        assert len(answers) == 1, path
        assert next(iter(answers))[0] in (200, 404), path


def test_every_list_answers_an_empty_database(client: TestClient) -> None:
    answers = {path: client.get(path) for _, path in LISTS}
    assert {path: answer.text for path, answer in answers.items() if answer.status_code != 200} == {}
    assert all(isinstance(answer.json()["data"], list) for answer in answers.values())


WILD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12) | st.just("9" * 25),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(("method", "path"), sorted(TAKES_BODY))
def test_no_body_breaks_any_route(client: TestClient, method: str, path: str) -> None:
    """Sound bodies with one field or more gone wild: told, never broken."""
    model = next(
        part.call.model
        for route in ROUTES
        if route.path == path and method in (route.methods or ())
        for part in route.dependant.dependencies
        if isinstance(part.call, JsonBody)
    )
    names = st.sampled_from(sorted(model.model_fields))
    sound = _body(method, path) or {}

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(wild=st.dictionaries(names, WILD, min_size=1, max_size=3))
    def fuzz(wild: dict[str, Any]) -> None:
        body = json.dumps({**sound, **wild})
        answer = client.request(method, _fill(path, 1), content=body, headers={"content-type": "application/json"})
        assert answer.status_code < 500, (body, answer.text)

    fuzz()


FILTERS = st.dictionaries(st.sampled_from(["provisioning_status", "void", "deleted", "x"]), st.lists(WILD, max_size=2))


@pytest.mark.parametrize(("method", "path"), LISTS)
def test_no_parameter_breaks_any_list(client: TestClient, method: str, path: str) -> None:
    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(search=st.text(max_size=20), filters=FILTERS, sort=st.text(max_size=5), page=st.integers(-1, 2**40))
    def fuzz(search: str, filters: dict[str, Any], sort: str, page: int) -> None:
        text = json.dumps(filters)
        parameters = {"search": search, "filters": text, "sort": sort, "page": page}
        answer = client.request(method, path, params=parameters)
        assert answer.status_code < 500, (parameters, answer.text)
        assert client.request(method, path, params={"search": search, "filters": text}).status_code < 500

    fuzz()
