"""Money rules."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.billing import rules

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "BHD", "KWD", "TND", "CLF"])
AMOUNTS = st.decimals(-(10**9), 10**9, places=4)
MOMENTS = st.integers(946_684_800, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
PERCENTAGES = st.decimals(0, 100, places=4)


@pytest.mark.parametrize(("currency", "decimals"), [("USD", 2), ("JPY", 0), ("BHD", 3), ("KWD", 3), ("TND", 3)])
def test_each_currency_has_its_own_decimals(currency: str, decimals: int) -> None:
    assert rules.exponent(currency) == rules.exponent(currency.lower()) == decimals


@pytest.mark.req("BIL-369", "CAT-409")
@pytest.mark.parametrize(
    ("retail", "percentage", "currency", "tax"),
    [
        ("50.00", "10", "USD", "5.00"),
        ("50.00", "0", "USD", "0.00"),
        ("29.95", "10", "USD", "3.00"),
        ("2100", "17", "EUR", "357.00"),
        ("25.00", "8.25", "USD", "2.06"),
        ("25.00", "8.245", "USD", "2.06"),
        ("0.05", "10", "USD", "0.01"),
        ("1050", "10", "JPY", "105"),
        ("1005", "10", "JPY", "101"),
        ("1.005", "10", "BHD", "0.101"),
    ],
)
def test_tax_is_rounded_half_up_for_each_transaction(retail: str, percentage: str, currency: str, tax: str) -> None:
    assert str(rules.tax_of(Decimal(retail), Decimal(percentage), currency)) == tax


@given(AMOUNTS, CURRENCIES)
def test_rounding_goes_to_the_nearest_unit_and_halves_away_from_zero(amount: Decimal, currency: str) -> None:
    unit = Fraction(1, 10 ** rules.exponent(currency))
    result = Fraction(rules.rounded(amount, currency))
    assert result % unit == 0
    distance = abs(result - Fraction(amount))
    assert distance <= unit / 2
    if distance == unit / 2:
        assert abs(result) > abs(Fraction(amount))
    assert rules.rounded(rules.rounded(amount, currency), currency) == rules.rounded(amount, currency)


@given(AMOUNTS, PERCENTAGES, CURRENCIES)
def test_tax_of_a_refund_is_the_tax_of_the_charge_with_its_sign_turned(
    amount: Decimal, percentage: Decimal, currency: str
) -> None:
    tax = rules.tax_of(amount, percentage, currency)
    exact = (amount * percentage / 100).quantize(Decimal(1).scaleb(-rules.exponent(currency)), ROUND_HALF_UP)
    assert tax == exact
    assert rules.tax_of(-amount, percentage, currency) == -tax


@pytest.mark.req("BIL-356")
def test_months_are_the_operators_and_meet_without_a_gap() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert rules.month_of(new_year, "UTC").start == datetime(2026, 12, 1, tzinfo=UTC)
    oslo = rules.month_of(new_year, "Europe/Oslo")
    assert (oslo.start, oslo.end) == (datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 31, 23, tzinfo=UTC))
    before = rules.month_of(new_year, "Europe/Oslo", back=1)
    assert (before.start, before.end) == (datetime(2026, 11, 30, 23, tzinfo=UTC), oslo.start)
    march = rules.month_of(datetime(2026, 3, 30, tzinfo=UTC), "Europe/Oslo")
    assert (march.start, march.end) == (datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC))


@given(MOMENTS, st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]))
def test_every_moment_is_in_its_month_and_in_no_other(moment: datetime, zone: str) -> None:
    this, last = rules.month_of(moment, zone), rules.month_of(moment, zone, back=1)
    assert this.start <= moment < this.end
    assert last.end == this.start
    assert rules.days(rules.today(moment, zone), rules.today(moment, zone), zone).start <= moment


@pytest.mark.req("CAT-135", "BIL-300")
@pytest.mark.parametrize(
    ("paid", "void", "refunded", "due", "status"),
    [
        (False, False, False, date(2026, 11, 21), "Unpaid"),
        (False, False, False, date(2026, 11, 20), "Overdue"),
        (False, False, False, None, "Unpaid"),
        (True, False, False, date(2026, 11, 1), "Paid"),
        (True, False, True, None, "Refunded"),
        (True, True, True, None, "Voided"),
    ],
)
def test_an_invoice_has_one_status(paid: bool, void: bool, refunded: bool, due: date | None, status: str) -> None:
    on = date(2026, 11, 21)
    assert rules.invoice_status(paid=paid, void=void, refunded=refunded, due_date=due, on=on) == status
