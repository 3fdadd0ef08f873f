"""The stock through the service, on all three databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import text

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.inventory.schemas import ItemChange, ItemInput, ItemView, TemplateChange, TemplateInput
from omnicrm_tui.listing import FIRST, Anchor, Edge, ListQuery
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.schemas import parse
from tests.fixtures.databases import NOON

SIM = TemplateInput(
    item="SIM Card",
    wholesale_cost=Decimal("2.50"),
    retail_cost=Decimal(10),
    itemtext1_label="ICCID",
    itemtext2_label="IMSI",
    itemtext3_label="SIM Type",
)
NUMBER = TemplateInput(
    item="Mobile Number", itemtext1_label="Phone Number", itemtext2_label="Region", allow_dropdown_customer=True
)


class Shop:
    """Two kinds, three SIM cards, a number, two customers, and jobs on demand."""

    def __init__(self, crm: Crm, admin: Actor) -> None:
        self.crm, self.admin = crm, admin
        with crm.as_actor(admin) as work:
            for template in (SIM, NUMBER):
                work.inventory.create_template(template)
            self.customers = [
                work.customers.create(CustomerInput(customer_name=name)).customer_id for name in ("Zoë", "Ada")
            ]
            self.sims = [
                work.inventory.create(
                    ItemInput(
                        item="SIM Card",
                        itemtext1=f"89470000000000000{n}",
                        itemtext2=f"24201000000000{n}",
                        item_state=state,
                        item_location="Store A",
                        ki="000102030405060708090A0B0C0D0E0F",
                        management_password="s3cret",
                    )
                ).inventory_id
                for n, state in enumerate(("New", "In Stock", "Damaged"))
            ]
            self.number = work.inventory.create(ItemInput(item="Mobile Number", itemtext1="+4790000001")).inventory_id

    def job(self) -> Actor:
        with self.crm.as_actor(self.admin) as work:
            job = Provision(provisioning_play="play_psim_only", customer_id=self.customers[0])
            work.session.add(job)
            work.session.flush()
            return Actor(
                ActorKind.JOB,
                "job",
                permissions=frozenset({"view_inventory", "update_inventory"}),
                provision_id=job.provision_id,
            )

    def reserve(self, job: Actor, **choices: int) -> None:
        with self.crm.as_actor(job) as work:
            work.inventory.reserve(
                {name.replace("_", " "): item for name, item in choices.items()}, job.provision_id or 0
            )

    def patch(self, actor: Actor, item: int, **values: Any) -> ItemView:
        with self.crm.as_actor(actor) as work:
            return work.inventory.update(item, parse(ItemChange, values))

    def item(self, inventory_id: int) -> ItemView:
        with self.crm.reading(self.admin) as work:
            return work.inventory.get(inventory_id)

    def free(self, kind: str = "SIM Card", actor: Actor | None = None, search: str = "") -> list[int]:
        with self.crm.reading(actor or self.admin) as work:
            rows = work.inventory.pickable(kind, ListQuery(search=search), FIRST, 50).rows
            assert work.inventory.pickable_count(kind, ListQuery(search=search)).value == len(rows)
            return [row.inventory_id for row in rows]


@pytest.fixture
def any_shop(any_crm: Crm, admin: Actor) -> Shop:
    return Shop(any_crm, admin)


@pytest.fixture
def shop(crm: Crm, admin: Actor) -> Shop:
    return Shop(crm, admin)


def as_job(job: Actor) -> int:
    assert job.provision_id is not None
    return job.provision_id


@pytest.mark.req("PLT-357", "PLT-373", "CAT-146", "CAT-206", "BIL-107", "PLT-382")
def test_an_item_takes_the_costs_of_its_kind_and_names_its_texts(any_shop: Shop) -> None:
    item = any_shop.item(any_shop.sims[0])
    assert (item.wholesale_cost, item.retail_cost) == (Decimal("2.5"), Decimal(10))
    assert (item.iccid, item.imsi, item.msisdn) == ("894700000000000000", "242010000000000", None)
    assert item.labels[:4] == ("ICCID", "IMSI", "SIM Type", None)
    assert (item.ki, item.management_password, item.opc) == ("(hidden)", "(hidden)", None)
    assert any_shop.item(any_shop.number).msisdn == "+4790000001"
    with any_shop.crm.reading(any_shop.admin) as work:
        stored = work.session.execute(text("SELECT ki, management_password FROM inventory")).all()
    assert all(b"0001" not in bytes(ki) and b"s3cret" not in bytes(pw) for ki, pw in stored if ki)


@pytest.mark.req("PLT-402", "PLT-382")
def test_secrets_are_for_jobs_and_for_people_who_leave_a_trace(shop: Shop) -> None:
    job, item = shop.job(), shop.sims[0]
    with shop.crm.reading(job) as work:
        assert work.inventory.get(item, secrets=True).ki == "000102030405060708090A0B0C0D0E0F"
    viewer = Actor(ActorKind.STAFF, "viewer", permissions=frozenset({"view_inventory"}))
    with shop.crm.reading(viewer) as work:
        assert work.inventory.get(item, secrets=True).management_password == "(hidden)"
    with shop.crm.reading(shop.admin) as work, pytest.raises(RuntimeError):
        work.inventory.get(item, secrets=True)
    with shop.crm.as_actor(shop.admin) as work:
        seen = work.inventory.get(item, secrets=True)
    assert seen.management_password == "s3cret"
    assert "s3cret" not in repr(seen)
    assert "0001020304" not in repr(seen)
    with shop.crm.reading(shop.admin) as work:
        entries = work.activity.window(ListQuery(descending=True), FIRST, 50).rows
    assert [entry.action for entry in entries].count("Secrets of the item read") == 1
    assert "s3cret" not in repr(entries)
    assert "0001020304" not in repr(entries)


@pytest.mark.req("CAT-207", "PLT-376", "PLT-416", "SVC-171", "CAT-143", "CAT-144")
def test_a_job_assigns_its_item_and_the_history_says_so(any_shop: Shop) -> None:
    job, (item, *_), customer = any_shop.job(), any_shop.sims, any_shop.customers[0]
    any_shop.reserve(job, SIM_Card=item)
    seen = any_shop.patch(job, item, customer_id=str(customer), item_state="Assigned", service_id=None)
    assert (seen.customer_id, seen.item_state, seen.sold_date) == (customer, "Assigned", NOON)
    assert (seen.reserved_until, seen.customer_name) == (None, "Zoë")
    with any_shop.crm.reading(any_shop.admin) as work:
        rows = work.inventory.window(ListQuery(), FIRST, 10, customer_id=customer).rows
        entry = work.activity.window(ListQuery(descending=True), FIRST, 1, customer).rows[0]
    assert [(row.inventory_id, row.customer_name) for row in rows] == [(item, "Zoë")]
    assert entry.details["item_state"] == {"old": "New", "new": "Assigned"}
    assert item not in any_shop.free()


@pytest.mark.req("BIL-103", "SVC-167", "SVC-168", "SVC-170", "PLT-394")
def test_only_free_items_of_the_kind_can_be_picked(any_shop: Shop, clock: FrozenClock) -> None:
    new, in_stock, damaged = any_shop.sims
    assert any_shop.free() == [new, in_stock]
    assert any_shop.free(search="4700000000000001") == [in_stock]
    job = any_shop.job()
    any_shop.reserve(job, SIM_Card=new, Mobile_Number=any_shop.number)
    assert (any_shop.free(), any_shop.free("Mobile Number")) == ([in_stock], [])
    with any_shop.crm.reading(any_shop.admin) as work:
        held = work.inventory.items_reserved_by(as_job(job))
        assert [row.inventory_id for row in held] == [new, any_shop.number]
    clock.advance(timedelta(minutes=15))
    assert any_shop.free() == [new, in_stock]
    any_shop.reserve(any_shop.job(), SIM_Card=new)
    any_shop.patch(any_shop.admin, in_stock, customer_id=any_shop.customers[1])
    assert any_shop.free() == []
    assert any_shop.item(damaged).item_state == "Damaged"


@pytest.mark.req("BIL-109", "SVC-170")
def test_of_two_users_at_once_only_one_gets_the_item(any_shop: Shop) -> None:
    jobs = [any_shop.job() for _ in range(4)]
    ready, won, lost = Barrier(len(jobs)), [], []

    def order(job: Actor) -> None:
        ready.wait(10)
        try:
            any_shop.reserve(job, SIM_Card=any_shop.sims[0], Mobile_Number=any_shop.number)
            won.append(job.provision_id)
        except Conflict as conflict:
            lost.append(conflict.message)

    threads = [Thread(target=order, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(won), len(lost)) == (1, 3)
    assert {any_shop.item(item).reserved_by for item in (any_shop.sims[0], any_shop.number)} == set(won)
    assert set(lost) == {"SIM Card 894700000000000000 has just been chosen for another order. Choose another one."}


@pytest.mark.req("BIL-105", "BIL-109")
def test_a_reservation_is_whole_or_not_at_all(shop: Shop) -> None:
    new, in_stock, damaged = shop.sims
    job = shop.job()
    with pytest.raises(Conflict, match="it is Damaged"):
        shop.reserve(job, Mobile_Number=shop.number, SIM_Card=damaged)
    assert shop.free("Mobile Number") == [shop.number]
    with pytest.raises(Conflict, match="no SIM Card with the number"):
        shop.reserve(job, SIM_Card=shop.number)
    with pytest.raises(NotFound):
        shop.reserve(job, Sim_card=new)
    with pytest.raises(InvalidInput):
        shop.reserve(job, SIM_Card=new, Mobile_Number=new)
    shop.patch(shop.admin, new, customer_id=shop.customers[0])
    with pytest.raises(Conflict, match="belongs to a customer"):
        shop.reserve(job, SIM_Card=new)
    assert shop.free() == [in_stock]


@pytest.mark.req("SVC-097", "BIL-110", "BIL-147")
@pytest.mark.parametrize("rescued_to", ["Used", "In Stock", None])
def test_a_failed_job_leaves_the_stock_exactly_as_before(any_shop: Shop, rescued_to: str | None) -> None:
    job, (new, in_stock, damaged), customer = any_shop.job(), any_shop.sims, any_shop.customers[0]
    untouched = any_shop.item(in_stock)
    any_shop.reserve(job, SIM_Card=new, Mobile_Number=any_shop.number)
    any_shop.patch(job, new, customer_id=customer, item_state="Assigned")
    any_shop.patch(job, in_stock, customer_id=customer, item_state="In Use")
    if rescued_to:
        any_shop.patch(job, new, customer_id=None, service_id=None, item_state=rescued_to)
    assert new not in any_shop.free()
    with any_shop.crm.as_actor(any_shop.admin) as work:
        work.inventory.restore_reserved(as_job(job))
        work.inventory.restore_reserved(as_job(job))
    for item, state in ((new, "New"), (in_stock, "In Stock"), (any_shop.number, "New"), (damaged, "Damaged")):
        seen = any_shop.item(item)
        assert (seen.item_state, seen.customer_id, seen.service_id, seen.sold_date) == (state, None, None, None)
        assert (seen.reserved_by, seen.reserved_until) == (None, None)
    assert any_shop.free() == [new, in_stock]
    same = {"version": 0, "last_modified": NOON}
    assert replace(any_shop.item(in_stock), **same) == replace(untouched, **same)


@pytest.mark.req("SVC-093", "SVC-092")
def test_what_a_finished_job_did_stands_and_the_rest_is_free_again(any_shop: Shop, clock: FrozenClock) -> None:
    job, (new, in_stock, _) = any_shop.job(), any_shop.sims
    any_shop.reserve(job, SIM_Card=new, Mobile_Number=any_shop.number)
    any_shop.patch(job, new, customer_id=any_shop.customers[0], item_state="Assigned")
    clock.advance(timedelta(minutes=14))
    with any_shop.crm.as_actor(any_shop.admin) as work:
        work.inventory.keep_reservations(as_job(job))
    clock.advance(timedelta(minutes=14))
    assert any_shop.free("Mobile Number") == []
    with any_shop.crm.as_actor(any_shop.admin) as work:
        work.inventory.release_reservations(as_job(job))
        work.inventory.restore_reserved(as_job(job))
    assert any_shop.free("Mobile Number") == [any_shop.number]
    assert any_shop.item(new).item_state == "Assigned"
    ended = any_shop.patch(any_shop.admin, new, customer_id=None)
    assert (ended.item_state, ended.sold_date, ended.customer_id) == ("Used", None, None)
    assert any_shop.free() == [in_stock]


@pytest.mark.req("BIL-109")
def test_an_item_of_another_order_or_customer_is_refused(shop: Shop, clock: FrozenClock) -> None:
    first, second, (new, *_) = shop.job(), shop.job(), shop.sims
    shop.reserve(first, SIM_Card=new)
    for actor in (second, shop.admin):
        with pytest.raises(Conflict, match="held for another order"):
            shop.patch(actor, new, customer_id=shop.customers[0])
    shop.patch(first, new, customer_id=shop.customers[0])
    for actor in (second, shop.admin):
        with pytest.raises(Conflict, match="belongs to another customer"):
            shop.patch(actor, new, customer_id=shop.customers[1])
    with pytest.raises(InvalidInput, match="not right"):
        shop.patch(shop.admin, shop.sims[1], customer_id=999)
    clock.advance(timedelta(hours=1))
    shop.reserve(second, SIM_Card=shop.sims[1])
    clock.advance(timedelta(hours=1))
    shop.patch(shop.admin, shop.sims[1], customer_id=shop.customers[1])
    with shop.crm.as_actor(shop.admin) as work:
        work.inventory.restore_reserved(as_job(second))
    assert shop.item(shop.sims[1]).customer_id == shop.customers[1]


@pytest.mark.req("PLT-409", "PLT-410", "PLT-391")
def test_unusual_steps_need_a_permission_and_a_reason(shop: Shop) -> None:
    damaged = shop.sims[2]
    clerk = Actor(ActorKind.STAFF, "clerk", permissions=frozenset({"view_inventory", "update_inventory"}))
    with pytest.raises(NotPermitted):
        shop.patch(clerk, damaged, item_state="In Stock", reason="repaired")
    with pytest.raises(InvalidInput) as refused:
        shop.patch(shop.admin, damaged, item_state="In Stock")
    assert "reason" in refused.value.fields
    shop.patch(shop.admin, damaged, item_state="In Stock", reason="repaired")
    shop.patch(clerk, damaged, item_state="Stolen")
    with shop.crm.reading(shop.admin) as work:
        entries = work.activity.window(ListQuery(descending=True), FIRST, 3).rows
    assert [entry.action for entry in entries] == ["Item stolen: security report", "Item changed", "Item changed"]
    assert entries[2].details["reason"]["new"] == "repaired"


@pytest.mark.req("PLT-388", "PLT-392", "SVC-227")
def test_every_sort_and_filter_walks_the_list(any_shop: Shop) -> None:
    filters = {"item_state": ["New", "In Stock"], "item": ["SIM Card"]}
    new, in_stock, _ = any_shop.sims
    with any_shop.crm.reading(any_shop.admin) as work:
        for sort in ("itemtext1", "inventory_id", "item", "item_state", "item_location", "created"):
            query = ListQuery(sort=sort, filters=filters)
            first = work.inventory.window(query, FIRST, 1)
            rest = work.inventory.window(query, Anchor(Edge.AFTER, first.keys[0]), 5)
            walked = [row.inventory_id for row in (*first.rows, *rest.rows)]
            assert walked == ([in_stock, new] if sort == "item_state" else [new, in_stock])
            assert [row.inventory_id for row in work.inventory.page(query, 1, 10).rows] == walked
        assert work.inventory.count(ListQuery(filters=filters)).value == 2
        found = work.inventory.window(ListQuery(search="STORE a"), FIRST, 10).rows
    assert {row.inventory_id for row in found} == set(any_shop.sims)


@pytest.mark.req("BIL-378", "PLT-353")
def test_a_customers_user_sees_own_items_and_chooses_from_what_is_offered(any_shop: Shop) -> None:
    mine, theirs, _ = any_shop.sims
    any_shop.patch(any_shop.admin, mine, customer_id=any_shop.customers[0])
    any_shop.patch(any_shop.admin, theirs, customer_id=any_shop.customers[1])
    own = Actor(
        ActorKind.CUSTOMER, "zoe", permissions=frozenset({"view_own_inventory"}), own_customer_id=any_shop.customers[0]
    )
    with any_shop.crm.reading(own) as work:
        assert [row.inventory_id for row in work.inventory.window(ListQuery(), FIRST, 50).rows] == [mine]
        assert work.inventory.get(mine, secrets=True).ki == "(hidden)"
        assert work.inventory.get(mine).wholesale_cost is None
        for hidden in (theirs, any_shop.number):
            with pytest.raises(NotFound):
                work.inventory.get(hidden)
        with pytest.raises(NotPermitted):
            work.inventory.pickable("SIM Card", ListQuery(), FIRST, 50)
    assert any_shop.free("Mobile Number", own) == [any_shop.number]
    job = any_shop.job()
    with pytest.raises(NotPermitted), any_shop.crm.as_actor(own) as work:
        work.inventory.reserve({"SIM Card": theirs}, as_job(job))
    with any_shop.crm.as_actor(own) as work:
        work.inventory.reserve({"Mobile Number": any_shop.number}, as_job(job))
        with pytest.raises(NotFound):
            work.inventory.get(theirs)
    with pytest.raises(Conflict, match="There is no Mobile Number with the number"), any_shop.crm.as_actor(own) as work:
        work.inventory.reserve({"Mobile Number": any_shop.number}, as_job(any_shop.job()))


@pytest.mark.req("PLT-345", "PLT-349", "PLT-350", "PLT-356")
def test_templates_have_one_name_each_and_no_labels_for_what_is_sealed(shop: Shop) -> None:
    with shop.crm.reading(shop.admin) as work:
        assert [template.item for template in work.inventory.templates()] == ["Mobile Number", "SIM Card"]
        sim = work.inventory.template("SIM Card")
    with pytest.raises(Conflict, match="already"), shop.crm.as_actor(shop.admin) as work:
        work.inventory.create_template(SIM)
    with pytest.raises(InvalidInput) as refused, shop.crm.as_actor(shop.admin) as work:
        work.inventory.create_template(TemplateInput(item="eSIM", itemtext5_label="OPc"))
    assert "itemtext5_label" in refused.value.fields
    with shop.crm.as_actor(shop.admin) as work:
        work.inventory.create_template(TemplateInput(item="sim card"))
        changed = work.inventory.update_template(
            sim.inventory_template_id, TemplateChange(version=sim.version, itemtext3_label="Form")
        )
        work.inventory.update_template(sim.inventory_template_id, TemplateChange(item="Plastic SIM"))
    assert shop.item(shop.sims[0]).item == "Plastic SIM"
    assert changed.labels[2] == "Form"
    assert "new labels" in changed.warnings[0]


@pytest.mark.req("CAT-186", "PLT-379")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("retail_cost", "NaN"),
        ("retail_cost", "inf"),
        ("retail_cost", "-1"),
        ("retail_cost", "1.00001"),
        ("retail_cost", "1e30"),
        ("latitude", "90.1"),
        ("longitude", "east"),
        ("item_state", "Eaten"),
        ("itemtext2", "x" * 501),
        ("customer_id", "0"),
        ("customer_id", str(2**63)),
        ("colour", "red"),
        ("itemtext1", " "),
    ],
)
def test_wrong_values_are_named_at_their_field(shop: Shop, field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        shop.patch(shop.admin, shop.sims[0], **{field: value})
    assert list(refused.value.fields) == [field]


@pytest.mark.req("CAT-186", "CAT-147", "CAT-148", "CAT-149", "CAT-150")
def test_a_play_writes_a_device_with_numbers_as_strings(shop: Shop) -> None:
    seen = shop.patch(
        shop.job(),
        shop.sims[0],
        latitude=-33.8688,
        longitude="151.2093",
        wholesale_cost="12.5",
        management_url="https://192.168.1.1",
        management_password="N3w",
        config_content="psk=apple12345",
        zip_code=2000,
        inventory_notes="Provisioned: 2026-11-21",
    )
    assert (seen.latitude, seen.longitude, seen.zip_code) == ("-33.8688", "151.2093", "2000")
    assert seen.wholesale_cost == Decimal("12.5")
    with shop.crm.as_actor(shop.admin) as work:
        assert work.inventory.get(shop.sims[0], secrets=True).management_password == "N3w"
        entries = work.activity.window(ListQuery(descending=True), FIRST, 5).rows
    assert "N3w" not in repr(entries)
    assert "apple12345" not in repr(entries)
