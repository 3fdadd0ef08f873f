"""Money rules: pure, exact, each rounded once where it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from omnicrm_tui.languages import N_

DEBIT = "Debit"
CREDIT = "Credit"

_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENTS = dict.fromkeys(_NO_DECIMALS.split(), 0) | dict.fromkeys(_THREE_DECIMALS.split(), 3)
_EXPONENTS |= {"CLF": 4, "UYW": 4}


def exponent(currency: str) -> int:
    """Return how many decimals amounts in `currency` have (ISO 4217)."""
    return _EXPONENTS.get(currency.upper(), 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return `amount` in whole smallest units of `currency`, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_HALF_UP)


def tax_of(retail_cost: Decimal, tax_percentage: Decimal, currency: str) -> Decimal:
    """Return retail cost x percentage / 100, rounded for this transaction alone (BIL-369, CAT-409)."""
    return rounded(retail_cost * tax_percentage / 100, currency)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start`, included, to `end`, excluded; both UTC."""

    start: datetime
    end: datetime


def month_of(moment: datetime, zone: str, back: int = 0) -> Period:
    """Return the calendar month of `moment` in `zone`, or the one `back` months before."""
    local = moment.astimezone(ZoneInfo(zone)).date()
    first = _month(local, -back)
    return Period(_midnight(first, zone), _midnight(_month(first, 1), zone))


def days(first: date, last: date, zone: str) -> Period:
    """Return the period of whole days in `zone`, both included."""
    return Period(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def today(moment: datetime, zone: str) -> date:
    """Return the date that the operator's calendar shows."""
    return moment.astimezone(ZoneInfo(zone)).date()


def _month(day: date, forward: int) -> date:
    number = day.year * 12 + day.month - 1 + forward
    return date(number // 12, number % 12 + 1, 1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def invoice_status(*, paid: bool, void: bool, refunded: bool, due_date: date | None, on: date) -> str:
    """Return Voided, Refunded, Paid, Overdue or Unpaid (CAT-135, BIL-300); Overdue is derived from the due date."""
    if void:
        return N_("Voided")
    if refunded:
        return N_("Refunded")
    if paid:
        return N_("Paid")
    return N_("Overdue") if due_date is not None and due_date < on else N_("Unpaid")
