"""Products through the service, on all three databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnicrm_tui.catalog.schemas import ProductChange, ProductInput, ProductView
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.inventory.schemas import TemplateChange, TemplateInput
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.schemas import parse

MOBILE_SIM: dict[str, Any] = {
    "product_name": "Mobile SIM Only",
    "product_slug": "mobile-sim",
    "category": "standalone",
    "service_type": "mobile",
    "icon": "fa-solid fa-sim-card",
    "retail_cost": "15.00",
    "wholesale_cost": 5,
    "wholesale_setup_cost": "1",
    "customer_can_purchase": True,
    "features_list": "['Fast', 'Best coverage']",
    "provisioning_play": "play_psim_only",
    "provisioning_json_vars": '{"iccid": "", "msisdn": ""}',
    "inventory_items_list": "['SIM Card', 'Mobile Number']",
    "comment": "staff only",
}


def product(**values: Any) -> ProductInput:
    data = parse(ProductInput, {"product_name": "Plan", "category": "standalone", **values})
    assert isinstance(data, ProductInput)
    return data


def create(crm: Crm, admin: Actor, *several: ProductInput) -> list[ProductView]:
    with crm.as_actor(admin) as work:
        return [work.catalog.create(data) for data in several]


@pytest.mark.req("PLT-101", "CAT-080")
def test_a_type_that_is_not_configured_is_taken_with_a_warning(crm: Crm, admin: Actor) -> None:
    known, other = create(crm, admin, product(service_type="voip"), product(service_type="dongle"))
    assert known.warnings == ()
    assert other.warnings == ("dongle is not among the configured service types.",)


@pytest.mark.req("CAT-195", "CAT-186", "CAT-344", "BIL-069", "BIL-071", "BIL-099", "PLT-108")
def test_a_created_product_is_there_with_its_lists_read(any_crm: Crm, admin: Actor) -> None:
    with any_crm.as_actor(admin) as work:
        work.inventory.create_template(TemplateInput(item="SIM Card"))
    product_id = create(any_crm, admin, product(**MOBILE_SIM))[0].product_id
    with any_crm.reading(admin) as work:
        seen = work.catalog.get(product_id)
        assert work.catalog.names_of({product_id, 99}) == {product_id: "Mobile SIM Only"}
    assert (seen.product_slug, seen.retail_cost, seen.tax_percentage) == ("mobile-sim", Decimal(15), Decimal(0))
    assert seen.inventory_items == ("SIM Card", "Mobile Number")
    assert seen.features == ("Fast", "Best coverage")
    assert seen.warnings == ("There is no inventory template Mobile Number.",)
    assert seen.earnings is not None
    assert seen.setup_earnings is not None
    assert (seen.earnings.profit, seen.earnings.markup) == (Decimal(10), Decimal(200))
    assert seen.setup_earnings.profit == Decimal(-1)


@pytest.mark.req("CAT-324", "CAT-197", "CAT-366", "BIL-130")
def test_the_management_list_shows_all_and_finds_by_feature(any_crm: Crm, admin: Actor) -> None:
    create(
        any_crm,
        admin,
        product(product_name="Zoë", retail_cost=30, features_list="Roaming in Åland. Fast"),
        product(product_name="Alpha", retail_cost=5, enabled=False, category="addon"),
        product(product_name="Mini", retail_cost=10),
    )
    with any_crm.reading(admin) as work:
        for sort, names in (
            ("product_name", ["Alpha", "Mini", "Zoë"]),
            ("retail_cost", ["Alpha", "Mini", "Zoë"]),
            ("product_id", ["Zoë", "Alpha", "Mini"]),
            ("created", ["Zoë", "Alpha", "Mini"]),
        ):
            rows = work.catalog.window(ListQuery(sort=sort), FIRST, 10).rows
            assert [row.product_name for row in rows] == names
        for query, name in (
            (ListQuery(search="aland"), "Zoë"),
            (ListQuery(filters={"enabled": ["false"]}), "Alpha"),
            (ListQuery(filters={"category": ["addon"]}), "Alpha"),
        ):
            assert [row.product_name for row in work.catalog.page(query, 1, 10).rows] == [name]
            assert work.catalog.count(query).value == 1
        with pytest.raises(InvalidInput):
            work.catalog.count(ListQuery(filters={"enabled": ["perhaps"]}))


@pytest.mark.req("SVC-159")
@pytest.mark.req("CAT-362", "CAT-363", "CAT-367", "CAT-370", "CAT-547", "CAT-196", "BIL-073")
def test_a_business_customer_is_offered_what_is_for_business(any_crm: Crm, admin: Actor, clock: FrozenClock) -> None:
    tomorrow = (clock.now() + timedelta(days=1)).isoformat()
    home = {"business": False}
    create(
        any_crm,
        admin,
        product(product_name="Office", service_type="mobile"),
        product(product_name="Home", service_type="mobile", **home),
        product(product_name="Off", service_type="mobile", enabled=False),
        product(product_name="Soon", service_type="mobile", available_from=tomorrow),
        product(product_name="Pack", category="bundle", service_type="fixed"),
        product(product_name="Boost", category="addon", service_type="mobile", customer_can_purchase=True),
        product(product_name="TV", category="addon", service_type="iptv"),
        product(product_name="Summer", category="promo", service_type="mobile"),
    )

    def names(**asked: Any) -> list[str]:
        with any_crm.reading(admin) as work:
            return [view.product_name for view in work.catalog.orderable(account_type="Business", **asked)]

    assert names(group="plans") == ["Office", "Pack"]
    assert names(group="addons", service_type="mobile") == ["Boost"]
    assert names(group="promos") == ["Summer"]
    assert names(by_customer=True) == ["Boost"]
    clock.advance(timedelta(days=2))
    assert names(group="plans", service_type="mobile") == ["Office", "Soon"]


@pytest.mark.req("CAT-081", "CAT-365", "BIL-449")
def test_a_customers_user_reads_what_it_can_order_and_not_what_it_costs_us(crm: Crm, admin: Actor) -> None:
    mobile, internal = create(crm, admin, product(**MOBILE_SIM), product(product_name="Internal"))
    own = Actor(ActorKind.CUSTOMER, "zoe", own_customer_id=1)
    with crm.reading(own) as work:
        assert [view.product_id for view in work.catalog.on_sale()] == [mobile.product_id]
        seen = work.catalog.get(mobile.product_id)
        with pytest.raises(NotFound):
            work.catalog.get(internal.product_id)
        with pytest.raises(NotPermitted):
            work.catalog.window(ListQuery(), FIRST, 10)
    assert (seen.comment, seen.wholesale_cost, seen.earnings, seen.retail_cost) == ("", None, None, Decimal(15))
    with crm.reading(Actor(ActorKind.JOB, "job", own_customer_id=1)) as work:
        assert work.catalog.get(mobile.product_id).comment == "staff only"
    with crm.reading(Actor(ActorKind.STAFF, "clerk")) as work, pytest.raises(NotPermitted):
        work.catalog.get(mobile.product_id)


@pytest.mark.req("CAT-078", "CAT-548", "CAT-337", "CAT-213")
def test_slugs_are_unique_well_formed_and_kept_when_imported(any_crm: Crm, admin: Actor) -> None:
    with any_crm.as_actor(admin) as work:
        imported = work.catalog.create(product(**MOBILE_SIM | {"product_slug": "Mobile-SIM"}), imported=True)
    with pytest.raises(InvalidInput) as refused:
        create(any_crm, admin, product(product_slug="Mobile SIM"))
    assert "hyphens" in refused.value.fields["product_slug"]
    with pytest.raises(Conflict, match="Mobile-SIM"), any_crm.as_actor(admin) as work:
        work.catalog.create(product(product_slug="Mobile-SIM"), imported=True)
    first, second = create(any_crm, admin, product(product_name="Über Plan"), product(product_name="Uber plan"))
    assert (first.product_slug, second.product_slug) == ("uber-plan", "uber-plan-2")
    with any_crm.as_actor(admin) as work:
        clone = work.catalog.clone(imported.product_id)
        kept = work.catalog.update(imported.product_id, ProductChange(product_slug="Mobile-SIM", comment="new"))
    assert (clone.product_name, clone.product_slug) == ("Mobile SIM Only clone", "mobile-sim-only-clone")
    assert (clone.retail_cost, clone.inventory_items) == (imported.retail_cost, imported.inventory_items)
    assert (kept.product_slug, kept.comment) == ("Mobile-SIM", "new")


@pytest.mark.req("BIL-098", "CAT-088", "CAT-092", "SVC-147")
def test_a_change_is_checked_versioned_and_logged(any_crm: Crm, admin: Actor, clock: FrozenClock) -> None:
    created = create(any_crm, admin, product(**MOBILE_SIM))[0]
    with any_crm.as_actor(admin) as work:
        changed = work.catalog.update(
            created.product_id, ProductChange(version=created.version, enabled=False, terms=None, retail_cost="12.5")
        )
        entry = work.activity.window(ListQuery(descending=True), FIRST, 1).rows[0]
    assert (changed.enabled, changed.retail_cost) == (False, Decimal("12.5"))
    assert entry.details["enabled"] == {"old": True, "new": False}
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.catalog.update(created.product_id, ProductChange(version=created.version, enabled=True))
    for wrong in (
        {"available_from": clock.now(), "available_until": clock.now() - timedelta(days=1)},
        {"category": None},
        {"product_name": None},
    ):
        with pytest.raises(InvalidInput), any_crm.as_actor(admin) as work:
            work.catalog.update(created.product_id, parse(ProductChange, wrong))


@pytest.mark.req("CAT-079", "CAT-087", "CAT-099", "CAT-095", "BIL-084")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", "gadget"),
        ("auto_renew", "maybe"),
        ("retail_cost", "NaN"),
        ("retail_setup_cost", "-1"),
        ("wholesale_cost", "1e20"),
        ("tax_percentage", "-5"),
        ("tax_percentage", "Infinity"),
        ("contract_days", "-1"),
        ("provisioning_play", "../play_evil"),
        ("provisioning_play", "play_psim_only.yaml"),
        ("provisioning_json_vars", "{'a': 1}"),
        ("inventory_items_list", "SIM Card"),
        ("relies_on_list", "[None]"),
        ("product_name", "  "),
        ("product_name", "x" * 201),
        ("available_from", "soon"),
    ],
)
def test_wrong_values_are_named_at_their_field(field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        product(**{field: value})
    assert list(refused.value.fields) == [field]


@pytest.mark.req("BIL-113", "BIL-123")
def test_doubtful_lists_are_saved_with_a_warning(crm: Crm, admin: Actor) -> None:
    with crm.as_actor(admin) as work:
        work.inventory.create_template(TemplateInput(item="SIM Card"))
        seen = work.catalog.create(
            product(inventory_items_list=["SIM Card", "SIM Card"], auto_renew=True, features_list="['half")
        )
    assert (seen.inventory_items, seen.auto_renew) == (("SIM Card", "SIM Card"), "true")
    assert [warning.split()[0] for warning in seen.warnings] == ["SIM", "The"]


@pytest.mark.req("PLT-359")
def test_renaming_a_template_names_the_products_that_lose_it(any_crm: Crm, admin: Actor) -> None:
    create(any_crm, admin, product(**MOBILE_SIM), product(product_name="None"))
    with any_crm.as_actor(admin) as work:
        sim = work.inventory.create_template(TemplateInput(item="SIM Card"))
        changed = work.inventory.update_template(sim.inventory_template_id, TemplateChange(item="Plastic SIM"))
    assert changed.warnings == ("These products still ask for SIM Card: Mobile SIM Only.",)
