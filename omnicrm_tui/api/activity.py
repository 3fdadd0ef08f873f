"""The activity log over REST: it is read, never changed (SVC-147..150)."""

from __future__ import annotations

from omnicrm_tui.activity.schemas import ActivityRow
from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.customers import know_customer
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router
from omnicrm_tui.api.serialize import Answer, Listed, page_answer

router = Router(tags=["Activity"])


@router.get("/activity")
def list_activity(caller: CallerDep, listing: ListingDep) -> Answer[Listed[ActivityRow]]:
    """List the log, newest first (SVC-148); filter by `object_type`. Needs view_customer_activity."""
    with caller.reading() as work:
        query = listing.newest_first("activity_id")
        return page_answer(work.activity.page(query, listing.page, listing.per_page))


@router.get("/activity/customer_id/{customer_id}")
def list_customer_activity(caller: CallerDep, customer_id: Id, listing: ListingDep) -> Answer[Listed[ActivityRow]]:
    """List what happened to one customer, newest first. Needs view_customer_activity."""
    with caller.reading() as work:
        know_customer(work, customer_id)
        query = listing.newest_first("activity_id")
        return page_answer(work.activity.page(query, listing.page, listing.per_page, customer_id))


@router.get("/activity/{activity_id}")
def get_activity(caller: CallerDep, activity_id: Id) -> Answer[ActivityRow]:
    """Return one entry: what was changed, by whom, from where (SVC-150). Needs view_customer_activity."""
    with caller.reading() as work:
        return Answer(work.activity.get(activity_id))
