"""How jobs do, in figures; each is read from an index."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.rules import FAILED, RUNNING, SUCCESS
from omnicrm_tui.provisioning.schemas import JobFigures

LATEST = 1000
"""How many of the latest jobs tell how jobs do nowadays."""


def job_figures(session: Session) -> JobFigures:
    """Return how many jobs wait and run, and how they end."""
    by_status = select(Provision.provisioning_status, func.count(Provision.provision_id))
    totals = _counted(session, by_status.group_by(Provision.provisioning_status))
    latest = select(Provision.provisioning_status).order_by(Provision.provision_id.desc()).limit(LATEST).subquery()
    recent = _counted(session, select(latest.c[0], func.count()).group_by(latest.c[0]))
    unclaimed = (Provision.provisioning_status == RUNNING, Provision.lease_until_ms.is_(None))
    found = select(func.count(Provision.provision_id), func.min(Provision.created)).where(*unclaimed)
    waiting, oldest = session.execute(found).one()
    return JobFigures(
        waiting=waiting,
        running=totals.get(RUNNING, 0) - waiting,
        succeeded=totals.get(SUCCESS, 0),
        failed=totals.get(FAILED, 0),
        recent=recent.get(SUCCESS, 0) + recent.get(FAILED, 0),
        recent_failed=recent.get(FAILED, 0),
        oldest_waiting=oldest,
    )


def _counted(session: Session, statement: Select[int, int]) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(statement)}
