"""Acting as another user over REST (SVC-363..366, BIL-416, BIL-417)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Query

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.customers import know_customer
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router
from omnicrm_tui.api.serialize import Answer, Data, Listed, page_answer
from omnicrm_tui.identity.schemas import ImpersonationInput, ImpersonationRow
from omnicrm_tui.schemas import MAX_ID

router = Router(tags=["Impersonation"])

UserId = Annotated[int | None, Query(ge=1, le=MAX_ID)]
Seconds = Annotated[int | None, Query(ge=0, le=10**9)]


@dataclass(frozen=True, slots=True)
class Begun:
    """Tokens with which one acts as the target, until `ends` at the latest. One's own stay good."""

    success: bool
    impersonating_user_id: int
    target_user_id: int
    impersonation_start: datetime
    ends: datetime
    token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """The user through whom a contact logs in."""

    contact_id: int
    user_id: int
    username: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How long it was, and tokens of one's own session."""

    success: bool
    impersonation_end: datetime
    duration_seconds: int
    token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@router.post("/auth/impersonate")
def impersonate(
    caller: CallerDep, given: Annotated[ImpersonationInput, Depends(JsonBody(ImpersonationInput))]
) -> Answer[Begun]:
    """Begin to act as another user, without its password, with its permissions alone. Needs can_impersonate.

    A person of staff does it, one at a time; with `purpose` in the customer's history.
    """
    with caller.working() as work:
        begun = work.impersonation.start(given.user_id, given.purpose)
    whole = (begun.impersonating_user_id, begun.target_user_id, begun.impersonation_start, begun.ends)
    access, refresh = begun.tokens.access_token, begun.tokens.refresh_token
    return Answer(Begun(True, *whole, access, access, refresh))


@router.post("/auth/stop_impersonation")
def stop_impersonation(caller: CallerDep) -> Answer[Ended]:
    """Come back to oneself, with the tokens of either session. One's own."""
    with caller.working() as work:
        ended = work.impersonation.stop()
    access, refresh = ended.tokens.access_token, ended.tokens.refresh_token
    return Answer(Ended(True, ended.impersonation_end, ended.duration_seconds, access, access, refresh))


@router.get("/contact/logins/customer_id/{customer_id}")
def logins_of_customer(caller: CallerDep, customer_id: Id) -> Answer[Data[Login]]:
    """List who logs in for a customer's contacts (SVC-367). Needs can_impersonate and view_customer_contact."""
    with caller.reading() as work:
        know_customer(work, customer_id)
        contacts = [contact.contact_id for contact in work.customers.contacts(customer_id)]
        found = work.impersonation.logins_of_contacts(contacts)
    return Answer(Data([Login(number, login.user_id, login.username) for number, login in sorted(found.items())]))


@router.get("/auth/impersonation_logs")
def impersonation_logs(
    caller: CallerDep,
    listing: ListingDep,
    user_id: UserId = None,
    impersonating_user_id: UserId = None,
    target_user_id: UserId = None,
    start_date: date | None = None,
    end_date: date | None = None,
    min_duration: Seconds = None,
    max_duration: Seconds = None,
) -> Answer[Listed[ImpersonationRow]]:
    """List who acted as whom, newest first (SVC-365); `user_id` is either of the two. Needs admin.

    Both days are included (UTC), durations are in seconds; `filters` takes the same names, and `open`.
    """
    given = {
        "user_id": user_id,
        "impersonating_user_id": impersonating_user_id,
        "target_user_id": target_user_id,
        "start_date": start_date,
        "end_date": end_date,
        "min_duration": min_duration,
        "max_duration": max_duration,
    }
    query = listing.newest_first("impersonation_id")
    with caller.reading() as work:
        wanted = replace(query, filters={**query.filters, **_texts(given)})
        return page_answer(work.impersonation.page(wanted, listing.page, listing.per_page))


def _texts(given: Mapping[str, int | date | None]) -> dict[str, list[str]]:
    return {name: [str(value)] for name, value in given.items() if value is not None}
