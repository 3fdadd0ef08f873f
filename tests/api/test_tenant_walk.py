"""Another customer's data, tried through every route: ids in paths, queries and bodies, searches, filters and sorts.

The one who tries is a customer's user with every permission there is but `admin`, as a careless operator might hand
them out: what keeps customers apart is the session, not the role (BIL-378).
"""

from __future__ import annotations

from typing import Any

import pytest

from omnicrm_tui.crm import Crm
from tests.api.conftest import Stage
from tests.api.walks import MARK, UNKNOWN, Tenant, bodies, everything, of, operations, queries, shape


def test_a_customer_sees_what_is_its_own(tenants: tuple[Tenant, Tenant]) -> None:
    """Without this the walk would prove nothing: the same user, the same routes, its own ids."""
    mine, _ = tenants
    for name in ("customer", "service", "transaction", "invoice", "inventory", "provision", "activity"):
        assert mine.client.get(f"/crm/{name}/{name}_id/{mine.ids[f'{name}_id']}").status_code == 200, name


@pytest.mark.req("BIL-378")
def test_no_route_leads_to_another_customer(
    tenants: tuple[Tenant, Tenant], stage: Stage, crm: Crm, record_property: Any
) -> None:
    mine, other = tenants
    before = of(everything(crm), other.customer_id)
    unknown = {name: UNKNOWN["uuid" if name == "service_uuid" else "id"] for name in other.ids}
    unknown["product_id"] = other.ids["product_id"]  # products are everybody's
    routes, attempts = set(), 0
    for operation in operations(stage):
        routes.add((operation.verb, operation.path))
        for number, body in enumerate(bodies(operation, other.ids)):
            for query in queries(operation, other.ids):
                attempts += 1
                path = operation.at(other.ids)
                answer = mine.client.request(operation.verb, path, params=query, json=body or None)
                told = f"{operation.verb} {path} {query} {body}: {answer.status_code} {answer.text[:300]}"
                assert answer.status_code < 500, told
                assert MARK not in answer.text, told
                if operation.names & other.ids.keys() - {"product_id"} and not query:
                    nobody = bodies(operation, unknown)[number]
                    same = mine.client.request(operation.verb, operation.at(unknown), json=nobody or None)
                    assert shape(answer) == shape(same), f"{told} differs from {same.status_code} {same.text[:300]}"
                if "search" in query and operation.verb == "get":
                    assert answer.json().get("data", []) == [], told
    assert of(everything(crm), other.customer_id) == before
    record_property("count", f"another customer's data: {len(routes)} routes, {attempts} attempts, 0 leaks")
    assert attempts >= 500
