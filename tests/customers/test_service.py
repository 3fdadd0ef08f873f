"""Customers through the service, on all three databases."""

from __future__ import annotations

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import (
    ContactChange,
    ContactInput,
    CustomerChange,
    CustomerInput,
    SiteChange,
    SiteInput,
)
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.listing import FIRST, LAST, Anchor, Edge, ListQuery

NAMES = ["Ünal Çelik", "abc company", "Zoë", "李小龙", "محمد علي", "Ada [bold]Lovelace[/]", "O'Brien 100%_", "zoe"]


def fill(crm: Crm, admin: Actor, names: list[str] = NAMES) -> list[int]:
    with crm.as_actor(admin) as work:
        return [work.customers.create(CustomerInput(customer_name=name)).customer_id for name in names]


@pytest.mark.req("PLT-071", "PLT-072", "PLT-073", "PLT-074", "PLT-075", "CAT-023")
def test_a_created_customer_is_there_with_contacts_and_sites(any_crm: Crm, admin: Actor) -> None:
    with any_crm.as_actor(admin) as work:
        customer_id = work.customers.create(
            CustomerInput(
                customer_name="ABC Company", customer_account_type="Business", customer_payment_type="postpaid"
            )
        ).customer_id
        work.customers.add_contact(
            customer_id, ContactInput(contact_firstname="Jane", contact_lastname="Doe", contact_types="Technical")
        )
        work.customers.add_site(customer_id, SiteInput(site_name="Head Office", country="Norway", latitude=59.9))
    with any_crm.reading(admin) as work:
        seen = work.customers.get(customer_id)
    assert (seen.customer_name, seen.customer_account_type, seen.customer_status) == ("ABC Company", "Business", "Open")
    assert [(c.contact_lastname, c.contact_types) for c in seen.contacts] == [("Doe", "Technical")]
    assert [(s.site_name, s.latitude) for s in seen.sites] == [("Head Office", 59.9)]


@pytest.mark.req("CAT-230", "CAT-233")
def test_windows_walk_the_whole_list_both_ways_in_folded_order(any_crm: Crm, admin: Actor) -> None:
    fill(any_crm, admin)
    query = ListQuery(sort="customer_name")
    with any_crm.reading(admin) as work:
        forwards, anchor = [], FIRST
        while True:
            window = work.customers.window(query, anchor, 3)
            forwards += [row.customer_name for row in window.rows]
            if not window.more_after:
                break
            anchor = Anchor(Edge.AFTER, window.keys[-1])
        backwards, anchor = [], LAST
        while True:
            window = work.customers.window(query, anchor, 3)
            backwards = [row.customer_name for row in window.rows] + backwards
            if not window.more_before:
                break
            anchor = Anchor(Edge.BEFORE, window.keys[0])
        page = work.customers.page(query, 2, 3)
    assert forwards == backwards
    assert sorted(forwards) == sorted(NAMES)
    assert forwards[:3] == ["abc company", "Ada [bold]Lovelace[/]", "O'Brien 100%_"]
    assert (page.total, [row.customer_name for row in page.rows]) == (8, forwards[3:6])


@pytest.mark.req("CAT-231", "SVC-164")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("UNAL", {"Ünal Çelik"}),
        ("zoe", {"Zoë", "zoe"}),
        ("100%_", {"O'Brien 100%_"}),
        ("小龙", {"李小龙"}),
        ("%", {"O'Brien 100%_"}),
        ("nobody", set()),
    ],
)
def test_search_is_literal_and_ignores_case_and_accents(
    any_crm: Crm, admin: Actor, words: str, found: set[str]
) -> None:
    fill(any_crm, admin)
    with any_crm.reading(admin) as work:
        window = work.customers.window(ListQuery(search=words), FIRST, 50)
        assert {row.customer_name for row in window.rows} == found
        assert work.customers.count(ListQuery(search=words)).value == len(found)


