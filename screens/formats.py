"""Money, dates and times as the operator writes them: currency's own decimals, the operator's zone and language."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from omnicrm_tui.settings import CrmSection


class Formats:
    """Babel loads when the first amount or date is shown, not at the start."""

    def __init__(self, crm: CrmSection) -> None:
        self._crm = crm

    def money(self, amount: Decimal | None, currency: str | None = None) -> str:
        """Return `amount` in `currency` (the operator's by default): `$1,234.50`; "" for None."""
        if amount is None:
            return ""
        from omnicrm_tui.languages import locales

        return locales.money(amount, currency or self._crm.currency, self._crm)

    def number(self, value: float | Decimal) -> str:
        """Return a number with separators."""
        from omnicrm_tui.languages import locales

        return locales.number(value, self._crm)

    def moment(self, moment: datetime | None) -> str:
        """Return an instant in the operator's zone: `2026-11-21 13:00`; "" for None."""
        if moment is None:
            return ""
        from babel.dates import format_datetime

        pattern = f"{self._day_pattern} HH:mm"
        return str(format_datetime(moment.astimezone(self._zone), pattern, locale="en"))

    def time(self, moment: datetime | None) -> str:
        """Return the time of an instant in the operator's zone: `13:00:05`; "" for None."""
        return moment.astimezone(self._zone).strftime("%H:%M:%S") if moment is not None else ""

    def day(self, moment: date | datetime | None) -> str:
        """Return a day, of an instant the one in the operator's zone: `2026-11-21`; "" for None."""
        if moment is None:
            return ""
        from babel.dates import format_date

        day = moment.astimezone(self._zone).date() if isinstance(moment, datetime) else moment
        return str(format_date(day, self._day_pattern, locale="en"))

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._crm.timezone)

    @cached_property
    def _day_pattern(self) -> str:
        from omnicrm_tui.languages import locales

        return locales.day_pattern(self._crm)
