"""People to log in with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import ContactInput, CustomerInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput

PASSWORD = "Right-Horse9"
HERE = "192.0.2.7"

AddUser = Callable[..., int]


@pytest.fixture
def add_user(admin: Actor) -> AddUser:
    """Create a user by name in a Crm, with the catalogue in place; returns the id."""

    def add(crm: Crm, name: str = "ada", role: str = "Support", **more: object) -> int:
        data = {"username": name, "email": f"{name}@mail.example", "first_name": name, "last_name": "Test"}
        with crm.as_actor(admin) as work:
            work.identity.ensure_catalogue()
            view = work.identity.create_user(UserInput(**(data | {"password": PASSWORD, "role": role} | more)))
        return view.id

    return add


@pytest.fixture
def add_contact(admin: Actor) -> Callable[[Crm], tuple[int, int]]:
    """Create a customer with a contact; returns both ids."""

    def add(crm: Crm) -> tuple[int, int]:
        with crm.as_actor(admin) as work:
            customer_id = work.customers.create(CustomerInput(customer_name="Zoë")).customer_id
            contact = work.customers.add_contact(customer_id, ContactInput(contact_firstname="Zoë"))
        return customer_id, contact.contact_id

    return add


@pytest.fixture
def staffed(crm: Crm, add_user: AddUser) -> Crm:
    """A Crm with permissions, roles and an administrator."""
    add_user(crm, "root", "System Admin")
    return crm
