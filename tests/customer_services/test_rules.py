"""Dates and notices of services, without a database."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.customer_services import rules
from tests.fixtures.databases import NOON

DAY = timedelta(days=1)
moments = st.integers(-2000, 5000).map(lambda days: NOON + days * DAY)


@pytest.mark.req("SVC-240")
@pytest.mark.parametrize(
    ("status", "end", "notice"),
    [
        ("Active", rules.NO_END, None),
        ("Active", NOON, "Expired"),
        ("Suspended", NOON - DAY, "Expired"),
        ("Active", NOON + 7 * DAY, "Expiring Soon"),
        ("Active", NOON + 7 * DAY + timedelta(seconds=1), None),
        ("Deactivated", NOON - DAY, None),
        ("Inactive", NOON + DAY, None),
    ],
)
def test_a_service_says_when_its_end_is_near(status: str, end: datetime, notice: str | None) -> None:
    assert rules.end_notice(status, end, NOON) == notice


@pytest.mark.req("SVC-222")
@given(st.none() | moments, st.none() | moments, moments)
def test_a_service_always_has_a_first_and_a_last_day(
    first: datetime | None, second: datetime | None, created: datetime
) -> None:
    assert rules.first_day(first, second, created) == (first if first else second if second else created)
    assert rules.last_day(first, second) == (first if first else second if second else rules.NO_END)
