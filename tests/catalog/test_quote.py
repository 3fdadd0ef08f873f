"""What an order costs, as it is told before it is confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from omnicrm_tui.catalog.quote import quote


@dataclass
class Product:
    """What a quote looks at."""

    retail_cost: Decimal
    retail_setup_cost: Decimal = Decimal(0)
    tax_percentage: Decimal = Decimal(0)
    contract_days: int = 0


@pytest.mark.req("BIL-133")
def test_due_today_is_set_up_and_the_first_month_and_renewal_follows_the_contract() -> None:
    told = quote(Product(Decimal("15.00"), contract_days=30), "EUR", datetime(2026, 11, 21, 12, tzinfo=UTC), "UTC")
    assert (told.setup, told.monthly, told.due_today) == (Decimal(0), Decimal("15.00"), Decimal("15.00"))
    assert told.renewal == date(2026, 12, 21)


@pytest.mark.req("BIL-133", "BIL-369")
def test_the_tax_is_rounded_for_each_charge() -> None:
    product = Product(Decimal("0.05"), Decimal("0.05"), Decimal(10))
    told = quote(product, "EUR", datetime(2026, 11, 21, tzinfo=UTC), "UTC")
    assert told.tax == Decimal("0.02")
    assert told.due_today == Decimal("0.12")
    assert told.renewal is None


def test_today_is_the_operators_day() -> None:
    product = Product(Decimal(1), contract_days=1)
    assert quote(product, "EUR", datetime(2026, 11, 21, 20, tzinfo=UTC), "Asia/Tokyo").renewal == date(2026, 11, 23)