@pytest.mark.req("CAT-231", "SVC-164")
def test_a_customer_is_found_by_id_email_and_phone(any_crm: Crm, admin: Actor) -> None:
    ids = fill(any_crm, admin)
    with any_crm.as_actor(admin) as work:
        work.customers.add_contact(
            ids[2], ContactInput(contact_firstname="Zoë", contact_email="Zoe@Mail.example", contact_phone="+4790011223")
        )
    with any_crm.reading(admin) as work:
        for words in (str(ids[2]), "zoe@mail", "90011"):
            rows = work.customers.window(ListQuery(search=words), FIRST, 50).rows
            assert ids[2] in [row.customer_id for row in rows]


@pytest.mark.req("BIL-378")
def test_a_customers_user_sees_no_other_customer(any_crm: Crm, admin: Actor) -> None:
    ids = fill(any_crm, admin)
    own = Actor(
        ActorKind.CUSTOMER,
        "zoe",
        permissions=frozenset({"view_own_customer", "view_own_customer_contact"}),
        own_customer_id=ids[2],
    )
    with any_crm.reading(own) as work:
        assert [row.customer_id for row in work.customers.window(ListQuery(), FIRST, 50).rows] == [ids[2]]
        assert work.customers.count(ListQuery()).value == 1
        assert work.customers.get(ids[2]).customer_name == "Zoë"
        with pytest.raises(NotFound):
            work.customers.get(ids[0])
        with pytest.raises(NotFound):
            work.customers.contacts(ids[0])
        with pytest.raises(NotPermitted):
            work.customers.sites(ids[2])


@pytest.mark.req("SVC-147", "SVC-151")
def test_a_change_is_logged_with_old_and_new_values_in_the_same_transaction(any_crm: Crm, admin: Actor) -> None:
    customer_id = fill(any_crm, admin, ["Zoë"])[0]
    with any_crm.as_actor(admin) as work:
        work.customers.update(customer_id, CustomerChange(customer_status="Suspended"))
    with pytest.raises(NotFound), any_crm.as_actor(admin) as work:
        work.customers.update(customer_id, CustomerChange(customer_status="Closed"))
        work.customers.get(customer_id + 1)
    with any_crm.reading(admin) as work:
        entries = work.activity.window(ListQuery(descending=True), FIRST, 10, customer_id).rows
        assert work.customers.get(customer_id).customer_status == "Suspended"
    assert [entry.action for entry in entries] == ["Customer changed", "Customer created"]
    assert entries[0].details == {"customer_status": {"old": "Open", "new": "Suspended"}}
    assert entries[0].actor_name == "admin"


def test_a_stale_version_is_refused_and_nothing_is_lost(any_crm: Crm, admin: Actor) -> None:
    customer_id = fill(any_crm, admin, ["Zoë"])[0]
    with any_crm.reading(admin) as work:
        version = work.customers.get(customer_id).version
    with any_crm.as_actor(admin) as work:
        work.customers.update(customer_id, CustomerChange(version=version, customer_notes="first"))
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.customers.update(customer_id, CustomerChange(version=version, customer_notes="second"))
    with any_crm.reading(admin) as work:
        assert work.customers.get(customer_id).customer_notes == "first"


@pytest.mark.req("CAT-237", "CAT-440")
def test_an_unknown_status_or_sort_or_filter_names_what_is_allowed(crm: Crm, admin: Actor) -> None:
    customer_id = fill(crm, admin, ["Zoë"])[0]
    with pytest.raises(InvalidInput) as refused, crm.as_actor(admin) as work:
        work.customers.update(customer_id, CustomerChange(customer_status="Gone"))
    assert "Open" in refused.value.fields["customer_status"]
    with crm.reading(admin) as work, pytest.raises(InvalidInput):
        work.customers.window(ListQuery(sort="password"), FIRST, 10)
    with crm.reading(admin) as work, pytest.raises(InvalidInput):
        work.customers.window(ListQuery(filters={"password": ["x"]}), FIRST, 10)


