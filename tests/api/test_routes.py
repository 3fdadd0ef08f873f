"""The addresses and verbs that callers know, and the one permission that opens each."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.permissions import PERMISSIONS
from tests.api.conftest import ClientAs

OPENED_BY = [
    pytest.param(
        {
            ("GET", "/customer"): "view_customer",
            ("GET", "/customer/1"): "view_customer",
            ("PUT", "/customer"): "create_customer",
            ("POST", "/customer"): "create_customer",
            ("PATCH", "/customer/1"): "update_customer",
            ("PUT", "/customer/1/email"): "create_communication",
            ("GET", "/contact/customer_id/1"): "view_customer_contact",
            ("GET", "/site/customer_id/1"): "view_customer_site",
        },
        id="customer",
        marks=pytest.mark.req("PLT-056"),
    ),
    pytest.param(
        {
            ("GET", "/service"): "view_customer_service",
            ("GET", "/service/1"): "view_customer_service",
            ("GET", "/service/service_uuid/x"): "view_customer_service",
            ("PUT", "/service"): "create_customer_service",
            ("PATCH", "/service/1"): "update_customer_service",
            ("DELETE", "/service/1"): "delete_customer_service",
        },
        id="service",
        marks=pytest.mark.req("PLT-057"),
    ),
    pytest.param(
        {
            ("GET", "/product"): "view_product",
            ("GET", "/product/paginated"): "view_product",
            ("GET", "/product/1"): "view_product",
            ("PUT", "/product"): "create_product",
            ("PATCH", "/product/1"): "update_product",
            ("POST", "/product/1/clone"): "create_product",
        },
        id="product",
        marks=pytest.mark.req("PLT-058", "BIL-463"),
    ),
    pytest.param(
        {
            ("GET", "/provision"): "view_provision",
            ("PUT", "/provision"): "create_provision",
            ("POST", "/provision"): "create_provision",
            ("GET", "/provision/1"): "view_provision",
            ("POST", "/provision/1/cancel"): "update_provision",
            ("POST", "/provision/1/retry"): "create_provision",
        },
        id="provision",
        marks=pytest.mark.req("PLT-059", "SVC-040", "SVC-041"),
    ),
    pytest.param(
        {
            ("GET", "/transaction"): "view_customer_transaction",
            ("GET", "/transaction/1"): "view_customer_transaction",
            ("PUT", "/transaction"): "create_customer_transaction",
            ("POST", "/transaction/1/void"): "delete_customer_transaction",
            ("DELETE", "/transaction/1"): "delete_customer_transaction",
        },
        id="transaction",
        marks=pytest.mark.req("PLT-060", "BIL-355"),
    ),
    pytest.param(
        {
            ("GET", "/invoice"): "view_customer_invoice",
            ("GET", "/invoice/1"): "view_customer_invoice",
            ("PUT", "/invoice"): "create_customer_invoice",
        },
        id="invoice",
        marks=pytest.mark.req("PLT-061"),
    ),
    pytest.param(
        {
            ("GET", "/inventory"): "view_inventory",
            ("GET", "/inventory/1"): "view_inventory",
            ("PUT", "/inventory"): "create_inventory",
            ("PATCH", "/inventory/1"): "update_inventory",
            ("GET", "/inventory/template"): "view_inventory_template",
            ("PUT", "/inventory/template"): "create_inventory_template",
            ("PATCH", "/inventory/template/1"): "update_inventory_template",
        },
        id="inventory",
        marks=pytest.mark.req("CAT-206", "CAT-207"),
    ),
]
BODIES = {
    "/customer": {"customer_name": "Ada"},
    "/customer/1/email": {"subject": "Hello", "text": "How are you?"},
    "/service": {"customer_id": 9, "service_name": "Mobile"},
    "/product": {"product_name": "Mini", "category": "standalone"},
    "/transaction": {"customer_id": 9, "title": "Set-up", "retail_cost": 5},
    "/invoice": {"customer_id": 9, "start_date": "2026-01-01", "end_date": "2026-01-31"},
    "/inventory": {"item": "SIM Card", "itemtext1": "1"},
    "/inventory/template": {"item": "SIM Card"},
    "/provision": {"customer_id": 9, "product_id": 9},
}


@pytest.mark.parametrize("opened_by", OPENED_BY)
def test_an_address_is_opened_by_its_permission_and_by_no_other(
    client_as: ClientAs, opened_by: dict[tuple[str, str], str]
) -> None:
    everything = frozenset(PERMISSIONS) - {"admin"}
    for (method, path), name in opened_by.items():
        body = BODIES.get(path, {}) if method in ("PUT", "POST", "PATCH") else None
        holder = client_as(Actor(ActorKind.STAFF, "holder", None, everything))
        others = client_as(Actor(ActorKind.STAFF, "others", None, everything - {name}))
        assert holder.request(method, f"/crm{path}", json=body).status_code in (200, 400, 404), (method, path)
        assert others.request(method, f"/crm{path}", json=body).status_code == 403, (method, path)


@pytest.mark.req("CAT-172")
def test_everything_speaks_json_below_crm(client: TestClient) -> None:
    for path in ("/crm/customer", "/crm/customer/99", "/crm/nowhere", "/crm/product", "/crm/provision"):
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(answer.json(), dict)
    for content in (b"customer_name=Ada", b"<customer/>", b"[]", b"\xff"):
        answer = client.put("/crm/customer", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["message"]
