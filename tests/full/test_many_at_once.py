"""Many terminals on one database, on SQLite for five minutes: no error, no lost write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crowd.crowd import check_nothing_lost, let_work, make_place, summary
from tests.crowd.terminals import people_at_terminals

pytestmark = [pytest.mark.full, pytest.mark.terminal]

CROWD = {"sqlite": (16, 4, 300.0), "postgresql": (40, 10, 90.0), "mysql": (40, 10, 90.0)}
"""Readers, writers and seconds: SQLite has one writer at a time, and a server is what many people have."""
PEOPLE = 3


@pytest.mark.req("PLT-066", "PLT-067")
def test_many_terminals_at_once_lose_nothing(
    any_database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readers, writers, seconds = CROWD[any_database_url.partition(":")[0].partition("+")[0]]
    place = make_place(tmp_path / "home", any_database_url)
    with people_at_terminals(place, PEOPLE):
        reports = let_work(place, readers, writers, seconds)
    with capsys.disabled():
        print(f"\n{any_database_url.partition(':')[0]}: {summary(reports)}")
    check_nothing_lost(place, reports)
