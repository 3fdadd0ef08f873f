"""Customers, contacts and sites over REST."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from pydantic import Field

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router, creates
from omnicrm_tui.api.serialize import Answer, Listed, page_answer
from omnicrm_tui.customers.schemas import (
    ContactChange,
    ContactInput,
    ContactView,
    CustomerChange,
    CustomerInput,
    CustomerRow,
    CustomerView,
    SiteChange,
    SiteInput,
    SiteView,
)
from omnicrm_tui.errors import NotFound
from omnicrm_tui.messaging.schemas import CustomerMail
from omnicrm_tui.schemas import MAX_ID
from omnicrm_tui.work import Work

router = Router(tags=["Customers"])

Owner = Annotated[int, Field(ge=1, le=MAX_ID)]


class NewContact(ContactInput):
    """A new contact, with the customer that it belongs to."""

    customer_id: Owner


class NewSite(SiteInput):
    """A new site, with the customer that it belongs to."""

    customer_id: Owner


def know_customer(work: Work, customer_id: int) -> None:
    """Raise NotFound unless the caller may know of this customer: its lists are then 404, not empty."""
    if not work.customers.names_of({customer_id}):
        raise NotFound(f"There is no customer {customer_id}.")


@dataclass(frozen=True, slots=True)
class Recipients:
    """To whom a mail goes."""

    recipients: list[str]


@router.get("/customer")
def list_customers(caller: CallerDep, listing: ListingDep) -> Answer[Listed[CustomerRow]]:
    """List customers (CAT-193). Needs view_customer."""
    with caller.reading() as work:
        return page_answer(work.customers.page(listing.query, listing.page, listing.per_page))


@creates(router, "/customer")
def create_customer(
    caller: CallerDep, data: Annotated[CustomerInput, Depends(JsonBody(CustomerInput))]
) -> Answer[CustomerView]:
    """Create a customer. Needs create_customer."""
    with caller.working() as work:
        created = work.customers.create(data)
    return Answer(created)


@creates(router, "/customer/{customer_id}/email")
def write_to_customer(
    caller: CallerDep, customer_id: Id, mail: Annotated[CustomerMail, Depends(JsonBody(CustomerMail))]
) -> Answer[Recipients]:
    """Send a mail to a customer's contacts through the outbox; `recipients` says to whom.

    Needs create_communication, except of a job that works for this customer.
    """
    with caller.working() as work:
        addresses = work.messaging.write_to_customer(customer_id, mail)
    return Answer(Recipients(addresses))


@router.get("/customer/{customer_id}")
def get_customer(caller: CallerDep, customer_id: Id) -> Answer[CustomerView]:
    """Return a customer with contacts and sites (CAT-194). Needs view_customer."""
    with caller.reading() as work:
        return Answer(work.customers.get(customer_id))


@router.patch("/customer/{customer_id}")
def change_customer(
    caller: CallerDep, customer_id: Id, change: Annotated[CustomerChange, Depends(JsonBody(CustomerChange))]
) -> Answer[CustomerView]:
    """Change the given fields; `version` guards against a lost update. Needs update_customer."""
    with caller.working() as work:
        changed = work.customers.update(customer_id, change)
    return Answer(changed)


@router.get("/contact/customer_id/{customer_id}")
def list_contacts(caller: CallerDep, customer_id: Id) -> Answer[Sequence[ContactView]]:
    """Return a customer's contacts, oldest first (CAT-242). Needs view_customer_contact."""
    with caller.reading() as work:
        return Answer(work.customers.contacts(customer_id))


@creates(router, "/contact")
def add_contact(caller: CallerDep, data: Annotated[NewContact, Depends(JsonBody(NewContact))]) -> Answer[ContactView]:
    """Add a contact to a customer. Needs create_customer_contact."""
    contact = ContactInput.model_validate(data.model_dump(exclude={"customer_id"}))
    with caller.working() as work:
        added = work.customers.add_contact(data.customer_id, contact)
    return Answer(added)


@router.patch("/contact/{contact_id}")
def change_contact(
    caller: CallerDep, contact_id: Id, change: Annotated[ContactChange, Depends(JsonBody(ContactChange))]
) -> Answer[ContactView]:
    """Change the given fields; `version` guards against a lost update. Needs update_customer_contact."""
    with caller.working() as work:
        changed = work.customers.update_contact(contact_id, change)
    return Answer(changed)


@router.get("/site/customer_id/{customer_id}")
def list_sites(caller: CallerDep, customer_id: Id) -> Answer[Sequence[SiteView]]:
    """Return a customer's sites as a plain array, oldest first (CAT-208). Needs view_customer_site."""
    with caller.reading() as work:
        return Answer(work.customers.sites(customer_id))


@creates(router, "/site")
def add_site(caller: CallerDep, data: Annotated[NewSite, Depends(JsonBody(NewSite))]) -> Answer[SiteView]:
    """Add a site to a customer. Needs create_customer_site."""
    site = SiteInput.model_validate(data.model_dump(exclude={"customer_id"}))
    with caller.working() as work:
        added = work.customers.add_site(data.customer_id, site)
    return Answer(added)


@router.patch("/site/{site_id}")
def change_site(
    caller: CallerDep, site_id: Id, change: Annotated[SiteChange, Depends(JsonBody(SiteChange))]
) -> Answer[SiteView]:
    """Change the given fields; `version` guards against a lost update. Needs update_customer_site."""
    with caller.working() as work:
        changed = work.customers.update_site(site_id, change)
    return Answer(changed)
