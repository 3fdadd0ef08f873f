"""The step of an order that asks for the place, the people and the buyer's own numbers (SVC-181, SVC-183)."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from omnicrm_tui.provisioning.schemas import OrderDetails
from screens.dialogs import FormDialog
from widgets.form import fields_of

if TYPE_CHECKING:
    from omnicrm_tui.catalog.schemas import ProductView
    from omnicrm_tui.customers.schemas import ContactView, CustomerView, SiteView
    from screens.formats import Formats

BUSINESS = "Business"
NONE = ("", "–")
LABELS = {
    "site_id": _("Installation site"),
    "billing_contact_id": _("Billing contact"),
    "technical_contact_id": _("Technical contact"),
    "purchase_order_number": _("Purchase order"),
    "account_number": _("Account number"),
    "cost_centre": _("Cost centre"),
    "installation_date": _("Installation date"),
}
FOR_ALL = ("site_id", "installation_date")
"""What an individual with several sites is asked for; businesses are asked for everything."""


class OrderForm(FormDialog[OrderDetails]):
    """Asks for the details of an order; leaving it is the step back."""

    DEFAULT_CSS = """
    OrderForm #box { width: 76; }
    """

    keys = _("ctrl+s continue   tab next   esc back")


def asks(product: ProductView, customer: CustomerView) -> bool:
    """Tell whether the order has this step: a plan for a business, or for somebody with several sites."""
    plan = product.category != "addon"
    return plan and (customer.customer_account_type == BUSINESS or len(customer.sites) > 1)


def order_form(customer: CustomerView, before: OrderDetails | None) -> OrderForm:
    """Return the form, with what was entered before, else with what the customer's contacts are for."""
    names = tuple(LABELS) if customer.customer_account_type == BUSINESS else FOR_ALL
    people = [NONE, *((str(one.contact_id), _person(one)) for one in customer.contacts)]
    fields = fields_of(
        OrderDetails,
        names,
        labels=LABELS,
        hints={
            "purchase_order_number": _("the customer's own, such as PO-2025-001234"),
            "installation_date": _("if somebody has to come: a day such as 2026-12-01"),
        },
        choices={
            "site_id": [NONE, *((str(site.site_id), _place(site)) for site in customer.sites)],
            "billing_contact_id": people,
            "technical_contact_id": people,
        },
    )
    values = before.model_dump(exclude_none=True) if before is not None else _usual(customer)

    async def taken(details: OrderDetails) -> OrderDetails:
        return details

    heading = _("Details of the order for {name}").format(name=customer.customer_name)
    return OrderForm(heading, OrderDetails, fields, taken, values=values)


def told(details: OrderDetails | None, customer: CustomerView, formats: Formats) -> Sequence[tuple[str, str]]:
    """Return what was entered, as label and text, for the review."""
    if details is None:
        return ()
    names: dict[str, dict[int, str]] = {
        "site_id": {site.site_id: _place(site) for site in customer.sites},
        "billing_contact_id": {one.contact_id: _person(one) for one in customer.contacts},
        "technical_contact_id": {one.contact_id: _person(one) for one in customer.contacts},
        "installation_date": {},
    }
    given = details.model_dump(exclude_none=True)
    shown = {name: names.get(name, {}).get(value, str(value)) for name, value in given.items()}
    if details.installation_date is not None:
        shown["installation_date"] = formats.day(details.installation_date)
    return [(LABELS[name], text) for name, text in shown.items()]


def _usual(customer: CustomerView) -> dict[str, Any]:
    """Return the only site, and the first contacts whose types say that they are for billing or technical questions."""
    values: dict[str, Any] = {"site_id": customer.sites[0].site_id} if len(customer.sites) == 1 else {}
    for kind in ("billing", "technical"):
        found = next((one for one in customer.contacts if kind in one.contact_types.lower()), None)
        if found is not None:
            values[f"{kind}_contact_id"] = found.contact_id
    return values


def _place(site: SiteView) -> str:
    return ", ".join(part for part in (site.site_name, site.address_line_1, site.city) if part)


def _person(contact: ContactView) -> str:
    name = f"{contact.contact_firstname} {contact.contact_lastname}".strip()
    return f"{name} ({contact.contact_types})" if contact.contact_types else name
