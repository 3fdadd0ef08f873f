"""The documentation works without the Internet and tells of every address."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.api.app import ROUTERS
from omnicrm_tui.api.paths import canonical


@pytest.fixture
def document(stranger: TestClient) -> dict[str, Any]:
    answer = stranger.get("/crm/docs/openapi.json")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.req("PLT-049")
@pytest.mark.req("CAT-173", "CAT-191")
def test_the_page_and_its_parts_come_from_here(stranger: TestClient) -> None:
    page = stranger.get("/crm/docs/")
    assert page.status_code == 200
    assert "http:" not in page.text
    assert "https:" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(parts) == 4
    for part in parts:
        assert stranger.get(part).status_code == 200
    script = stranger.get("/crm/docs/start.js").text
    assert "/crm/docs/openapi.json" in script
    assert "validatorUrl: null" in script


def test_nothing_else_of_the_bundle_is_served(stranger: TestClient) -> None:
    for name in ("index.html", "..%2F__init__.py", "swagger-ui.js"):
        assert stranger.get(f"/crm/docs/{name}").status_code == 404


@pytest.mark.req("PLT-049")
def test_every_route_is_listed_once_for_each_spelling(document: dict[str, Any]) -> None:
    listed = {canonical(path) for path in document["paths"]}
    routes = {route.path for router in ROUTERS for route in router.routes if route.include_in_schema}  # type: ignore[attr-defined]
    assert listed == routes
    assert {"/crm/customers", "/crm/customer/customer_id/{customer_id}", "/crm/provision"} <= document["paths"].keys()
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_the_document_is_openapi_3_0_as_the_page_reads_it(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.0.")
    schemas = document["components"]["schemas"]
    for reference in re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)):
        assert reference in schemas
    assert "'type': 'null'" not in str(document)
    assert "'const'" not in str(document)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = {found["name"] for found in operation.get("parameters", []) if found["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            assert "200" in operation["responses"]


def test_every_address_says_what_it_answers(document: dict[str, Any]) -> None:
    silent = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if operation["responses"]["200"]["content"]["application/json"]["schema"] == {}
    }
    assert silent == {"/crm/metrics"}, "a handler says `-> Answer[...]`"
    schemas = document["components"]["schemas"]
    assert {"UserView", "Listed_UserRow_", "CustomerView", "Listed_TransactionRow_"} <= schemas.keys()
    assert schemas["TransactionView"]["properties"]["retail_cost"]["type"] == "number"


@pytest.mark.req("CAT-173")
def test_the_authorize_control_takes_a_bearer_token_and_creating_shows_its_body(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    body = document["paths"]["/crm/customer"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert "customer_name" in document["components"]["schemas"][body["$ref"].split("/")[-1]]["properties"]
    assert document["paths"]["/crm/health"]["get"]["security"] == []
