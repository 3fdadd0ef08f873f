"""Units, percentages, expiries and names, without a charging system."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.charging import rules
from tests.fixtures.databases import NOON

amounts = st.decimals(min_value=-(10**20), max_value=10**20, allow_nan=False, allow_infinity=False)


@pytest.mark.req("CAT-418", "SVC-334")
@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (5368709120, "5 GB"),
        (10737418240, "10 GB"),
        (13421772800, "12.5 GB"),
        (1024**4 * 2, "2 TB"),
        (1024**2 * 700, "700 MB"),
        (1024**3 - 1, "1,023.99 MB"),
        (0, "0 B"),
        (-5, "-5 B"),
    ],
)
def test_data_is_shown_in_units_of_1024(amount: int, text: str) -> None:
    assert rules.data_text(Decimal(amount)) == text


@pytest.mark.req("SVC-335", "SVC-337", "CAT-155")
def test_stored_units_become_seconds_and_currency() -> None:
    assert rules.to_unit("VOICE", Decimal(75 * 10**12), voice="ns", money="cents") == 75_000
    assert rules.to_unit("VOICE", Decimal(3600), voice="s", money="cents") == 3600
    assert rules.to_unit("MONETARY", Decimal(1550), voice="ns", money="cents") == Decimal("15.5")
    assert rules.to_unit("MONETARY", Decimal("25.5"), voice="ns", money="units") == Decimal("25.5")
    assert rules.to_unit("DATA_DONGLE", Decimal(7), voice="ns", money="cents") == 7


@pytest.mark.req("CAT-161", "CAT-419", "CAT-420", "SVC-335", "SVC-336")
@pytest.mark.parametrize(
    ("kind", "value", "unlimited", "text"),
    [
        ("DATA", 5368709120, False, "5 GB remaining"),
        ("VOICE", 3600, False, "60 minutes remaining"),
        ("VOICE", 75_000, False, "1,250 minutes remaining"),
        ("VOICE", 999999999, True, "Unlimited minutes"),
        ("SMS", 100, False, "100 SMS remaining"),
        ("MONETARY", 25, False, "$25.50 credit"),
        ("GENERIC", 3, False, "3 remaining"),
    ],
)
def test_what_is_left_is_said_in_words(kind: str, value: int, unlimited: bool, text: str) -> None:
    assert rules.description(kind, Decimal(value), unlimited=unlimited, money="$25.50") == text


@pytest.mark.req("SVC-339", "SVC-341")
@pytest.mark.parametrize(
    ("value", "granted", "percent"),
    [
        ("12.5", "20", 62),
        ("125", "500", 25),
        ("45", "250", 18),
        ("15.50", "20", 77),
        ("30", "20", 100),
        ("-1", "20", 0),
    ],
)
def test_percentages_are_those_of_the_worked_examples(value: str, granted: str, percent: int) -> None:
    assert rules.remaining_percent(Decimal(value), Decimal(granted)) == percent


@given(amounts, st.none() | amounts)
def test_percentages_and_texts_never_leave_their_bounds(value: Decimal, granted: Decimal | None) -> None:
    percent = rules.remaining_percent(value, granted)
    assert percent is None or 0 <= percent <= 100
    assert "E" not in rules.short(value)
    assert rules.data_text(value)


@pytest.mark.req("CAT-162", "BIL-171", "SVC-345")
@pytest.mark.parametrize(
    ("kind", "value", "name", "unlimited"),
    [
        ("VOICE", 999999999, "V", True),
        ("VOICE", 99999999, "V", True),
        ("SMS", 999999999, "S", True),
        ("VOICE", 3600, "VOICE_Unlimited", True),
        ("DATA", 5, "DATA_UNLIMITED", True),
        ("DATA", 999999999, "DATA", False),
        ("VOICE", 3600, "VOICE_60min", False),
    ],
)
def test_unlimited_is_known_by_value_or_name(kind: str, value: int, name: str, unlimited: bool) -> None:
    assert rules.is_unlimited(kind, Decimal(value), name) is unlimited


@pytest.mark.req("SVC-342")
@pytest.mark.parametrize(
    ("kind", "name", "granted"),
    [
        ("DATA", "DATA_10GB", 10 * 1024**3),
        ("DATA", "monthly_data_20GB", 20 * 1024**3),
        ("DATA", "DATA_10GB_2025_01", 10 * 1024**3),
        ("DATA", "DATA_1.5TB", 1024**4 * 3 // 2),
        ("VOICE", "monthly_voice_500min", 30_000),
        ("SMS", "SMS_100", None),
        ("SMS", "100_SMS", 100),
        ("DATA", "VOICE_500min", None),
        ("DATA", "10GBP", None),
        ("MONETARY", "PREPAID_CREDIT", None),
    ],
)
def test_a_bucket_may_say_what_it_held(kind: str, name: str, granted: int | None) -> None:
    assert rules.granted_by_name(kind, name) == granted


@pytest.mark.req("CAT-156", "SVC-330")
def test_instants_are_read_to_the_microsecond_and_year_one_is_never() -> None:
    assert rules.moment("2026-12-21T00:10:09.579104468Z") == datetime(2026, 12, 21, 0, 10, 9, 579104, UTC)
    assert rules.moment("2026-12-21T02:00:00+02:00") == datetime(2026, 12, 21, tzinfo=UTC)
    assert rules.moment("0001-01-01T00:00:00Z") is rules.moment("") is rules.moment(None) is None
    for nonsense in ("soon", 5, "2026-12-21", "2026-13-41T00:00:00Z"):
        with pytest.raises(ValueError):
            rules.moment(nonsense)


@pytest.mark.req("CAT-160", "CAT-166")
@pytest.mark.parametrize(
    ("away", "text"),
    [
        (timedelta(days=11, hours=3), "in 11 days"),
        (timedelta(days=1), "tomorrow"),
        (timedelta(hours=23), "in 23 hours"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(seconds=5), "in 1 minute"),
        (timedelta(0), "expired"),
    ],
)
def test_distances_are_said_in_words(away: timedelta, text: str) -> None:
    assert rules.relative(NOON + away, NOON) == text
    assert rules.relative(None, NOON) == "never"


@pytest.mark.req("CAT-391", "CAT-163", "CAT-167", "SVC-357", "CAT-549")
def test_the_parts_of_an_action_plan_are_read_from_its_id() -> None:
    assert rules.plan_parts("ServiceID_abc-123-def__ProductID_456__CustomerID_789__MonthlyRenewal") == {
        "ServiceID": "abc-123-def",
        "ProductID": "456",
        "CustomerID": "789",
    }
    assert rules.plan_parts("ServiceID_Mobile_SIM_c2880638__ProductID_1")["ServiceID"] == "Mobile_SIM_c2880638"
    assert rules.plan_parts("ProductID_MonthlyPlan__ProductName_20GB_Mobile")["ProductName"] == "20GB Mobile"
    assert rules.plan_parts("AP") == {}


@pytest.mark.req("CAT-153", "CAT-159")
def test_names_and_types() -> None:
    assert [rules.balance_type(key) for key in ("*data", "*data*out", "DATA_DONGLE")] == ["DATA", "DATA", "DATA_DONGLE"]
    assert rules.display_name("VOICE_UNLIMITED") == "Voice Unlimited"
    assert rules.display_name("DATA_10GB") == "Data 10GB"
