"""Who may order what, for which service: asked before a job is made, and again before it is repeated."""

from __future__ import annotations

from gettext import gettext as _
from typing import Any

from omnicrm_tui.catalog import rules as catalog_rules
from omnicrm_tui.catalog.schemas import ProductView
from omnicrm_tui.customer_services import rules as service_rules
from omnicrm_tui.customer_services.schemas import ServiceView
from omnicrm_tui.customers import rules as customer_rules
from omnicrm_tui.customers.schemas import CustomerView
from omnicrm_tui.errors import InvalidInput, NotFound, NotPermitted
from omnicrm_tui.provisioning.schemas import OrderDetails, ProvisionRequest
from omnicrm_tui.schemas import parse
from omnicrm_tui.work import Work


def receiver(work: Work, service_id: int | None, customer_id: int) -> ServiceView | None:
    """Return the service that an order is for; raises NotFound for one of another customer."""
    service = work.customer_services.get(service_id) if service_id is not None else None
    if service is not None and service.customer_id != customer_id:
        raise NotFound(_("There is no service {service_id}.").format(service_id=service_id))
    return service


def check_order(
    work: Work, product: ProductView, customer_id: int, service: ServiceView | None, request: ProvisionRequest
) -> None:
    """Raise InvalidInput or NotPermitted unless the actor may order the product for that customer and service."""
    by_customer = work.actor.is_outside
    if by_customer and request.provisioning_play not in (None, product.provisioning_play):
        raise NotPermitted(_("Another play than the product's can only be run by staff."))
    customer = _buyer(work, customer_id)
    problem = catalog_rules.order_problem(
        product, customer.customer_account_type, work.clock.now(), by_customer=by_customer
    )
    if problem is None and not work.catalog.fits(product, customer_id):
        problem = _("{product_name} needs a service that this customer does not have.").format(
            product_name=product.product_name
        )
    if problem:
        raise InvalidInput(problem, {"product_id": problem})
    _check_addon(product, service)


def with_details(work: Work, variables: dict[str, Any], customer_id: int) -> dict[str, Any]:
    """Return a request's variables with the details among them brought into form; blank ones are left out.

    Raises InvalidInput for one that is none, or names a site or contact that is not the customer's.
    """
    given = {name: variables[name] for name in OrderDetails.model_fields if name in variables}
    if not given:
        return variables
    details = parse(OrderDetails, given)
    customer = work.customers.get(customer_id)
    sites, contacts = {site.site_id for site in customer.sites}, {one.contact_id for one in customer.contacts}
    wrong = {}
    if details.site_id not in {None, *sites}:
        wrong["site_id"] = _("is no site of this customer")
    for name in ("billing_contact_id", "technical_contact_id"):
        if getattr(details, name) not in {None, *contacts}:
            wrong[name] = _("is no contact of this customer")
    if wrong:
        raise InvalidInput(_("Some fields are not right."), wrong)
    others = {name: value for name, value in variables.items() if name not in given}
    return {**others, **details.model_dump(mode="json", exclude_none=True)}


def check_again(work: Work, product_id: int, customer_id: int, service_id: int | None) -> None:
    """Raise InvalidInput where the customer may not order any more or the service is over.

    That the product is on sale and fits was asked when it was ordered first.
    """
    _buyer(work, customer_id)
    _check_addon(work.catalog.get(product_id), receiver(work, service_id, customer_id))


def _buyer(work: Work, customer_id: int) -> CustomerView:
    customer = work.customers.get(customer_id)
    if problem := customer_rules.sale_problem(customer, work.settings.crm.statuses_for_sale):
        raise InvalidInput(problem, {"customer_id": problem})
    return customer


def _check_addon(product: ProductView, service: ServiceView | None) -> None:
    """An add-on goes to a service of its type that is not over (CAT-367), and to nothing else."""
    if product.category != catalog_rules.ADDON:
        return
    if service is None:
        problem: str | None = _("{product_name} is added to a service: choose which one.").format(
            product_name=product.product_name
        )
    else:
        problem = service_rules.addon_problem(service, product.service_type)
    if problem:
        raise InvalidInput(problem, {"service_id": problem})
