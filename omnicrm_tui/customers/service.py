"""Customers, contacts and sites: what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from gettext import gettext as _

from sqlalchemy import ColumnElement, or_, select

from omnicrm_tui.customers import rules
from omnicrm_tui.customers.models import Contact, Customer, Site
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
from omnicrm_tui.database.lists import ListSpec, contains, fold
from omnicrm_tui.database.views import apply_changes, check_version, view_of
from omnicrm_tui.errors import InvalidInput, NotFound, NotPermitted
from omnicrm_tui.languages import N_
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_nothing, needs
from omnicrm_tui.schemas import refuse_blanks
from omnicrm_tui.work import Service

_ENTITIES = (
    Customer.customer_id,
    Customer.customer_name,
    Customer.customer_account_type,
    Customer.customer_status,
    Customer.customer_payment_type,
    Customer.customer_phone,
    Customer.customer_email,
    Customer.created,
)


def _search(words: str) -> ColumnElement[bool]:
    conditions = [contains(Customer.search_text, fold(words))]
    if words.isdecimal() and len(words) <= 18:
        conditions.append(Customer.customer_id == int(words))
    return or_(*conditions)


CUSTOMER_LIST: ListSpec[CustomerRow] = ListSpec(
    entities=_ENTITIES,
    build=lambda row: CustomerRow(*row[: len(_ENTITIES)]),
    primary_key=Customer.customer_id,
    sorts={
        "customer_name": Customer.name_key,
        "customer_id": Customer.customer_id,
        "created": Customer.created,
    },
    search=_search,
    filters={
        "customer_status": Customer.customer_status.in_,
        "customer_account_type": Customer.customer_account_type.in_,
        "customer_payment_type": Customer.customer_payment_type.in_,
    },
)

_REQUIRED = (
    "customer_name",
    "customer_account_type",
    "customer_status",
    "customer_payment_type",
    "customer_enabled",
)
_NOT_ARCHIVED = Customer.archived_at.is_(None)


_CHANGED = {"contact": N_("Contact changed"), "site": N_("Site changed")}


class CustomersService(Service):
    """Look up, create and change customers and what hangs directly on them."""

    @needs("view_customer")
    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[CustomerRow]:
        """Return a window of the customer list (CAT-230..233). Needs view_customer."""
        return CUSTOMER_LIST.window(self.session, query, anchor, limit, _NOT_ARCHIVED)

    @needs("view_customer")
    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching customers, up to `cap`. Needs view_customer."""
        return CUSTOMER_LIST.count(self.session, query, cap, _NOT_ARCHIVED)

    @needs("view_customer")
    def page(self, query: ListQuery, page: int, per_page: int) -> Page[CustomerRow]:
        """Return a numbered page with the exact total (CAT-193). Needs view_customer."""
        return CUSTOMER_LIST.page(self.session, query, page, per_page, _NOT_ARCHIVED)

    @needs("view_customer")
    def get(self, customer_id: int) -> CustomerView:
        """Return a customer with contacts and sites (CAT-194). Needs view_customer; raises NotFound."""
        return self._view(self._customer(customer_id))

    @needs("create_customer")
    def create(self, data: CustomerInput) -> CustomerView:
        """Create a customer. Needs create_customer; raises InvalidInput for an unknown status.

        Whoever is confined to one customer makes no others, whichever permissions it was given (BIL-378).
        """
        if self.actor.own_customer_id is not None:
            raise NotPermitted(_("Customers are created by staff."))
        self._check_status(data.customer_status)
        values = data.model_dump()
        customer = Customer(**values, name_key=fold(data.customer_name), search_text="")
        self.session.add(customer)
        self.session.flush()
        self._refresh_search_text(customer)
        self.work.activity.record(
            "customer", customer.customer_id, "Customer created", customer_id=customer.customer_id, new=values
        )
        self.session.flush()
        return self._view(customer)

    @needs("update_customer")
    def update(self, customer_id: int, change: CustomerChange) -> CustomerView:
        """Change the given fields. Needs update_customer; raises NotFound, InvalidInput, Conflict."""
        customer = self._customer(customer_id)
        check_version(customer, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version"})
        refuse_blanks(given, _REQUIRED)
        if "customer_status" in given:
            self._check_status(given["customer_status"])
        old, new = apply_changes(customer, given)
        if new:
            customer.name_key = fold(customer.customer_name)
            self._refresh_search_text(customer)
            self.work.activity.record(
                "customer", customer_id, "Customer changed", customer_id=customer_id, old=old, new=new
            )
            self.session.flush()
        return self._view(customer)

    @needs("view_customer_contact")
    def contacts(self, customer_id: int) -> Sequence[ContactView]:
        """Return a customer's contacts, oldest first (CAT-242). Needs view_customer_contact; raises NotFound."""
        self._customer(customer_id)
        return self._contacts(customer_id)

    @needs("create_customer_contact")
    def add_contact(self, customer_id: int, data: ContactInput) -> ContactView:
        """Add a contact. Needs create_customer_contact; raises NotFound."""
        customer = self._customer(customer_id)
        contact = Contact(customer_id=customer_id, **data.model_dump())
        self.session.add(contact)
        self.session.flush()
        self._refresh_search_text(customer)
        self.work.activity.record(
            "contact", contact.contact_id, "Contact added", customer_id=customer_id, new=data.model_dump()
        )
        self.session.flush()
        return view_of(contact, ContactView)

    @needs("update_customer_contact")
    def update_contact(self, contact_id: int, change: ContactChange) -> ContactView:
        """Change the given fields. Needs update_customer_contact; raises NotFound, InvalidInput, Conflict."""
        contact = self.session.get(Contact, contact_id)
        if contact is None:
            raise NotFound(_("There is no contact {contact_id}.").format(contact_id=contact_id))
        if self._apply(contact, change, required=("contact_firstname",), kind="contact", identity=contact_id):
            self._refresh_search_text(self._customer(contact.customer_id))
            self.session.flush()
        return view_of(contact, ContactView)

    @needs("view_customer_site")
    def sites(self, customer_id: int) -> Sequence[SiteView]:
        """Return a customer's sites, oldest first (CAT-208). Needs view_customer_site; raises NotFound."""
        self._customer(customer_id)
        return self._sites(customer_id)

    @needs("create_customer_site")
    def add_site(self, customer_id: int, data: SiteInput) -> SiteView:
        """Add a site. Needs create_customer_site; raises NotFound, InvalidInput.

        Without a country it takes the configured one (CAT-038); the plus code follows from the coordinates
        (CAT-040).
        """
        self._customer(customer_id)
        values = data.model_dump()
        values["country"] = data.country or self.work.settings.crm.default_country
        if not values["country"]:
            raise InvalidInput(_("Some fields are not right."), {"country": _("is required")})
        values["plus_code"] = data.plus_code or rules.plus_code(data.latitude, data.longitude)
        site = Site(customer_id=customer_id, **values)
        self.session.add(site)
        self.session.flush()
        self.work.activity.record("site", site.site_id, "Site added", customer_id=customer_id, new=values)
        self.session.flush()
        return view_of(site, SiteView)

    @needs("update_customer_site")
    def update_site(self, site_id: int, change: SiteChange) -> SiteView:
        """Change the given fields. Needs update_customer_site; raises NotFound, InvalidInput, Conflict."""
        site = self.session.get(Site, site_id)
        if site is None:
            raise NotFound(_("There is no site {site_id}.").format(site_id=site_id))
        moved = _with_plus_code(change, site)
        self._apply(site, moved, required=("site_name", "country"), kind="site", identity=site_id)
        return view_of(site, SiteView)

    def _apply(
        self,
        row: Contact | Site,
        change: ContactChange | SiteChange,
        *,
        required: Sequence[str],
        kind: str,
        identity: int,
    ) -> bool:
        """Change what differs and record it; tell whether anything did. Raises InvalidInput, Conflict."""
        check_version(row, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version"})
        refuse_blanks(given, required)
        # Columns that are never empty in the database mean "nothing" by an empty text.
        columns = type(row).__table__.columns
        given = {name: "" if value is None and not columns[name].nullable else value for name, value in given.items()}
        old, new = apply_changes(row, given)
        if new:
            self.work.activity.record(kind, identity, _CHANGED[kind], customer_id=row.customer_id, old=old, new=new)
            self.session.flush()
        return bool(new)

    @asks_nothing(Asked.ROOMS)
    def names_of(self, customer_ids: Set[int]) -> dict[int, str]:
        """Return names by customer id, for the read models of other rooms; unknown ids are left out."""
        if not customer_ids:
            return {}
        found = self.session.execute(
            select(Customer.customer_id, Customer.customer_name).where(Customer.customer_id.in_(customer_ids))
        )
        return {row.customer_id: row.customer_name for row in found}

    @asks_nothing(Asked.ROOMS)
    def addresses_of(self, customer_id: int) -> list[str]:
        """Return the e-mail addresses of a customer's contacts, each once, oldest first, for the outbox."""
        addresses = (contact.contact_email for contact in self._contacts(customer_id))
        return list(dict.fromkeys(address for address in addresses if address))

    @asks_nothing(Asked.ROOMS)
    def currency_of(self, customer_id: int) -> str:
        """Return the currency that a customer is billed in: its own, else the operator's; raises NotFound."""
        return self._customer(customer_id).currency or self.work.settings.crm.currency

    @asks_nothing(Asked.ROOMS)
    def customer_of_contact(self, contact_id: int) -> int | None:
        """Return whose contact it is: what confines a customer's user to its own customer (BIL-378)."""
        return self.session.scalar(select(Contact.customer_id).where(Contact.contact_id == contact_id))

    def _view(self, customer: Customer) -> CustomerView:
        return view_of(
            customer,
            CustomerView,
            contacts=tuple(self._contacts(customer.customer_id)),
            sites=tuple(self._sites(customer.customer_id)),
        )

    def _customer(self, customer_id: int) -> Customer:
        customer = self.session.get(Customer, customer_id)
        if customer is None:
            raise NotFound(_("There is no customer {customer_id}.").format(customer_id=customer_id))
        return customer

    def _contacts(self, customer_id: int) -> list[ContactView]:
        found = self.session.scalars(
            select(Contact).where(Contact.customer_id == customer_id).order_by(Contact.contact_id)
        )
        return [view_of(contact, ContactView) for contact in found]

    def _sites(self, customer_id: int) -> list[SiteView]:
        found = self.session.scalars(select(Site).where(Site.customer_id == customer_id).order_by(Site.site_id))
        return [view_of(site, SiteView) for site in found]

    def _check_status(self, status: str) -> None:
        allowed = self.work.settings.crm.customer_statuses
        if status not in allowed:
            raise InvalidInput(
                _("Some fields are not right."),
                {"customer_status": _("one of {allowed}").format(allowed=", ".join(allowed))},
            )

    def _refresh_search_text(self, customer: Customer) -> None:
        contacts = self.session.scalars(select(Contact).where(Contact.customer_id == customer.customer_id)).all()
        parts = [customer.customer_name, customer.customer_phone, customer.customer_email, customer.tax_identifier]
        for contact in contacts:
            parts += [f"{contact.contact_firstname} {contact.contact_lastname}"]
            parts += [contact.contact_email, contact.contact_phone]
        customer.search_text = fold("\n".join(part for part in parts if part))


def _with_plus_code(change: SiteChange, site: Site) -> SiteChange:
    """Let the plus code follow the coordinates, unless the change gives one itself (CAT-040)."""
    given = change.model_fields_set
    if "plus_code" in given or not {"latitude", "longitude"} & given:
        return change
    latitude = change.latitude if "latitude" in given else site.latitude
    longitude = change.longitude if "longitude" in given else site.longitude
    return change.model_copy(update={"plus_code": rules.plus_code(latitude, longitude)})
