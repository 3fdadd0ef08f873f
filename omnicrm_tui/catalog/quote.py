"""What ordering a product costs and when it renews, as the person who orders is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from omnicrm_tui.billing.rules import tax_of, today


class Priced(Protocol):
    """What a quote needs to know of a product."""

    @property
    def retail_cost(self) -> Decimal: ...
    @property
    def retail_setup_cost(self) -> Decimal: ...
    @property
    def tax_percentage(self) -> Decimal: ...
    @property
    def contract_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Quote:
    """Amounts in `currency`; `due_today` is set-up, first month and tax. `renewal` is None without a contract."""

    currency: str
    setup: Decimal
    monthly: Decimal
    tax: Decimal
    due_today: Decimal
    renewal: date | None


def quote(product: Priced, currency: str, now: datetime, zone: str) -> Quote:
    """Return set-up, monthly cost, what is due today and the renewal date, today + contract_days (BIL-133).

    The tax of set-up and first month is rounded for each of them, as their transactions will be (BIL-369).
    """
    setup, monthly = product.retail_setup_cost, product.retail_cost
    tax = sum((tax_of(amount, product.tax_percentage, currency) for amount in (setup, monthly)), Decimal(0))
    renewal = today(now, zone) + timedelta(days=product.contract_days) if product.contract_days else None
    return Quote(currency, setup, monthly, tax, setup + monthly + tax, renewal)
