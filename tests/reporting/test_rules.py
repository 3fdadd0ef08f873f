"""What of the figures is a problem."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from omnicrm_tui.messaging.schemas import Leadership, OutboxFigures
from omnicrm_tui.provisioning.schemas import JobFigures
from omnicrm_tui.reporting.rules import problems
from omnicrm_tui.reporting.schemas import CacheFigures, DiskFigures, Figures, PoolFigures
from tests.fixtures.databases import NOON

LONG_AGO, JUST_NOW = NOON - timedelta(hours=2), NOON - timedelta(minutes=1)
WELL = Figures(
    at=NOON,
    version="1",
    database="sqlite",
    schema="0001",
    jobs=JobFigures(0, 1, 90, 10, 100, 10, JUST_NOW),
    outbox=OutboxFigures(1, 1, 0, 5, JUST_NOW, JUST_NOW),
    duties=tuple(Leadership(name, "host:1:a", True) for name in ("jobs", "outbox", "schedule")),
    sessions=3,
    pool=PoolFigures(14, 0, 15),
    disk=DiskFigures(11, 100),
    cache=CacheFigures(0, 1),
)


def test_nothing_is_said_while_all_is_well() -> None:
    assert list(problems(WELL)) == []


@pytest.mark.req("PLT-070")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"duties": WELL.duties[:2]}, "Nobody leads schedule"),
        ({"duties": (*WELL.duties[:2], Leadership("schedule", "x", False))}, "Nobody leads schedule"),
        ({"outbox": replace(WELL.outbox, overdue_since=LONG_AGO)}, "nobody picks them up"),
        ({"outbox": replace(WELL.outbox, oldest=LONG_AGO, overdue_since=None)}, "more than an hour"),
        ({"outbox": replace(WELL.outbox, failed=1)}, "1 message was given up"),
        ({"outbox": replace(WELL.outbox, failed=1200)}, "1,200 messages were given up"),
        ({"jobs": replace(WELL.jobs, oldest_waiting=LONG_AGO)}, "Jobs wait"),
        ({"jobs": replace(WELL.jobs, recent=10, recent_failed=3)}, "Many jobs fail"),
        ({"disk": DiskFigures(9, 100)}, "disk is nearly full"),
        ({"pool": PoolFigures(15, 0, 15)}, "Every database connection"),
    ],
)
def test_a_problem_is_told_in_a_sentence(change: dict[str, object], words: str) -> None:
    found = list(problems(replace(WELL, **change)))  # type: ignore[arg-type]
    assert len(found) == 1
    assert words in found[0]


def test_a_handful_of_jobs_proves_nothing() -> None:
    assert list(problems(replace(WELL, jobs=replace(WELL.jobs, recent=4, recent_failed=4)))) == []
