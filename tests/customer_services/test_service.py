"""Services through the service layer, on all three databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnicrm_tui.billing.schemas import TransactionInput
from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import READ_ONLY, ServiceChange, ServiceInput, ServiceView
from omnicrm_tui.customers.schemas import CustomerInput, SiteInput
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.inventory.schemas import ItemChange, ItemInput, TemplateInput
from omnicrm_tui.listing import FIRST, LAST, ListQuery
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.schemas import parse

PLAY_BODY: dict[str, Any] = {
    "service_name": "Service: Service_75628fa5",
    "service_uuid": "Service_75628fa5",
    "service_billed": True,
    "service_taxable": "true",
    "service_provisioned_date": "2026-11-21T11:59:58+0000",
    "service_status": "Active",
    "wholesale_cost": "3.00",
    "retail_cost": "15",
}


class Desk:
    """Two customers, a product and services on demand."""

    def __init__(self, crm: Crm, admin: Actor) -> None:
        self.crm, self.admin = crm, admin
        with crm.as_actor(admin) as work:
            self.zoe, self.ada = (
                work.customers.create(CustomerInput(customer_name=name)).customer_id for name in ("Zoë", "Ada")
            )
            self.product = work.catalog.create(
                ProductInput(
                    product_name="Mobile SIM Only",
                    category="standalone",
                    service_type="mobile",
                    retail_cost=Decimal(20),
                    wholesale_cost=Decimal(7),
                    auto_renew="true",
                    icon="fa-solid fa-sim-card",
                    provisioning_play="play_psim_only",
                    provisioning_json_vars='{"days": 30}',
                )
            ).product_id

    def create(self, actor: Actor | None = None, **values: Any) -> ServiceView:
        body = {"customer_id": self.zoe, "service_name": "Mobile", **values}
        with self.crm.as_actor(actor or self.admin) as work:
            return work.customer_services.create(parse(ServiceInput, body))

    def patch(self, service_id: int, **values: Any) -> ServiceView:
        with self.crm.as_actor(self.admin) as work:
            return work.customer_services.update(service_id, parse(ServiceChange, values))

    def names(self, query: ListQuery, customer_id: int | None = None) -> list[str]:
        with self.crm.reading(self.admin) as work:
            rows = work.customer_services.window(query, FIRST, 50, customer_id).rows
            assert work.customer_services.count(query, customer_id=customer_id).value == len(rows)
            return [row.service_name for row in rows]

    def job(self) -> Actor:
        permissions = {
            "create_customer_service",
            "view_customer_service",
            "view_product",
            "create_customer_transaction",
        }
        with self.crm.as_actor(self.admin) as work:
            job = Provision(provisioning_play="play_simple_service", customer_id=self.zoe)
            work.session.add(job)
            work.session.flush()
            return Actor(ActorKind.JOB, "job", permissions=frozenset(permissions), provision_id=job.provision_id)

    def charge(self, service_id: int, actor: Actor | None = None) -> int:
        with self.crm.as_actor(actor or self.admin) as work:
            charge = TransactionInput(
                customer_id=self.zoe, service_id=service_id, title="Setup Costs", retail_cost=Decimal(5)
            )
            return work.billing.add(charge).transaction_id


@pytest.fixture
def any_desk(any_crm: Crm, admin: Actor) -> Desk:
    return Desk(any_crm, admin)


@pytest.fixture
def desk(crm: Crm, admin: Actor) -> Desk:
    return Desk(crm, admin)


@pytest.mark.req("CAT-198", "CAT-186", "CAT-187", "SVC-109", "BIL-143", "BIL-149", "CAT-557", "SVC-025")
def test_a_play_creates_a_service_and_the_job_knows_it(any_desk: Desk) -> None:
    job = any_desk.job()
    body = PLAY_BODY | {"customer_id": str(any_desk.zoe), "product_id": str(any_desk.product)}
    seen = any_desk.create(job, **body)
    assert (seen.retail_cost, seen.wholesale_cost, seen.service_type) == (Decimal(15), Decimal(3), "mobile")
    assert seen.service_provisioned_date == datetime(2026, 11, 21, 11, 59, 58, tzinfo=UTC)
    assert (seen.provisioning_play, seen.provisioning_json_vars) == ("play_psim_only", '{"days": 30}')
    assert (seen.auto_renew, seen.icon, seen.product_name) == (True, "fa-solid fa-sim-card", "Mobile SIM Only")
    assert (seen.service_billed, seen.service_taxable, seen.service_visible_to_customer) == (True, True, True)
    with any_desk.crm.reading(any_desk.admin) as work:
        assert (
            work.customer_services.get_by_uuid("Service_75628fa5")
            == seen
            == work.customer_services.get(seen.service_id)
        )
        made = work.provisioning.get(job.provision_id or 0)
        entry = work.activity.window(ListQuery(descending=True), FIRST, 1, any_desk.zoe).rows[0]
        with pytest.raises(NotFound):
            work.customer_services.get_by_uuid("service_75628fa5")
    assert (made.service_id, made.service_uuid) == (seen.service_id, "Service_75628fa5")
    assert (entry.action, entry.service_id) == ("Service created", seen.service_id)


@pytest.mark.req("CAT-117")
def test_a_service_keeps_no_secret_among_its_variables(desk: Desk) -> None:
    for name in ("provisioning_json_vars", "deprovisioning_json_vars"):
        with pytest.raises(InvalidInput) as refused:
            desk.create(**{name: {"wifi_password": "correct-horse"}})
        assert "Give it with the order" in refused.value.fields[name]
    kept = desk.create(provisioning_json_vars={"wifi_password": "", "days": 30}, deprovisioning_json_vars="no JSON")
    assert (kept.provisioning_json_vars, kept.deprovisioning_json_vars) == (
        '{"wifi_password": "", "days": 30}',
        "no JSON",
    )


@pytest.mark.req("CAT-049", "SVC-217", "CAT-423", "BIL-142")
def test_an_account_has_one_service_and_gets_a_name_of_its_own(any_desk: Desk) -> None:
    first, second = any_desk.create(service_uuid="A1"), any_desk.create()
    assert second.service_uuid.startswith("Service_")
    assert len(second.service_uuid) == len("Service_") + 36
    with pytest.raises(Conflict, match="Another service already has the UUID A1"):
        any_desk.create(service_uuid="A1")
    assert any_desk.create(service_uuid="a1").service_id > first.service_id


@pytest.mark.req("CAT-045", "CAT-068", "CAT-069")
def test_what_a_service_points_at_has_to_be_the_customers(desk: Desk) -> None:
    parent = desk.create(customer_id=desk.ada)
    with desk.crm.as_actor(desk.admin) as work:
        site = work.customers.add_site(desk.ada, SiteInput(site_name="Home", country="Norway")).site_id
    for field, value in (
        ("customer_id", 999),
        ("product_id", 999),
        ("bundled_parent", parent.service_id),
        ("site_id", site),
        ("retail_cost", "NaN"),
        ("retail_cost", -1),
        ("service_status", "Asleep"),
        ("service_uuid", "a b"),
        ("service_name", ""),
    ):
        with pytest.raises(InvalidInput) as refused:
            desk.create(**{field: value})
        assert list(refused.value.fields) == [field]
    child = desk.create(customer_id=desk.ada, bundled_parent=parent.service_id, site_id=site)
    assert (child.bundled_parent, child.site_id) == (parent.service_id, site)


@pytest.mark.req("CAT-073", "CAT-074", "CAT-202", "CAT-382")
def test_the_sixteen_fields_can_be_changed_and_no_others(any_desk: Desk) -> None:
    service = any_desk.create(product_id=any_desk.product)
    assert set(ServiceChange.model_fields) - {"version"} == {
        "service_name",
        "service_type",
        "service_status",
        "service_notes",
        "retail_cost",
        "wholesale_cost",
        "service_billed",
        "service_taxable",
        "service_visible_to_customer",
        "service_usage_visible_to_customer",
        "service_active_date",
        "service_deactivate_date",
        "contract_end_date",
        "icon",
        "promo_code",
        "site_id",
    }
    assert not READ_ONLY & set(ServiceChange.model_fields)
    changed = any_desk.patch(
        service.service_id,
        version=service.version,
        service_status="Suspended",
        service_deactivate_date="2026-12-21T12:00:00+0000",
        retail_cost="9.95",
        service_notes="unpaid",
        icon="",
    )
    assert (changed.service_status, changed.retail_cost, changed.icon) == ("Suspended", Decimal("9.95"), None)
    assert changed.end_date == datetime(2026, 12, 21, 12, tzinfo=UTC)
    with pytest.raises(Conflict):
        any_desk.patch(service.service_id, version=service.version, service_notes="paid")
    with pytest.raises(InvalidInput) as refused:
        any_desk.patch(service.service_id, service_name=None, service_billed=None)
    assert set(refused.value.fields) == {"service_name", "service_billed"}
    with any_desk.crm.reading(any_desk.admin) as work:
        entry = work.activity.window(ListQuery(descending=True), FIRST, 1, any_desk.zoe).rows[0]
    assert entry.details["service_status"] == {"old": "Active", "new": "Suspended"}


@pytest.mark.req("SVC-229", "SVC-230", "SVC-231", "SVC-232", "SVC-234", "SVC-240", "PLT-431")
def test_the_list_sorts_and_filters(any_desk: Desk, clock: FrozenClock) -> None:
    now = clock.now()
    any_desk.create(service_name="Ångström", service_type="voip", retail_cost=30, service_active_date=now)
    any_desk.create(
        service_name="Beta",
        service_type="iptv",
        retail_cost=10,
        customer_id=any_desk.ada,
        service_active_date=now - timedelta(days=9),
        service_deactivate_date=now + timedelta(days=3),
        auto_renew=True,
    )
    any_desk.create(
        service_name="gamma",
        service_type="mobile",
        retail_cost=20,
        service_active_date=now - timedelta(days=5),
        contract_end_date=now + timedelta(days=90),
        service_status="Inactive",
    )
    for sort, order in (
        ("service_id", ["Ångström", "Beta", "gamma"]),
        ("service_name", ["Ångström", "Beta", "gamma"]),
        ("service_type", ["Beta", "gamma", "Ångström"]),
        ("start_date", ["Beta", "gamma", "Ångström"]),
        ("end_date", ["Beta", "gamma", "Ångström"]),
        ("retail_cost", ["Beta", "gamma", "Ångström"]),
    ):
        assert any_desk.names(ListQuery(sort=sort)) == order
        with any_desk.crm.reading(any_desk.admin) as work:
            last = work.customer_services.window(ListQuery(sort=sort), LAST, 2)
            assert [row.service_name for row in last.rows] == order[1:]
            page = work.customer_services.page(ListQuery(sort=sort, descending=True), 1, 10)
            assert [row.service_name for row in page.rows] == order[::-1]
    assert any_desk.names(ListQuery(filters={"service_type": ["iptv", "voip"]})) == ["Ångström", "Beta"]
    assert any_desk.names(ListQuery(filters={"service_status": ["Inactive"]})) == ["gamma"]
    assert any_desk.names(ListQuery(filters={"auto_renew": ["true"]})) == ["Beta"]
    assert any_desk.names(ListQuery(), any_desk.ada) == ["Beta"]
    with any_desk.crm.reading(any_desk.admin) as work:
        rows = work.customer_services.window(ListQuery(), FIRST, 5).rows
    assert [(row.customer_name, row.end_date is None, row.end_notice) for row in rows] == [
        ("Zoë", True, None),
        ("Ada", False, "Expiring Soon"),
        ("Zoë", False, None),
    ]


@pytest.mark.req("SVC-233", "SVC-227", "PLT-393")
def test_a_service_is_found_by_name_number_uuid_customer_and_telephone_number(any_desk: Desk) -> None:
    first = any_desk.create(service_name="Mobil für Zoë", service_uuid="Mobile_c2880638")
    any_desk.create(service_name="Other", customer_id=any_desk.ada, service_uuid="Other")
    with any_desk.crm.as_actor(any_desk.admin) as work:
        work.inventory.create_template(TemplateInput(item="Mobile Number", itemtext1_label="Phone Number"))
        number = work.inventory.create(ItemInput(item="Mobile Number", itemtext1="+447700900123")).inventory_id
        work.inventory.update(number, ItemChange(service_id=first.service_id))
        assert [row.inventory_id for row in work.inventory.items_of_service(first.service_id)] == [number]
        assert work.inventory.get(number).customer_id == any_desk.zoe
        assert work.customer_services.get(first.service_id).version == first.version
    for words in ("MOBIL FUR", "c288", "7700900", "ZOE", str(first.service_id)):
        assert any_desk.names(ListQuery(search=words)) == ["Mobil für Zoë"]
    with any_desk.crm.as_actor(any_desk.admin) as work:
        work.inventory.update(number, ItemChange(customer_id=None))
        assert work.inventory.get(number).service_id is None
    assert any_desk.names(ListQuery(search="7700900")) == []
    with pytest.raises(InvalidInput), any_desk.crm.as_actor(any_desk.admin) as work:
        work.inventory.update(number, ItemChange(customer_id=any_desk.ada, service_id=first.service_id))


@pytest.mark.req("BIL-378", "CAT-062", "CAT-070", "CAT-380")
def test_a_customers_user_sees_its_visible_services_without_notes(any_desk: Desk) -> None:
    shown = any_desk.create(service_notes="difficult", wholesale_cost=7)
    hidden = any_desk.create(service_visible_to_customer=False)
    theirs = any_desk.create(customer_id=any_desk.ada)
    own = Actor(
        ActorKind.CUSTOMER,
        "zoe",
        permissions=frozenset({"view_own_customer_service"}),
        own_customer_id=any_desk.zoe,
    )
    with any_desk.crm.reading(own) as work:
        assert [row.service_id for row in work.customer_services.window(ListQuery(), FIRST, 9).rows] == [
            shown.service_id
        ]
        seen = work.customer_services.get(shown.service_id)
        assert (seen.service_notes, seen.wholesale_cost) == (None, None)
        for service in (hidden, theirs):
            with pytest.raises(NotFound):
                work.customer_services.get(service.service_id)
        assert work.customer_services.customer_of(theirs.service_id) is None
        with pytest.raises(NotPermitted):
            work.customer_services.update(shown.service_id, ServiceChange(service_name="Mine"))
    key = replace(own, kind=ActorKind.MACHINE, name="portal", permissions=frozenset({"view_customer_service"}))
    with any_desk.crm.reading(key) as work:
        seen = work.customer_services.get(shown.service_id)
        assert (seen.service_notes, seen.wholesale_cost) == (None, None), "a key of one customer sees what it sees"


@pytest.mark.req("CAT-203", "SVC-097", "SVC-111", "SVC-251")
def test_a_rolled_back_job_leaves_no_service_no_charge_and_no_linked_item(any_desk: Desk) -> None:
    job = any_desk.job()
    service = any_desk.create(job, **PLAY_BODY)
    child = any_desk.create(bundled_parent=service.service_id)
    charge = any_desk.charge(service.service_id, job)
    with any_desk.crm.as_actor(any_desk.admin) as work:
        work.inventory.create_template(TemplateInput(item="SIM Card"))
        sim = work.inventory.create(
            ItemInput(item="SIM Card", itemtext1="8947", service_id=service.service_id)
        ).inventory_id
    with pytest.raises(NotPermitted), any_desk.crm.as_actor(any_desk.job()) as work:
        work.customer_services.delete(service.service_id)
    with any_desk.crm.as_actor(job) as work:
        work.customer_services.delete(service.service_id)
    with any_desk.crm.reading(any_desk.admin) as work:
        with pytest.raises(NotFound):
            work.customer_services.get(service.service_id)
        with pytest.raises(NotFound):
            work.billing.get(charge)
        item = work.inventory.get(sim)
        assert work.customer_services.get(child.service_id).bundled_parent is None
        assert work.provisioning.get(job.provision_id or 0).service_id is None
        actions = [row.action for row in work.activity.window(ListQuery(descending=True), FIRST, 3, any_desk.zoe).rows]
    assert (item.customer_id, item.service_id, item.item_state) == (None, None, "Used")
    assert actions == ["Service deleted", "Item given back", "Transaction deleted"]
    with pytest.raises(NotFound), any_desk.crm.as_actor(any_desk.admin) as work:
        work.customer_services.delete(service.service_id)


@pytest.mark.req("CAT-203")
def test_a_service_on_an_invoice_is_never_deleted(desk: Desk) -> None:
    service = desk.create()
    charge = desk.charge(service.service_id)
    with desk.crm.as_actor(desk.admin) as work:
        from omnicrm_tui.billing.models import Invoice, Transaction

        invoice = Invoice(invoice_number="INV-2026-000001", customer_id=desk.zoe, currency="USD")
        work.session.add(invoice)
        work.session.flush()
        work.session.get_one(Transaction, charge).invoice_id = invoice.invoice_id
    with pytest.raises(Conflict, match="on an invoice"), desk.crm.as_actor(desk.admin) as work:
        work.customer_services.delete(service.service_id)
    with desk.crm.reading(desk.admin) as work:
        assert work.customer_services.get(service.service_id).service_id == service.service_id
        assert work.billing.get(charge).service_id == service.service_id


@pytest.mark.req("CAT-368", "SVC-157", "SVC-179", "BIL-087")
def test_addons_are_offered_to_customers_who_have_what_they_rely_on(any_desk: Desk) -> None:
    with any_desk.crm.as_actor(any_desk.admin) as work:
        for name, values in (
            ("Boost", {"service_type": "mobile"}),
            ("TV", {"service_type": "iptv"}),
            ("Extra", {"service_type": "mobile", "relies_on_list": f"[{any_desk.product}, 'mobile']"}),
            ("Twin", {"service_type": "mobile", "relies_on_list": "['voip']"}),
        ):
            work.catalog.create(parse(ProductInput, {"product_name": name, "category": "addon", **values}))

    def offered(customer_id: int) -> list[str]:
        with any_desk.crm.reading(any_desk.admin) as work:
            found = work.catalog.orderable(account_type="Individual", group="addons", customer_id=customer_id)
            return [product.product_name for product in found]

    assert offered(any_desk.zoe) == []
    service = any_desk.create(product_id=any_desk.product)
    assert offered(any_desk.zoe) == ["Boost", "Extra"]
    any_desk.patch(service.service_id, service_status="Deactivated")
    assert offered(any_desk.zoe) == []