@pytest.mark.parametrize("name", ["customer_name", "customer_status", "customer_enabled"])
def test_a_change_to_nothing_is_told_beside_its_field(crm: Crm, admin: Actor, name: str) -> None:
    customer_id = fill(crm, admin, ["Ada"])[0]
    with pytest.raises(InvalidInput) as refused, crm.as_actor(admin) as work:
        work.customers.update(customer_id, CustomerChange(**{name: None}))
    assert refused.value.fields == {name: "is required"}


@pytest.mark.req("BIL-378")
def test_a_customers_user_makes_no_customers_whatever_it_may(crm: Crm, admin: Actor) -> None:
    own = Actor(ActorKind.CUSTOMER, "ada", 5, frozenset({"create_customer"}), fill(crm, admin, ["Ada"])[0])
    with pytest.raises(NotPermitted), crm.as_actor(own) as work:
        work.customers.create(CustomerInput(customer_name="Bob"))


def test_a_changed_contact_is_found_by_its_new_name_and_the_change_is_logged(any_crm: Crm, admin: Actor) -> None:
    customer_id = fill(any_crm, admin, ["Zoë"])[0]
    with any_crm.as_actor(admin) as work:
        contact = work.customers.add_contact(
            customer_id, ContactInput(contact_firstname="Ada", contact_types="Billing")
        )
    change = ContactChange(contact_lastname="King", contact_types=None, version=contact.version)
    with any_crm.as_actor(admin) as work:
        changed = work.customers.update_contact(contact.contact_id, change)
    assert (changed.contact_firstname, changed.contact_lastname, changed.contact_types) == ("Ada", "King", "")
    with any_crm.reading(admin) as work:
        found = work.customers.window(ListQuery(search="ada king"), FIRST, 5).rows
        entry = work.activity.window(ListQuery(), LAST, 1, customer_id=customer_id).rows[0]
    assert [row.customer_id for row in found] == [customer_id]
    assert (entry.object_type, entry.action) == ("contact", "Contact changed")
    assert entry.details["contact_lastname"] == {"old": "", "new": "King"}
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.customers.update_contact(contact.contact_id, change)


def test_a_changed_site_keeps_what_was_not_given(any_crm: Crm, admin: Actor) -> None:
    customer_id = fill(any_crm, admin, ["Zoë"])[0]
    with any_crm.as_actor(admin) as work:
        site = work.customers.add_site(customer_id, SiteInput(site_name="Home", city="York", country="UK"))
        changed = work.customers.update_site(site.site_id, SiteChange(latitude=53.96, longitude=-1.08))
        assert (changed.site_name, changed.city, changed.latitude) == ("Home", "York", 53.96)
        assert changed.version > site.version
    with pytest.raises(InvalidInput), any_crm.as_actor(admin) as work:
        work.customers.update_site(site.site_id, SiteChange(country=""))


def test_contacts_and_sites_are_changed_by_who_may_and_only_ones_own(crm: Crm, admin: Actor) -> None:
    mine, other = fill(crm, admin, ["Ada", "Bob"])
    with crm.as_actor(admin) as work:
        contact = work.customers.add_contact(other, ContactInput(contact_firstname="Bob"))
        site = work.customers.add_site(other, SiteInput(site_name="Home", country="UK"))
    reader = Actor(ActorKind.STAFF, "reader", permissions=frozenset({"view_customer_contact", "view_customer_site"}))
    rights = frozenset({"update_customer_contact", "update_customer_site"})
    customer = Actor(ActorKind.CUSTOMER, "ada", permissions=rights, own_customer_id=mine)
    for actor, error in ((reader, NotPermitted), (customer, NotFound)):
        with pytest.raises(error), crm.as_actor(actor) as work:
            work.customers.update_contact(contact.contact_id, ContactChange(contact_lastname="X"))
        with pytest.raises(error), crm.as_actor(actor) as work:
            work.customers.update_site(site.site_id, SiteChange(city="X"))
