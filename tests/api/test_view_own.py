"""`view_own_...` for everything that belongs to a customer: with it alone one reads one's own, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from omnicrm_tui.crm import Crm
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.errors import NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.permissions import PERMISSIONS
from omnicrm_tui.listing import FIRST, ListQuery, Window
from omnicrm_tui.messaging.models import OutboxMessage
from omnicrm_tui.work import Work
from tests.api.conftest import ClientAs
from tests.api.walks import MARK, Tenant

Ids = Mapping[str, Any]
Read = Callable[[Work, Ids], object]
List = Callable[[Work], Window[Any]]

ONE: dict[str, Read] = {
    "view_own_communication": lambda work, ids: work.messaging.get(ids["outbox_id"]),
    "view_own_customer": lambda work, ids: work.customers.get(ids["customer_id"]),
    "view_own_customer_activity": lambda work, ids: work.activity.get(ids["activity_id"]),
    "view_own_customer_contact": lambda work, ids: work.customers.contacts(ids["customer_id"]),
    "view_own_customer_invoice": lambda work, ids: work.billing.invoice(ids["invoice_id"]),
    "view_own_customer_service": lambda work, ids: work.customer_services.get(ids["service_id"]),
    "view_own_customer_site": lambda work, ids: work.customers.sites(ids["customer_id"]),
    "view_own_customer_transaction": lambda work, ids: work.billing.get(ids["transaction_id"]),
    "view_own_inventory": lambda work, ids: work.inventory.get(ids["inventory_id"]),
    "view_own_inventory_template": lambda work, ids: work.inventory.template(ids["template"]),
    "view_own_provision": lambda work, ids: work.provisioning.get(ids["provision_id"]),
}
"""How one of each is read."""

LISTS: dict[str, List] = {
    "view_own_communication": lambda work: work.messaging.window(ListQuery(), FIRST, 99),
    "view_own_customer": lambda work: work.customers.window(ListQuery(), FIRST, 99),
    "view_own_customer_activity": lambda work: work.activity.window(ListQuery(), FIRST, 99),
    "view_own_customer_invoice": lambda work: work.billing.invoice_window(ListQuery(), FIRST, 99),
    "view_own_customer_service": lambda work: work.customer_services.window(ListQuery(), FIRST, 99),
    "view_own_customer_transaction": lambda work: work.billing.window(ListQuery(), FIRST, 99),
    "view_own_inventory": lambda work: work.inventory.window(ListQuery(), FIRST, 99),
    "view_own_provision": lambda work: work.provisioning.window(ListQuery(), FIRST, 99),
}
"""How all of them are, where there is a list."""

NO_TABLE_YET = {
    "view_own_customer_attribute": "customer_attribute",
    "view_own_customer_stripe_card": "customer_stripe_card",
    "view_own_customer_tag": "customer_tag",
}
"""What the catalogue names and nothing is kept of."""

OWN = sorted(name for name in PERMISSIONS if name.startswith("view_own_"))


@pytest.fixture
def ids(client: TestClient, tenants: tuple[Tenant, Tenant]) -> tuple[Ids, Ids]:
    """The ids of the one that reads, and of the other, each with an item of a kind that customers do not choose."""
    found = []
    for number, tenant in enumerate(tenants):
        kind = {"item": f"{MARK}-kind {number}", "allow_dropdown_customer": False, "wholesale_cost": "77.7"}
        assert client.post("/crm/inventory/template/", json=kind).status_code == 200
        item = {"item": kind["item"], "itemtext1": "x", "customer_id": tenant.customer_id, "item_state": "Assigned"}
        assert client.put("/crm/inventory/", json=item).status_code == 200
        found.append({**tenant.ids, "template": kind["item"]})
    return found[0], found[1]


def _customer(permission: str, ids: Ids) -> Actor:
    return Actor(ActorKind.CUSTOMER, "zoe", None, frozenset({permission}), ids["customer_id"])


def test_each_is_read_by_one_use_case_or_there_is_nothing_to_read(record_property: Any) -> None:
    assert {*ONE, *NO_TABLE_YET} == set(OWN)
    assert NO_TABLE_YET.keys() & ONE.keys() == set()
    assert {table for table in metadata.tables if table in NO_TABLE_YET.values()} == set()
    record_property("count", f"view own: {len(ONE)} entities read, {len(NO_TABLE_YET)} that nothing is kept of")


@pytest.mark.req("BIL-378")
@pytest.mark.parametrize("permission", sorted(ONE))
def test_with_it_alone_one_reads_ones_own_and_nobody_elses(crm: Crm, ids: tuple[Ids, Ids], permission: str) -> None:
    mine, other = ids
    with crm.reading(_customer(permission, mine)) as work:
        assert ONE[permission](work, mine)
        with pytest.raises(NotFound):
            ONE[permission](work, other)
    with crm.reading(_customer("view_own_nothing", mine)) as work, pytest.raises(NotPermitted):
        ONE[permission](work, mine)
    # It is worth something to customers alone: whoever belongs to none would see everybody's.
    staff = Actor(ActorKind.STAFF, "bob", None, frozenset({permission}))
    with crm.reading(staff) as work, pytest.raises(NotPermitted):
        ONE[permission](work, mine)


@pytest.mark.req("BIL-378")
@pytest.mark.parametrize("permission", sorted(LISTS))
def test_lists_hold_ones_own_alone(crm: Crm, ids: tuple[Ids, Ids], permission: str) -> None:
    mine, other = ids
    with crm.reading(_customer(permission, mine)) as work:
        rows = LISTS[permission](work).rows
    assert rows
    assert {getattr(row, "customer_id", mine["customer_id"]) for row in rows} == {mine["customer_id"]}
    assert "zqb-name" not in repr(rows)
    with crm.reading(_customer(permission, other)) as work:
        assert set(map(repr, LISTS[permission](work).rows)) & set(map(repr, rows)) == set()


@pytest.mark.req("BIL-378", "BIL-448")
def test_a_customer_sees_the_kinds_it_may_choose_or_has_without_what_they_cost_us(
    client: TestClient, client_as: ClientAs, ids: tuple[Ids, Ids]
) -> None:
    client.post("/crm/inventory/template/", json={"item": "Router", "allow_dropdown_customer": True})
    own = client_as(_customer("view_own_inventory_template", ids[0]))
    seen = own.get("/crm/inventory/template/").json()["data"]
    assert {kind["item"] for kind in seen} >= {"Router", ids[0]["template"]}
    assert ids[1]["template"] not in {kind["item"] for kind in seen}
    assert {kind["wholesale_cost"] for kind in seen} == {None}
    assert ids[1]["template"] in client.get("/crm/inventory/template/").text


@pytest.mark.req("BIL-378", "BIL-446")
def test_a_customer_reads_what_is_written_to_it_and_nothing_about_it(
    crm: Crm, admin: Actor, tenants: tuple[Tenant, Tenant]
) -> None:
    customer_id = tenants[0].customer_id
    with crm.as_actor(admin) as work:
        failure = {"customer_id": customer_id, "kind": "provisioning_failure"}
        about = work.messaging.enqueue_email("noc@operator.example", "A job failed", "Of our insides", **failure)
        for message in work.session.scalars(select(OutboxMessage)):
            message.last_error = "mail.internal.example:25 refused us"
    with crm.reading(_customer("view_own_communication", tenants[0].ids)) as work:
        rows = work.messaging.window(ListQuery(), FIRST, 99).rows
        assert [(row.customer_id, row.last_error) for row in rows] == [(customer_id, None)]
        assert work.messaging.get(rows[0].outbox_id).last_error is None
        with pytest.raises(NotFound):
            work.messaging.get(about)
    with crm.reading(admin) as work:
        assert work.messaging.get(about).last_error == "mail.internal.example:25 refused us"
