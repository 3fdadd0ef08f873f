"""Items and their templates over REST."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.customers import know_customer
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router, creates
from omnicrm_tui.api.serialize import Answer, Data, Listed, as_dict, page_answer
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.inventory.schemas import (
    ItemChange,
    ItemInput,
    ItemRow,
    ItemView,
    TemplateChange,
    TemplateInput,
    TemplateView,
)

router = Router(tags=["Inventory"])

_READ_ONLY = (
    "inventory_id",
    "inventory_template_id",
    "item",
    "labels",
    "iccid",
    "imsi",
    "msisdn",
    "customer_name",
    "reserved_by",
    "reserved_until",
    "created",
    "last_modified",
)
"""What a change may carry along unchanged, because the item was read with it."""


@router.get("/inventory/template")
def list_templates(caller: CallerDep) -> Answer[Data[dict[str, Any]]]:
    """List the kinds of items (PLT-354). Needs view_inventory_template."""
    with caller.reading() as work:
        return Answer(Data([_template(found) for found in work.inventory.templates()]))


@creates(router, "/inventory/template")
def create_template(
    caller: CallerDep, data: Annotated[TemplateInput, Depends(JsonBody(TemplateInput))]
) -> Answer[dict[str, Any]]:
    """Create a kind (PLT-355). Needs create_inventory_template; 409 when the name is taken."""
    with caller.working() as work:
        created = work.inventory.create_template(data)
    return Answer(_template(created))


@router.get("/inventory/template/item/{item}")
def get_template(caller: CallerDep, item: str) -> Answer[dict[str, Any]]:
    """Return the kind of that exact name. Needs view_inventory_template."""
    with caller.reading() as work:
        return Answer(_template(work.inventory.template(item)))


@router.patch("/inventory/template/{inventory_template_id}")
def change_template(
    caller: CallerDep,
    inventory_template_id: Id,
    change: Annotated[TemplateChange, Depends(JsonBody(TemplateChange))],
) -> Answer[dict[str, Any]]:
    """Change the given fields of a kind; `warnings` tell what that did to others. Needs update_inventory_template."""
    with caller.working() as work:
        changed = work.inventory.update_template(inventory_template_id, change)
    return Answer(_template(changed))


@router.get("/inventory")
def list_items(caller: CallerDep, listing: ListingDep) -> Answer[Listed[ItemRow]]:
    """List the items (PLT-388). Needs view_inventory."""
    with caller.reading() as work:
        return page_answer(work.inventory.page(listing.query, listing.page, listing.per_page))


@creates(router, "/inventory")
def create_item(caller: CallerDep, data: Annotated[ItemInput, Depends(JsonBody(ItemInput))]) -> Answer[ItemView]:
    """Add an item to the stock (PLT-389). Needs create_inventory."""
    with caller.working() as work:
        created = work.inventory.create(data)
    return Answer(created)


@router.get("/inventory/customer_id/{customer_id}")
def list_customer_items(caller: CallerDep, customer_id: Id, listing: ListingDep) -> Answer[Listed[ItemRow]]:
    """List the items of a customer, up to 1000 unless `per_page` says otherwise (SVC-049). Needs view_inventory."""
    with caller.reading() as work:
        know_customer(work, customer_id)
        found = work.inventory.page(listing.query, listing.page, listing.per_page_or_all, customer_id=customer_id)
        return page_answer(found)


@router.get("/inventory/service_id/{service_id}")
def list_service_items(caller: CallerDep, service_id: Id, listing: ListingDep) -> Answer[Listed[ItemRow]]:
    """List the items of a service (PLT-393). Needs view_inventory and view_customer_service."""
    with caller.reading() as work:
        work.customer_services.get(service_id)
        found = work.inventory.page(listing.query, listing.page, listing.per_page_or_all, service_id=service_id)
        return page_answer(found)


@router.get("/inventory/pickable/item/{item}")
def list_pickable_items(caller: CallerDep, item: str, listing: ListingDep) -> Answer[Listed[ItemRow]]:
    """List the items of that kind that an order can take now (BIL-103, SVC-166).

    Needs view_inventory; 403 for a kind that is not offered to who asks.
    """
    with caller.reading() as work:
        return page_answer(work.inventory.pickable_page(item, listing.query, listing.page, listing.per_page))


@router.get("/inventory/{inventory_id}")
def get_item(caller: CallerDep, inventory_id: Id, secrets: bool = False) -> Answer[ItemView]:
    """Return an item, whole (CAT-206). Needs view_inventory.

    `ki`, `opc` and `management_password` are shown to jobs; to others `(hidden)`, unless `secrets` asks for them
    and the caller holds update_inventory: that is logged (PLT-402).
    """
    job = caller.actor.kind is ActorKind.JOB
    with caller.working() if secrets and not job else caller.reading() as work:
        found = work.inventory.get(inventory_id, secrets=secrets or job)
    return Answer(found)


@router.patch("/inventory/{inventory_id}")
def change_item(
    caller: CallerDep, inventory_id: Id, change: Annotated[ItemChange, Depends(JsonBody(ItemChange, _READ_ONLY))]
) -> Answer[ItemView]:
    """Change the given fields: assign, move, give back, correct (CAT-207). Needs update_inventory."""
    with caller.working() as work:
        changed = work.inventory.update(inventory_id, change)
    return Answer(changed)


def _template(view: TemplateView) -> dict[str, Any]:
    """Return a kind with its labels under their field names (PLT-349..351)."""
    values = as_dict(view)
    labels = values.pop("labels")
    return {**values, **{f"itemtext{number}_label": label for number, label in enumerate(labels, 1)}}
