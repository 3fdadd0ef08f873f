"""The activity log through the service, on all three databases: complete, ordered, and never changed."""

from __future__ import annotations

import pytest

from omnicrm_tui.activity.service import ActivityService
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import ContactInput, CustomerChange, CustomerInput
from omnicrm_tui.errors import NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.listing import FIRST, Anchor, Edge, ListQuery
from tests.fixtures.databases import NOON

NEWEST = ListQuery(descending=True)


@pytest.fixture
def customers(any_crm: Crm, admin: Actor) -> list[int]:
    """Two customers; the first was changed and has a contact, which makes four entries."""
    with any_crm.as_actor(admin) as work:
        made = [work.customers.create(CustomerInput(customer_name=name)).customer_id for name in ("Zoë", "Bob")]
        work.customers.update(made[0], CustomerChange(customer_status="Pending"))
        work.customers.add_contact(made[0], ContactInput(contact_firstname="Li"))
    return made


def actions(crm: Crm, actor: Actor, query: ListQuery = NEWEST, customer_id: int | None = None) -> list[str]:
    with crm.reading(actor) as work:
        rows = work.activity.window(query, FIRST, 50, customer_id).rows
        assert work.activity.count(query, customer_id=customer_id).value == len(rows)
        assert work.activity.page(query, 1, 50, customer_id).rows == rows
    return [row.action for row in rows]


@pytest.mark.req("SVC-147", "SVC-148")
def test_the_newest_comes_first_of_all_or_of_one_customer(any_crm: Crm, admin: Actor, customers: list[int]) -> None:
    of_the_first = ["Contact added", "Customer changed", "Customer created"]
    assert actions(any_crm, admin) == [*of_the_first[:2], "Customer created", "Customer created"]
    assert actions(any_crm, admin, customer_id=customers[0]) == of_the_first
    assert actions(any_crm, admin, customer_id=customers[1]) == ["Customer created"]


@pytest.mark.req("SVC-148", "PLT-391")
def test_a_tab_shows_one_kind_and_a_history_one_record(any_crm: Crm, admin: Actor, customers: list[int]) -> None:
    def filtered(**filters: str) -> list[str]:
        return actions(any_crm, admin, ListQuery(filters={name: (value,) for name, value in filters.items()}))

    assert filtered(object_type="contact") == ["Contact added"]
    assert filtered(object_type="customer", object_id=str(customers[1])) == ["Customer created"]
    assert filtered(object_type="customer", object_id="x") == []
    assert actions(any_crm, admin, ListQuery(search="changed")) == ["Customer changed"]


@pytest.mark.req("SVC-150", "SVC-151")
def test_an_entry_says_who_changed_what_from_where_and_for_whom(any_crm: Crm, admin: Actor) -> None:
    with any_crm.as_actor(admin) as work:
        number = work.customers.create(CustomerInput(customer_name="Zoë")).customer_id
    eve = Actor(ActorKind.STAFF, "eve", permissions=frozenset({"admin"}), source_address="192.0.2.7")
    with any_crm.as_actor(eve) as work:
        work.customers.update(number, CustomerChange(customer_status="Pending", customer_phone="+1"))
    with any_crm.reading(admin) as work:
        newest = work.activity.window(NEWEST, FIRST, 1).rows[0]
        entry = work.activity.get(newest.activity_id)
        with pytest.raises(NotFound):
            work.activity.get(newest.activity_id + 1)
    assert entry == newest
    assert (entry.actor_name, entry.source_address, entry.timestamp) == ("eve", "192.0.2.7", NOON)
    assert (entry.object_type, entry.object_id, entry.customer_id) == ("customer", number, number)
    assert entry.details == {
        "customer_status": {"old": "Open", "new": "Pending"},
        "customer_phone": {"old": None, "new": "+1"},
    }


@pytest.mark.req("SVC-147")
def test_what_is_rolled_back_is_not_in_the_log(any_crm: Crm, admin: Actor) -> None:
    with pytest.raises(ZeroDivisionError), any_crm.as_actor(admin) as work:
        work.customers.create(CustomerInput(customer_name="Zoë"))
        work.session.flush()
        raise ZeroDivisionError
    assert actions(any_crm, admin) == []


@pytest.mark.req("SVC-148", "BIL-378")
def test_who_may_not_see_the_log_is_told_and_a_customer_sees_its_own(
    any_crm: Crm, admin: Actor, customers: list[int]
) -> None:
    clerk = Actor(ActorKind.STAFF, "clerk", permissions=frozenset({"view_customer"}))
    with any_crm.reading(clerk) as work, pytest.raises(NotPermitted, match="view_customer_activity"):
        work.activity.window(NEWEST, FIRST, 5)
    rights = frozenset({"view_own_customer_activity"})
    own = Actor(ActorKind.CUSTOMER, "bob", permissions=rights, own_customer_id=customers[1])
    assert actions(any_crm, own) == ["Customer created"]
    with any_crm.reading(admin) as work:
        others = work.activity.window(NEWEST, FIRST, 1).rows[0].activity_id
    with any_crm.reading(own) as work, pytest.raises(NotFound):
        work.activity.get(others)


def test_pages_of_the_terminal_meet_without_a_gap(any_crm: Crm, admin: Actor, customers: list[int]) -> None:
    with any_crm.reading(admin) as work:
        whole = [row.activity_id for row in work.activity.window(NEWEST, FIRST, 10).rows]
        first = work.activity.window(NEWEST, FIRST, 3)
        rest = work.activity.window(NEWEST, Anchor(Edge.AFTER, first.keys[-1]), 3)
    assert len(whole) == 4
    assert [row.activity_id for row in (*first.rows, *rest.rows)] == whole


@pytest.mark.req("SVC-149")
def test_there_is_no_way_to_change_or_delete_an_entry() -> None:
    methods = {name for name in vars(ActivityService) if not name.startswith("_")}
    assert methods == {"record", "window", "count", "page", "get", "chain_bulk", "verify_chain"}
