"""Customers' services over REST (CAT-198..203)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends

from omnicrm_tui.api.auth import Caller, CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.customers import know_customer
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router, creates
from omnicrm_tui.api.serialize import Answer, Listed, Message, as_dict, page_answer
from omnicrm_tui.charging.schemas import AccountView, ActionPlanView, BalanceView
from omnicrm_tui.customer_services.schemas import READ_ONLY, ServiceChange, ServiceInput, ServiceRow, ServiceView
from omnicrm_tui.errors import OutsideSystemError

router = Router(tags=["Services"])

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
def list_services(caller: CallerDep, listing: ListingDep) -> Answer[Listed[ServiceRow]]:
    """List services, newest first unless sorted. Needs view_customer_service."""
    with caller.reading() as work:
        query = listing.newest_first("service_id")
        return page_answer(work.customer_services.page(query, listing.page, listing.per_page))


@router.get("/service/customer_id/{customer_id}")
def list_customer_services(caller: CallerDep, customer_id: Id, listing: ListingDep) -> Answer[Listed[ServiceRow]]:
    """List a customer's services, newest first unless sorted. Needs view_customer_service."""
    with caller.reading() as work:
        know_customer(work, customer_id)
        query = listing.newest_first("service_id")
        return page_answer(work.customer_services.page(query, listing.page, listing.per_page, customer_id))


@creates(router, "/service")
def create_service(
    caller: CallerDep, data: Annotated[ServiceInput, Depends(JsonBody(ServiceInput))]
) -> Answer[ServiceView]:
    """Create a service; what is left out comes from the product (CAT-198). Needs create_customer_service."""
    with caller.working() as work:
        created = work.customer_services.create(data)
    return Answer(created)


@router.get("/service/service_uuid/{service_uuid}")
def get_service_by_uuid(caller: CallerDep, service_uuid: str) -> Answer[dict[str, Any]]:
    """Return the service of a charging account (CAT-201). Needs view_customer_service."""
    with caller.reading() as work:
        service = work.customer_services.get_by_uuid(service_uuid)
    return _with_account(caller, service)


@router.get("/service/{service_id}")
def get_service(caller: CallerDep, service_id: Id) -> Answer[dict[str, Any]]:
    """Return a service with its live account in `cgrates` (CAT-199, CAT-200). Needs view_customer_service.

    Where the charging system cannot be asked, `cgrates` is null and `cgrates_problem` says why.
    """
    with caller.reading() as work:
        service = work.customer_services.get(service_id)
    return _with_account(caller, service)


@router.patch("/service/{service_id}")
def change_service(
    caller: CallerDep,
    service_id: Id,
    change: Annotated[ServiceChange, Depends(JsonBody(ServiceChange, READ_ONLY | _SHOWN_ONLY))],
) -> Answer[ServiceView]:
    """Change the 16 fields that can be changed; read-only ones are left alone (CAT-073, CAT-074, CAT-202).

    Needs update_customer_service.
    """
    with caller.working() as work:
        changed = work.customer_services.update(service_id, change)
    return Answer(changed)


@router.delete("/service/{service_id}")
def delete_service(caller: CallerDep, service_id: Id) -> Answer[Message]:
    """Delete a service; a play's rollback does (CAT-203). Needs delete_customer_service."""
    with caller.working() as work:
        work.customer_services.delete(service_id)
    return Answer(Message("Service deleted"))


def _with_account(caller: Caller, service: ServiceView) -> Answer[dict[str, Any]]:
    """Merge the account in, read in a unit of work of its own: a slow answer holds no transaction open."""
    problem, cgrates = None, None
    try:
        with caller.reading() as work:
            cgrates = _cgrates(work.charging.account(service.service_id))
    except OutsideSystemError as error:
        problem = error.message
    return Answer({**as_dict(service), "cgrates": cgrates, "cgrates_problem": problem})


def _cgrates(account: AccountView) -> dict[str, Any]:
    """Return the account under the names that clients know from the charging system (CAT-153..167)."""
    balances: dict[str, list[dict[str, Any]]] = {}
    for balance in account.balances:
        balances.setdefault(balance.type, []).append(_balance(balance))
    return {
        "state": account.state,
        "BalanceMap": balances,
        "ActionPlans": [_action_plan(plan) for plan in account.action_plans],
    }


def _balance(balance: BalanceView) -> dict[str, Any]:
    return {
        "ID": balance.id,
        "Value": balance.value,
        "ExpirationDate": balance.expires,
        "Weight": balance.weight,
        "DestinationIDs": balance.destinations,
        "custom_Name_hr": balance.name,
        "custom_Expiration": balance.expiry_text,
        "custom_Description_String": balance.text,
    }


def _action_plan(plan: ActionPlanView) -> dict[str, Any]:
    numbers = {"ProductID", "CustomerID"}
    return {
        "ActionPlanId": plan.action_plan_id,
        "PlanName": plan.plan_name,
        "NextExecTime": plan.next_exec_time,
        "custom_NextExecTime_hr": plan.next_exec_text,
        "ActionPlanId_split_dict": {
            name: int(part) if name in numbers and part.isdecimal() else part for name, part in plan.parts.items()
        },
    }
