"""The outbox over REST: mail and SMS that wait, were sent, given up or dropped."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router
from omnicrm_tui.api.serialize import Answer, Listed, page_answer
from omnicrm_tui.messaging.schemas import DropInput, OutboxRow, OutboxView

router = Router(tags=["Messages"])


@router.get("/outbox")
def list_messages(caller: CallerDep, listing: ListingDep) -> Answer[Listed[OutboxRow]]:
    """List messages, newest first; filter by `status` and `channel`. Needs view_communication."""
    with caller.reading() as work:
        query = listing.newest_first("outbox_id")
        return page_answer(work.messaging.page(query, listing.page, listing.per_page))


@router.get("/outbox/{outbox_id}")
def get_message(caller: CallerDep, outbox_id: Id) -> Answer[OutboxView]:
    """Return a message with its text. Needs view_communication."""
    with caller.reading() as work:
        return Answer(work.messaging.get(outbox_id))


@router.post("/outbox/{outbox_id}/retry")
def retry_message(caller: CallerDep, outbox_id: Id) -> Answer[OutboxView]:
    """Let a failed or dropped message be sent again. Needs update_communication; 409 for any other."""
    with caller.working() as work:
        message = work.messaging.retry(outbox_id)
    return Answer(message)


@router.post("/outbox/{outbox_id}/drop")
def drop_message(
    caller: CallerDep, outbox_id: Id, data: Annotated[DropInput, Depends(JsonBody(DropInput))]
) -> Answer[OutboxView]:
    """Drop a waiting or failed message, with a reason. Needs update_communication; 409 for any other."""
    with caller.working() as work:
        message = work.messaging.drop(outbox_id, data)
    return Answer(message)
