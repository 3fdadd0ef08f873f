"""Provisioning jobs over REST (SVC-040..048)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody, json_object
from omnicrm_tui.api.customers import know_customer
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router, creates
from omnicrm_tui.api.serialize import Answer, Listed, as_dict, page_answer
from omnicrm_tui.errors import NotPermitted
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.provisioning.schemas import JobRow, JobView, ProvisionRequest
from omnicrm_tui.schemas import MAX_ID, parse

router = Router(tags=["Provisioning"])

_NAMED = frozenset(ProvisionRequest.model_fields) - {"inventory", "variables"}


class ProvisionBody(JsonBody):
    """Reads the flat body of SVC-040: what is not a named field is a variable or an inventory choice."""

    async def __call__(self, request: Request) -> ProvisionRequest:
        """Return the request; raises InvalidInput."""
        given = await json_object(request)
        named = {name: value for name, value in given.items() if name in _NAMED}
        variables = {name: value for name, value in given.items() if name not in _NAMED}
        asked: ProvisionRequest = parse(ProvisionRequest, {**named, "variables": variables})
        return asked


@creates(router, "/provision")
def start_job(
    caller: CallerDep, asked: Annotated[ProvisionRequest, Depends(ProvisionBody(ProvisionRequest))]
) -> Answer[dict[str, Any]]:
    """Start a job and answer at once (SVC-040, SVC-048).

    Beside the named fields the body holds one key for each inventory type, such as `"SIM Card": 789`, and any
    variable of the play; `terms_accepted` keeps that moment, and the details of an order (`site_id`,
    `billing_contact_id`, `installation_date`, ...) are checked.
    Needs create_provision, view_customer and view_product, or view_own_provision of a customer's user instead of the
    first.
    """
    with caller.working() as work:
        job = work.provisioning.start(asked)
    return _created(job)


@router.get("/provision")
def list_jobs(caller: CallerDep, listing: ListingDep) -> Answer[Listed[JobRow]]:
    """List jobs, newest first unless sorted (SVC-043..045). Needs view_provision."""
    with caller.reading() as work:
        query = listing.newest_first("provision_id")
        return page_answer(work.provisioning.page(query, listing.page, listing.per_page))


@router.get("/provision/customer_id/{customer_id}")
def list_customer_jobs(caller: CallerDep, customer_id: Id, listing: ListingDep) -> Answer[Listed[JobRow]]:
    """List the jobs of one customer. Needs view_provision."""
    with caller.reading() as work:
        know_customer(work, customer_id)
        query = listing.newest_first("provision_id")
        return page_answer(work.provisioning.page(query, listing.page, listing.per_page, customer_id))


@router.get("/provision/{provision_id}")
def get_job(
    caller: CallerDep, provision_id: Id, after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0
) -> Answer[dict[str, Any]]:
    """Return a job and, in `provisioning_result_json`, its events numbered above `after` (SVC-041, SVC-042).

    Without `after` also the names of all `planned_tasks` (SVC-077): whoever follows a job has them by then. Needs
    view_provision.
    """
    with caller.reading() as work:
        answer = as_dict(work.provisioning.get(provision_id))
        answer["provisioning_result_json"] = work.provisioning.events(provision_id, after)
        if not after:
            answer["planned_tasks"] = work.provisioning.planned_tasks(provision_id)
    return Answer(answer)


@router.post("/provision/{provision_id}/cancel")
def cancel_job(caller: CallerDep, provision_id: Id) -> Answer[JobView]:
    """Ask a running job to stop and roll back; 409 when it has ended.

    Needs update_provision, or create_provision for a job of one's own.
    """
    with caller.working() as work:
        job = work.provisioning.cancel(provision_id)
    return Answer(job)


@router.post("/provision/{provision_id}/retry")
def retry_job(caller: CallerDep, provision_id: Id) -> Answer[dict[str, Any]]:
    """Start another attempt of a failed job (SVC-011). Needs create_provision; 409 unless it failed."""
    with caller.working() as work:
        job = work.provisioning.retry(provision_id)
    return _created(job)


@router.post("/provision/simple_provision_addon/service_id/{service_id}/product_id/{product_id}")
def provision_addon(caller: CallerDep, service_id: Id, product_id: Id) -> Answer[dict[str, Any]]:
    """Start an add-on for a service; for machines alone: an API key or a whitelisted address (SVC-046).

    Takes no body. Needs create_provision, view_customer, view_customer_service and view_product.
    """
    if caller.actor.kind is not ActorKind.MACHINE:
        raise NotPermitted("This address is for machines: an API key or a whitelisted address.")
    with caller.working() as work:
        service = work.customer_services.get(service_id)
        asked = ProvisionRequest(product_id=product_id, customer_id=service.customer_id, service_id=service_id)
        job = work.provisioning.start(asked)
    return _created(job)


def _created(job: JobView) -> Answer[dict[str, Any]]:
    answer: dict[str, Any] = {**as_dict(job), "message": "Provisioning job created"}
    return Answer(answer)
