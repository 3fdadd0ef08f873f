"""The fixtures' promise: whatever ran before, a test finds an empty database and numbers that start at 1."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import ContactInput, CustomerInput
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.identity.actor import Actor


@pytest.mark.parametrize("turn", [1, 2])
def test_no_test_sees_what_another_left(any_crm: Crm, admin: Actor, turn: int) -> None:
    with any_crm.engine.connect() as connection:
        left = {table.name for table in metadata.sorted_tables if connection.execute(select(table)).first()}
    assert left == set()
    with any_crm.as_actor(admin) as work:
        customer = work.customers.create(CustomerInput(customer_name=f"Turn {turn}"))
        contact = work.customers.add_contact(customer.customer_id, ContactInput(contact_firstname="Zoë"))
    assert (customer.customer_id, contact.contact_id) == (1, 1)
