"""Customers and what hangs on them, for the tests of screens: the same every time."""

from __future__ import annotations

from decimal import Decimal

from omnicrm_tui.billing.schemas import TransactionInput
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import ServiceInput
from omnicrm_tui.customers.schemas import ContactInput, CustomerInput, SiteInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput

PASSWORD = "Right-Horse9"
NAMES = (
    "Ada Lovelace",
    "[bold]Bold & Sons[/bold]",
    "Chen 陳大文",
    "مريم العلي",
    "Zoë\x1b[31m Red",
    "Åse Ünlü",
)


def add_people(crm: Crm, admin: Actor) -> None:
    """Add six customers with awkward names; the first has a contact, a site, a service and transactions."""
    with crm.as_actor(admin) as work:
        for at, name in enumerate(NAMES, 1):
            kind = "Business" if at == 2 else "Individual"
            work.customers.create(
                CustomerInput(
                    customer_name=name,
                    customer_account_type=kind,
                    customer_phone=f"+4470000000{at}",
                    customer_email=f"person{at}@mail.example",
                    customer_status="Suspended" if at == 3 else "Open",
                    customer_notes="Calls in the morning." if at == 1 else None,
                )
            )
        contact = ContactInput(contact_firstname="Ada", contact_lastname="Lovelace", contact_types="Billing")
        work.customers.add_contact(1, contact)
        work.customers.add_site(1, SiteInput(site_name="Home", address_line_1="1 Mill Lane", city="York", country="UK"))
        service = ServiceInput(
            customer_id=1, service_name="Mobile 20GB", service_type="mobile", service_uuid="Mobile_SIM_1"
        )
        work.customer_services.create(service)
        charge = TransactionInput(customer_id=1, title="Setup", retail_cost=Decimal("50"))
        work.billing.add(charge)
        credit = {"transaction_type": "Credit", "credit_type": "Goodwill"}
        work.billing.add(TransactionInput(customer_id=1, title="Outage", retail_cost=Decimal("10"), **credit))


def add_user(crm: Crm, admin: Actor, **more: object) -> int:
    """Add the user `ada`, who may do everything, and return the id."""
    data = {
        "username": "ada",
        "email": "ada@mail.example",
        "first_name": "Ada",
        "last_name": "L",
        "role": "System Admin",
    }
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        return work.identity.create_user(UserInput(**(data | {"password": PASSWORD} | more))).id
