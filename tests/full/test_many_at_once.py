"""Many terminals on one database: no error, no lost write.

Five minutes on each; `OMNICRM_CROWD=0.1` makes that half a minute. What holds duties is killed in tests/cli.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crowd.crowd import check_nothing_lost, let_work, make_place, summary
from tests.crowd.terminals import people_at_terminals

pytestmark = [pytest.mark.full, pytest.mark.terminal]

SECONDS = 300.0 * float(os.environ.get("OMNICRM_CROWD", "1"))
CROWD = {"sqlite": (16, 4), "postgresql": (40, 10), "mysql": (40, 10)}
"""Readers and writers: SQLite has one writer at a time, and a server is what many people have."""
PEOPLE = 3


@pytest.mark.req("PLT-066", "PLT-067")
def test_many_terminals_at_once_lose_nothing(
    any_database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readers, writers = CROWD[any_database_url.partition(":")[0].partition("+")[0]]
    place = make_place(tmp_path / "home", any_database_url)
    with people_at_terminals(place, PEOPLE):
        reports = let_work(place, readers, writers, SECONDS)
    with capsys.disabled():
        print(f"\n{any_database_url.partition(':')[0]}: {summary(reports)}")
    check_nothing_lost(place, reports)
