"""Customers' services over REST (CAT-198..203)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.customers import know_customer
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import creates
from omnicrm_tui.api.serialize import Answer, page_answer
from omnicrm_tui.customer_services.schemas import READ_ONLY, ServiceChange, ServiceInput

router = APIRouter(tags=["Services"])

_SHOWN_ONLY = {
    "customer_name",
    "product_name",
    "start_date",
    "end_date",
    "end_notice",
    "auto_renew",
    "cgrates",
    "cgrates_problem",
}
"""What a change may carry along unchanged, because the service was read with it."""


@router.get("/service")
def list_services(caller: CallerDep, listing: ListingDep) -> Answer:
    """List services, newest first unless sorted. Needs view_customer_service."""
    with caller.reading() as work:
        query = listing.newest_first("service_id")
        return page_answer(work.customer_services.page(query, listing.page, listing.per_page))


@router.get("/service/customer_id/{customer_id}")
def list_customer_services(caller: CallerDep, customer_id: Id, listing: ListingDep) -> Answer:
    """List a customer's services, newest first unless sorted. Needs view_customer_service."""
    with caller.reading() as work:
        know_customer(work, customer_id)
        query = listing.newest_first("service_id")
        return page_answer(work.customer_services.page(query, listing.page, listing.per_page, customer_id))


@creates(router, "/service")
def create_service(caller: CallerDep, data: Annotated[ServiceInput, Depends(JsonBody(ServiceInput))]) -> Answer:
    """Create a service; what is left out comes from the product (CAT-198). Needs create_customer_service."""
    with caller.working() as work:
        created = work.customer_services.create(data)
    return Answer(created)


@router.get("/service/service_uuid/{service_uuid}")
def get_service_by_uuid(caller: CallerDep, service_uuid: str) -> Answer:
    """Return the service of a charging account (CAT-201). Needs view_customer_service."""
    with caller.reading() as work:
        return Answer(work.customer_services.get_by_uuid(service_uuid))


@router.get("/service/{service_id}")
def get_service(caller: CallerDep, service_id: Id) -> Answer:
    """Return a service (CAT-199). Needs view_customer_service."""
    with caller.reading() as work:
        return Answer(work.customer_services.get(service_id))


@router.patch("/service/{service_id}")
def change_service(
    caller: CallerDep,
    service_id: Id,
    change: Annotated[ServiceChange, Depends(JsonBody(ServiceChange, READ_ONLY | _SHOWN_ONLY))],
) -> Answer:
    """Change the 16 fields that can be changed; read-only ones are left alone (CAT-073, CAT-074, CAT-202).

    Needs update_customer_service.
    """
    with caller.working() as work:
        changed = work.customer_services.update(service_id, change)
    return Answer(changed)


@router.delete("/service/{service_id}")
def delete_service(caller: CallerDep, service_id: Id) -> Answer:
    """Delete a service; a play's rollback does (CAT-203). Needs delete_customer_service."""
    with caller.working() as work:
        work.customer_services.delete(service_id)
    return Answer({"message": "Service deleted"})
