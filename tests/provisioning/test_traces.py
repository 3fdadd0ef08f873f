"""What starting and ending a job leaves behind: its row, its tokens, its lines in the log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.identity.models import TokenFamily
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.progress import JobEnd, JobProgress
from omnicrm_tui.provisioning.rules import FAILED, SUCCESS
from omnicrm_tui.provisioning.schemas import ProvisionRequest
from tests.fixtures.databases import NOON
from tests.fixtures.operator import Stock


def rows(stock: Stock) -> tuple[int, list[int | None]]:
    """Return how many jobs there are, and whose tokens have been minted."""
    with stock.crm.as_actor(stock.admin) as work:
        jobs = work.session.scalar(select(func.count()).select_from(Provision))
        return jobs or 0, list(work.session.scalars(select(TokenFamily.provision_id)))


@pytest.mark.req("SVC-072")
def test_a_job_is_made_with_its_tokens_and_a_refused_one_is_not_made_at_all(stock: Stock) -> None:
    refused = ProvisionRequest(product_id=stock.product_ids["play_psim_only"], customer_id=stock.customer_id)
    with pytest.raises(InvalidInput), stock.crm.as_actor(stock.admin) as work:
        work.provisioning.start(refused)
    assert rows(stock) == (0, [])
    number = stock.order()
    assert rows(stock) == (1, [number])


@pytest.mark.req("SVC-075")
@pytest.mark.parametrize(
    ("status", "reason", "logged"),
    [(SUCCESS, "finished", "Provisioning finished"), (FAILED, "failed", "Provisioning failed (failed)")],
)
def test_beginning_and_end_of_a_job_are_in_the_log_with_their_times(
    stock: Stock, clock: FrozenClock, status: int, reason: str, logged: str
) -> None:
    number = stock.order()
    clock.advance(timedelta(minutes=2))
    job = JobProgress(stock.crm, number, "one")
    assert job.claim(11) is not None
    job.finish(JobEnd(status, reason, None, {}))
    with stock.crm.reading(stock.admin) as work:
        found = work.activity.window(ListQuery(), FIRST, 50, customer_id=stock.customer_id).rows
    log = [(row.action, row.timestamp) for row in found if row.object_type == "provisioning"]
    assert sorted(log, key=lambda line: line[1]) == [
        ("Provisioning started", NOON),
        (logged, NOON + timedelta(minutes=2)),
    ]
