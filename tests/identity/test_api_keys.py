"""API keys of the database: what is kept of them, who may make which, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from omnicrm_tui.billing.schemas import TransactionInput
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from omnicrm_tui.identity import key_rules
from omnicrm_tui.identity.access import KeyRefused
from omnicrm_tui.identity.actor import Actor, ActorKind, system_actor
from omnicrm_tui.identity.key_schemas import ApiKeyChange, ApiKeyInput, ExtensionInput
from omnicrm_tui.identity.models import ApiKey
from omnicrm_tui.identity.permissions import PERMISSIONS, ROLE_DESIGNS, of_one_customer
from omnicrm_tui.identity.schemas import RoleInput
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.schemas import parse
from omnicrm_tui.settings import ApiKey as ConfiguredKey
from omnicrm_tui.settings import CrmSection
from tests.identity.conftest import AddUser
from tests.identity.keys_in_hand import READS, entries, holder, make


def names(crm: Crm, actor: Actor, query: ListQuery) -> list[str]:
    with crm.reading(actor) as work:
        return [row.name for row in work.identity.api_key_window(query, FIRST, 50).rows]


# The key itself


@pytest.mark.req("PLT-242", "PLT-243", "PLT-261", "PLT-273", "PLT-607", "CAT-178")
def test_only_a_hash_and_the_two_ends_of_a_key_are_kept(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    add_user(any_crm, "root", "System Admin")
    made = make(any_crm, admin)
    assert made.api_key.startswith("sk_live_")
    assert len(made.api_key) == 48
    assert made.api_key not in repr(made)
    with any_crm.reading(admin) as work:
        row = work.session.scalars(select(ApiKey)).one()
        seen = work.identity.api_key(made.api_key_id)
        log = work.activity.window(ListQuery(), FIRST, 50).rows
    secret = made.api_key[key_rules.START : -key_rules.END]
    stored = [str(getattr(row, column.key)) for column in ApiKey.__table__.columns]
    assert not [text for text in [*stored, repr(seen), repr(log)] if secret in text]
    assert seen.api_key == f"{made.api_key[:12]}...{made.api_key[-4:]}"
    assert make(any_crm, admin).api_key != made.api_key
    assert holder(any_crm, made.api_key).permissions == frozenset(READS)


@pytest.mark.req("PLT-605", "CAT-179", "SVC-079", "PLT-245", "PLT-553")
def test_a_key_acts_with_its_permissions_and_roles_as_the_first_administrator(
    crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    first = add_user(crm, "root", "System Admin")
    made = make(crm, admin, permissions=["VIEW_CUSTOMER", "view_service", "finance", "view_status"])
    assert made.permissions == ("view_customer", "view_customer_service", "Finance", "view_status")
    actor = holder(crm, made.api_key)
    assert (actor.kind, actor.user_id, actor.name) == (ActorKind.MACHINE, first, "API key Billing")
    assert actor.permissions >= {"view_customer", "view_customer_service", "create_customer_invoice", "view_status"}
    assert not actor.may("update_inventory")


@pytest.mark.req("PLT-605")
def test_the_keys_of_the_database_come_first(staffed: Crm, admin: Actor) -> None:
    made = make(staffed, admin)
    keys = {made.api_key: ConfiguredKey(roles=["admin"]), "k" * 40: ConfiguredKey(roles=["view_product"])}
    both = Crm(staffed.settings.model_copy(update={"api_keys": keys}), staffed.engine, staffed.clock, staffed.vault)
    assert not holder(both, made.api_key).may("admin")
    assert holder(both, "k" * 40).may("view_product")


@pytest.mark.req("PLT-278")
@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("sk_live_unknown", "Invalid API key"),
        ("", "Invalid API key"),
        ("{key} ", "Invalid API key: there are blanks in it."),
        ("{key}x", "Invalid API key"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_a_key(staffed: Crm, admin: Actor, key: str, message: str) -> None:
    made = make(staffed, admin)
    with pytest.raises(NotAuthenticated) as refused:
        holder(staffed, key.format(key=made.api_key))
    assert refused.value.message == message


# Who may make which


@pytest.mark.req("PLT-252", "PLT-552", "BIL-464")
def test_only_who_may_manage_keys_sees_or_touches_them(staffed: Crm, admin: Actor) -> None:
    number = make(staffed, admin).api_key_id
    agent = Actor(ActorKind.STAFF, "ada", permissions=frozenset(PERMISSIONS) - {"admin"})
    uses: list[Callable[..., object]] = [
        lambda work: work.identity.api_key_window(ListQuery(), FIRST, 5),
        lambda work: work.identity.api_key_count(ListQuery()),
        lambda work: work.identity.api_key_page(ListQuery(), 1, 5),
        lambda work: work.identity.api_key_figures(),
        lambda work: work.identity.configured_access(),
        lambda work: work.identity.api_key(number),
        lambda work: work.identity.create_api_key(ApiKeyInput(name="x")),
        lambda work: work.identity.update_api_key(number, ApiKeyChange(name="x")),
        lambda work: work.identity.extend_api_key(number, ExtensionInput()),
        lambda work: work.identity.regenerate_api_key(number),
        lambda work: work.identity.revoke_api_key(number),
    ]
    for use in uses:
        with pytest.raises(NotPermitted) as refused, staffed.as_actor(agent) as work:
            use(work)
        assert "manage_api_keys" in refused.value.message


@pytest.mark.parametrize(
    "also", [{}, {"permissions": ["admin"]}, {"permissions": ["Finance"]}], ids=["reads", "admin", "role"]
)
def test_nobody_grants_renews_or_takes_over_what_they_lack(staffed: Crm, admin: Actor, also: dict[str, object]) -> None:
    manager = Actor(ActorKind.STAFF, "mia", permissions=frozenset({"manage_api_keys", "view_product"}))
    strong = make(staffed, admin, **also).api_key_id
    assert make(staffed, manager, permissions=["view_product"]).permissions == ("view_product",)
    uses: list[Callable[..., object]] = [
        lambda work: work.identity.create_api_key(parse(ApiKeyInput, {"name": "x", "permissions": READS, **also})),
        lambda work: work.identity.update_api_key(strong, ApiKeyChange(name="mine")),
        lambda work: work.identity.extend_api_key(strong, ExtensionInput()),
        lambda work: work.identity.regenerate_api_key(strong),
    ]
    for use in uses:
        with pytest.raises(NotPermitted) as refused, staffed.as_actor(manager) as work:
            use(work)
        assert refused.value.message.startswith("You may not do yourself")
    with staffed.as_actor(manager) as work:
        weak = work.identity.create_api_key(ApiKeyInput(name="weak")).api_key_id
    with pytest.raises(NotPermitted), staffed.as_actor(manager) as work:
        work.identity.update_api_key(weak, parse(ApiKeyChange, {"permissions": ["view_product", "view_customer"]}))


def test_a_key_that_may_do_everything_still_makes_no_keys(staffed: Crm, admin: Actor) -> None:
    made = make(staffed, admin, permissions=["admin"])
    machine = holder(staffed, made.api_key)
    job = Actor(ActorKind.JOB, "job 1", permissions=frozenset({"admin"}))
    for actor in (machine, job):
        with staffed.reading(actor) as work:
            assert work.identity.api_key_count(ListQuery()).value == 1
        for use in (
            lambda work: work.identity.create_api_key(ApiKeyInput(name="child")),
            lambda work: work.identity.extend_api_key(made.api_key_id, ExtensionInput()),
            lambda work: work.identity.regenerate_api_key(made.api_key_id),
        ):
            with pytest.raises(NotPermitted, match="managed by staff"), staffed.as_actor(actor) as work:
                use(work)


def test_what_is_wrong_with_a_new_key_is_said_at_its_field(staffed: Crm, admin: Actor) -> None:
    wrong: list[tuple[dict[str, object], str]] = [
        ({"permissions": ["view_nothing"]}, "permissions"),
        ({"expiry_date": "2026-11-20"}, "expiry_date"),
        ({"expiry_date": "soon"}, "expiry_date"),
        ({"customer_id": 99}, "customer_id"),
        ({"name": " "}, "name"),
        ({"owner": "me"}, "owner"),
    ]
    for values, field in wrong:
        with pytest.raises(InvalidInput) as refused:
            make(staffed, admin, **values)
        assert list(refused.value.fields) == [field]
    assert names(staffed, admin, ListQuery()) == []


# One customer's


@pytest.fixture
def two_customers(staffed: Crm, admin: Actor) -> Crm:
    """Customers 1 and 2, with a charge each."""
    with staffed.as_actor(admin) as work:
        for number in (1, 2):
            work.customers.create(CustomerInput(customer_name=f"Customer {number}"))
            work.billing.add(TransactionInput(customer_id=number, title=f"Charge {number}", retail_cost=5))
    return staffed


@pytest.mark.req("PLT-283", "BIL-378", "PLT-556")
def test_a_key_of_one_customer_reaches_no_other(two_customers: Crm, admin: Actor) -> None:
    crm = two_customers
    given = ["view_own_customer", "view_own_customer_transaction", "create_customer_transaction"]
    actor = holder(crm, make(crm, admin, permissions=given, customer_id=1).api_key)
    assert (actor.own_customer_id, actor.kind) == (1, ActorKind.MACHINE)
    with crm.as_actor(actor) as work:
        assert work.customers.get(1).customer_name == "Customer 1"
        assert [row.title for row in work.billing.window(ListQuery(), FIRST, 9).rows] == ["Charge 1"]
        assert work.billing.add(TransactionInput(customer_id=1, title="Paid", retail_cost=1)).customer_id == 1
        for use in (
            lambda: work.customers.get(2),
            lambda: work.billing.get(2),
            lambda: work.billing.add(TransactionInput(customer_id=2, title="Theirs", retail_cost=1)),
        ):
            with pytest.raises((NotFound, InvalidInput, NotPermitted)):
                use()
    with crm.reading(admin) as work:
        assert work.billing.count(ListQuery(), customer_id=2).value == 1


@pytest.mark.parametrize("name", ["admin", "can_impersonate", "manage_api_keys", "create_product", "System Admin"])
def test_a_key_of_one_customer_holds_nothing_of_the_operators(two_customers: Crm, admin: Actor, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make(two_customers, admin, permissions=["view_own_customer", name], customer_id=1)
    assert "further than one customer" in refused.value.fields["permissions"]


def test_a_role_that_grows_takes_a_key_no_further_than_its_customer(two_customers: Crm, admin: Actor) -> None:
    with two_customers.as_actor(admin) as work:
        role = work.identity.create_role(RoleInput(name="Portal"))
    key = make(two_customers, admin, permissions=["Portal", "view_own_customer"], customer_id=1).api_key
    with two_customers.as_actor(admin) as work:
        every = [permission.id for permission in work.identity.permissions()]
        work.identity.add_permissions(role.id, every)
    held = holder(two_customers, key).permissions
    assert held == of_one_customer(PERMISSIONS)
    assert "admin" not in held


# Ends


@pytest.mark.req("PLT-244")
@pytest.mark.parametrize(
    ("zone", "given", "end"),
    [
        ("UTC", "2027-01-10", datetime(2027, 1, 10, 23, 59, 59, tzinfo=UTC)),
        ("America/New_York", "2027-01-10", datetime(2027, 1, 11, 4, 59, 59, tzinfo=UTC)),
        ("UTC", "2027-01-10T05:00:00+02:00", datetime(2027, 1, 10, 3, 0, tzinfo=UTC)),
        ("UTC", "", None),
        ("UTC", None, None),
    ],
)
def test_a_day_ends_with_its_last_second(
    staffed: Crm, admin: Actor, zone: str, given: str | None, end: datetime | None
) -> None:
    settings = staffed.settings.model_copy(update={"crm": CrmSection(timezone=zone)})
    there = Crm(settings, staffed.engine, staffed.clock, staffed.vault)
    assert make(there, admin, expiry_date=given).expiry_date == end


@pytest.mark.req("PLT-268", "PLT-269", "PLT-270", "PLT-271", "PLT-246")
def test_a_key_goes_through_its_states(any_crm: Crm, admin: Actor, add_user: AddUser, clock: FrozenClock) -> None:
    add_user(any_crm, "root", "System Admin")
    made = make(any_crm, admin, expiry_date="2026-12-31")

    def status() -> str:
        with any_crm.reading(admin) as work:
            assert [row.status for row in work.identity.api_key_window(ListQuery(), FIRST, 5).rows] == [
                work.identity.api_key(made.api_key_id).status
            ]
            return work.identity.api_key(made.api_key_id).status

    assert (made.status, status()) == ("active", "active")
    clock.advance(timedelta(days=11))
    assert status() == "expiring_soon"
    assert holder(any_crm, made.api_key).may("view_customer")
    clock.advance(timedelta(days=30))
    assert status() == "expired"
    with pytest.raises(KeyRefused, match="has expired"):
        holder(any_crm, made.api_key)
    with any_crm.as_actor(admin) as work:
        extended = work.identity.extend_api_key(made.api_key_id, parse(ExtensionInput, {"expiry_date": "2027-06-30"}))
    assert extended.status == "active"
    assert holder(any_crm, made.api_key).may("view_customer")
    with any_crm.as_actor(admin) as work:
        work.identity.revoke_api_key(made.api_key_id)
        seen = work.identity.api_key(made.api_key_id)
    assert (seen.status, seen.revoked_by) == ("revoked", "admin")
    with pytest.raises(KeyRefused, match="was revoked"):
        holder(any_crm, made.api_key)
    for use in (
        lambda work: work.identity.extend_api_key(made.api_key_id, ExtensionInput()),
        lambda work: work.identity.update_api_key(made.api_key_id, ApiKeyChange(name="x")),
        lambda work: work.identity.regenerate_api_key(made.api_key_id),
    ):
        with pytest.raises(Conflict, match="for good"), any_crm.as_actor(admin) as work:
            use(work)
    with any_crm.as_actor(admin) as work:
        work.identity.revoke_api_key(made.api_key_id)
        assert work.identity.api_key(made.api_key_id).revoked == seen.revoked


def test_an_end_is_only_moved_to_later_and_never_to_the_past(staffed: Crm, admin: Actor, clock: FrozenClock) -> None:
    number = make(staffed, admin, expiry_date="2027-01-10").api_key_id
    for given in ("2027-01-10", "2027-01-09", "2026-11-20"):
        with pytest.raises(InvalidInput) as refused, staffed.as_actor(admin) as work:
            work.identity.extend_api_key(number, parse(ExtensionInput, {"expiry_date": given}))
        assert list(refused.value.fields) == ["expiry_date"]
    clock.advance(timedelta(days=90))
    with staffed.as_actor(admin) as work:
        same = parse(ApiKeyChange, {"name": "Old one", "expiry_date": "2027-01-10"})
        assert work.identity.update_api_key(number, same).status == "expired"
        assert work.identity.extend_api_key(number, ExtensionInput()).expiry_date is None


@pytest.mark.req("PLT-264", "PLT-247")
def test_a_key_made_anew_takes_the_place_of_the_old_one_at_once(staffed: Crm, admin: Actor, clock: FrozenClock) -> None:
    old = make(staffed, admin, description="For the books", expiry_date="2026-12-01")
    clock.advance(timedelta(days=5))
    other = Actor(ActorKind.STAFF, "grace", permissions=frozenset({"admin"}), source_address="192.0.2.9")
    with staffed.as_actor(other) as work:
        new = work.identity.regenerate_api_key(old.api_key_id)
        seen = work.identity.api_key(new.api_key_id)
    assert (seen.name, seen.description, seen.permissions) == ("Billing", "For the books", tuple(READS))
    assert (seen.created_by, seen.created) == ("grace", clock.now())
    assert old.expiry_date is not None
    assert new.expiry_date == old.expiry_date + timedelta(days=5)
    assert holder(staffed, new.api_key).may("view_customer")
    with pytest.raises(KeyRefused, match="was revoked"):
        holder(staffed, old.api_key)
    assert names(staffed, admin, ListQuery()) == ["Billing"]
    assert entries(staffed, admin) == [
        ("API key created", "admin", ""),
        ("API key revoked: another took its place", "grace", "192.0.2.9"),
        ("API key made anew", "grace", "192.0.2.9"),
    ]


@pytest.mark.req("PLT-251", "PLT-279")
def test_a_protected_key_is_neither_revoked_nor_replaced(staffed: Crm, admin: Actor) -> None:
    made = make(staffed, admin, protected=True)
    for use in (
        lambda work: work.identity.revoke_api_key(made.api_key_id),
        lambda work: work.identity.regenerate_api_key(made.api_key_id),
    ):
        with pytest.raises(Conflict, match="protected"), staffed.as_actor(admin) as work:
            use(work)
    assert holder(staffed, made.api_key).may("view_customer")
    with staffed.as_actor(admin) as work:
        work.identity.update_api_key(made.api_key_id, ApiKeyChange(protected=False))
        work.identity.revoke_api_key(made.api_key_id)


@pytest.mark.req("PLT-263", "PLT-247", "PLT-225")
def test_a_change_keeps_key_creator_and_creation(staffed: Crm, admin: Actor, clock: FrozenClock) -> None:
    made = make(staffed, admin)
    clock.advance(timedelta(hours=1))
    grace = Actor(ActorKind.STAFF, "grace", permissions=frozenset({"admin"}), source_address="192.0.2.9")
    change = {"name": "Billing sync", "description": "Nightly", "permissions": ["view_customer"], "expiry_date": None}
    with staffed.as_actor(grace) as work:
        seen = work.identity.update_api_key(made.api_key_id, parse(ApiKeyChange, {"version": 1, **change}))
        log = work.activity.window(ListQuery(sort="activity_id", descending=True), FIRST, 1).rows[0]
    assert (seen.name, seen.permissions, seen.expiry_date) == ("Billing sync", ("view_customer",), None)
    assert (seen.created_by, seen.created) == ("admin", made.created)
    assert holder(staffed, made.api_key).permissions == {"view_customer"}
    assert (log.action, log.source_address) == ("API key changed", "192.0.2.9")
    assert log.details["expiry_date"] == {"old": "2027-11-20T23:59:59Z", "new": None}
    with pytest.raises(Conflict), staffed.as_actor(grace) as work:
        work.identity.update_api_key(made.api_key_id, ApiKeyChange(version=1, name="Late"))
    with pytest.raises(InvalidInput), staffed.as_actor(grace) as work:
        work.identity.update_api_key(made.api_key_id, parse(ApiKeyChange, {"permissions": None}))


# Lists


@pytest.mark.req("PLT-255", "PLT-257", "PLT-606")
def test_the_figures_and_the_filter_agree(any_crm: Crm, admin: Actor, add_user: AddUser, clock: FrozenClock) -> None:
    add_user(any_crm, "root", "System Admin")
    for name, end in (("a", None), ("b", "2027-10-01"), ("c", "2026-12-30"), ("d", "2026-12-01"), ("e", "2026-12-02")):
        make(any_crm, admin, name, expiry_date=end)
    with any_crm.as_actor(admin) as work:
        work.identity.revoke_api_key(5)
    clock.advance(timedelta(days=13))
    with any_crm.reading(admin) as work:
        found = work.identity.api_key_figures()
    assert (found.total, found.active, found.expiring_soon, found.expired, found.revoked) == (5, 3, 1, 1, 1)

    def shown(*states: str) -> list[str]:
        return names(any_crm, admin, ListQuery(sort="name", filters={"status": list(states)}))

    assert shown() == ["a", "b", "c", "d"]
    assert shown("active") == ["a", "b", "c"]
    assert shown("expiring_soon") == ["c"]
    assert shown("expired") == ["d"]
    assert shown("revoked") == ["e"]
    assert shown("expired", "revoked") == ["d", "e"]
    with pytest.raises(InvalidInput, match="There is no state"):
        shown("locked")


@pytest.mark.req("PLT-256")
def test_a_key_is_found_by_name_description_and_parts_of_it(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    add_user(any_crm, "root", "System Admin")
    key = make(any_crm, admin, "Zoë's Sync", description="Nightly for the books").api_key
    make(any_crm, admin, "Monitoring")
    middle = key[key_rules.START + 3 : key_rules.START + 15]
    for words in (
        *("zoe", "BOOKS", key, key[:11], key[:20], key[-3:], key[-9:], key[8:12]),
        *(f"{key[:12]}...{key[-4:]}", f"{key[:12]}…{key[-4:]}", f"…{key[-4:]}", key[-4:].swapcase()),
    ):
        assert names(any_crm, admin, ListQuery(search=words)) == ["Zoë's Sync"], words
    assert names(any_crm, admin, ListQuery(search=middle)) == []
    assert len(names(any_crm, admin, ListQuery(search="sk_live_"))) == 2
    assert names(any_crm, admin, ListQuery(search="sk%live")) == []


@pytest.mark.req("PLT-258")
@pytest.mark.parametrize(
    ("sort", "order"),
    [("name", "abc"), ("created", "cba"), ("expiry_date", "bac"), ("created_by", "bca")],
    ids=["name", "created", "expiry", "creator"],
)
def test_keys_are_sorted(staffed: Crm, clock: FrozenClock, sort: str, order: str) -> None:
    for name, end, maker in (("c", None, "ivy"), ("b", "2026-12-01", "ada"), ("a", "2027-02-01", "zoe")):
        make(staffed, Actor(ActorKind.STAFF, maker, permissions=frozenset({"admin"})), name, expiry_date=end)
        clock.advance(timedelta(minutes=1))
    for descending in (False, True):
        found = names(staffed, system_actor("test"), ListQuery(sort=sort, descending=descending))
        assert "".join(found) == (order[::-1] if descending else order)


@pytest.mark.req("PLT-274")
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, []),
        ({"expiry_date": None}, ["never expires"]),
        ({"expiry_date": "2027-12-01"}, ["more than a year"]),
        ({"permissions": ["admin"]}, ["may do everything"]),
        ({"permissions": []}, ["no permissions"]),
        ({"permissions": ["view_own_customer"]}, ["need a customer"]),
    ],
    ids=["none", "never", "long", "admin", "nothing", "own"],
)
def test_what_to_think_twice_about_is_said(
    staffed: Crm, admin: Actor, values: dict[str, object], words: list[str]
) -> None:
    made = make(staffed, admin, **values)
    assert len(made.warnings) == len(words)
    assert all(word in sentence for word, sentence in zip(words, made.warnings, strict=True))


@pytest.mark.req("PLT-280", "PLT-281", "PLT-282", "PLT-283", "PLT-555", "PLT-556", "PLT-259")
def test_each_preset_can_be_made_and_holds_what_the_guide_says(staffed: Crm, admin: Actor) -> None:
    assert [(preset.name, preset.days) for preset in key_rules.PRESETS] == [
        ("Ansible Provisioning Server", 365),
        ("Billing Sync QuickBooks", 90),
        ("Monitoring Grafana", None),
        ("Customer Portal Backend", 180),
    ]
    for preset in key_rules.PRESETS:
        made = make(staffed, admin, preset.name, permissions=list(preset.permissions))
        assert made.permissions == preset.permissions
    offered = [name for name, _label in key_rules.SHORT_LIST]
    assert set(offered) <= set(PERMISSIONS)
    portal = key_rules.PRESETS[3].permissions
    assert of_one_customer(portal) == set(portal)
    assert len(ROLE_DESIGNS) == 6
