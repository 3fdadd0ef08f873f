"""A customer's actor sees its own rows, whatever the query."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import aliased

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.models import Contact, Customer
from omnicrm_tui.customers.schemas import ContactInput, CustomerInput
from omnicrm_tui.database.base import Base, CustomerOwned, Shared, StaffOnly
from omnicrm_tui.database.schema import ROOMS
from omnicrm_tui.errors import NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.models import User


@pytest.fixture
def two_customers(crm: Crm, admin: Actor) -> tuple[int, int]:
    with crm.as_actor(admin) as work:
        ids = [work.customers.create(CustomerInput(customer_name=name)).customer_id for name in ("Ada", "Bob")]
        for customer_id in ids:
            work.customers.add_contact(customer_id, ContactInput(contact_firstname="Kim"))
    return ids[0], ids[1]


def of(customer_id: int) -> Actor:
    return Actor(ActorKind.CUSTOMER, "user", permissions=frozenset({"view_own_customer"}), own_customer_id=customer_id)


@pytest.mark.req("BIL-378")
def test_every_table_says_who_owns_its_rows() -> None:
    kinds = (CustomerOwned, Shared, StaffOnly)
    classes = [mapper.class_ for mapper in Base.registry.mappers]
    assert len(classes) >= 14
    assert ROOMS
    for model in classes:
        assert sum(issubclass(model, kind) for kind in kinds) == 1, model


@pytest.mark.req("BIL-378")
def test_entities_columns_aliases_counts_and_gets_are_confined(crm: Crm, two_customers: tuple[int, int]) -> None:
    own, other = two_customers
    alias = aliased(Contact)
    with crm.reading(of(own)) as work:
        session = work.session
        assert [c.customer_id for c in session.scalars(select(Contact))] == [own]
        assert list(session.scalars(select(Contact.customer_id))) == [own]
        assert list(session.scalars(select(alias.customer_id))) == [own]
        assert session.scalar(select(func.count()).select_from(Contact)) == 1
        assert session.get(Customer, other) is None
        assert session.get(Customer, own) is not None
        inner = select(Contact.customer_id).where(Contact.customer_id == other)
        assert session.scalars(select(Customer.customer_id).where(Customer.customer_id.in_(inner))).all() == []


@pytest.mark.req("BIL-378")
def test_bulk_changes_touch_own_rows_only(crm: Crm, admin: Actor, two_customers: tuple[int, int]) -> None:
    own, _ = two_customers
    with crm.as_actor(of(own)) as work:
        work.session.execute(update(Contact).values(contact_lastname="X"))
    with crm.reading(admin) as work:
        seen = work.session.execute(select(Contact.customer_id, Contact.contact_lastname)).all()
    assert {(row.customer_id, row.contact_lastname) for row in seen} == {(own, "X"), (two_customers[1], "")}


@pytest.mark.req("BIL-378")
def test_what_cannot_be_confined_is_refused_and_staff_tables_are_empty(
    crm: Crm, two_customers: tuple[int, int]
) -> None:
    with crm.reading(of(two_customers[0])) as work:
        assert work.session.scalars(select(User)).all() == []
        for statement in (text("SELECT * FROM customer"), select(Customer.__table__)):
            with pytest.raises(NotPermitted):
                work.session.execute(statement)
