"""Several terminals on one database at once; the long version with more of them is in tests/full."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crowd.crowd import check_nothing_lost, let_work, make_place

SECONDS = 3.0


@pytest.mark.req("PLT-066")
def test_a_few_terminals_at_once_lose_nothing(any_database_url: str, tmp_path: Path) -> None:
    place = make_place(tmp_path / "home", any_database_url, customers=20)
    check_nothing_lost(place, let_work(place, readers=2, writers=2, seconds=SECONDS))
