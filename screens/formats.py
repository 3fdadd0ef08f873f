"""Money, dates and times as the operator writes them: currency's own decimals, the operator's zone and language."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from babel import Locale

    from omnicrm_tui.settings import CrmSection


class Formats:
    """Babel loads when the first amount or date is shown, not at the start."""

    def __init__(self, crm: CrmSection) -> None:
        self._crm = crm

    def money(self, amount: Decimal | None, currency: str | None = None) -> str:
        """Return `amount` in `currency` (the operator's by default): `$1,234.50`; "" for None."""
        if amount is None:
            return ""
        from babel.numbers import format_currency

        return str(format_currency(amount, currency or self._crm.currency, locale=self._locale))

    def number(self, value: float | Decimal) -> str:
        """Return a number with separators."""
        from babel.numbers import format_decimal

        return str(format_decimal(value, locale=self._locale))

    def moment(self, moment: datetime | None) -> str:
        """Return an instant in the operator's zone: `2026-11-21 13:00`; "" for None."""
        if moment is None:
            return ""
        from babel.dates import format_datetime

        return str(format_datetime(moment.astimezone(self._zone), "yyyy-MM-dd HH:mm", locale=self._locale))

    def time(self, moment: datetime | None) -> str:
        """Return the time of an instant in the operator's zone: `13:00:05`; "" for None."""
        return moment.astimezone(self._zone).strftime("%H:%M:%S") if moment is not None else ""

    def day(self, moment: date | datetime | None) -> str:
        """Return a day, of an instant the one in the operator's zone: `2026-11-21`; "" for None."""
        if moment is None:
            return ""
        from babel.dates import format_date

        day = moment.astimezone(self._zone).date() if isinstance(moment, datetime) else moment
        return str(format_date(day, "yyyy-MM-dd", locale=self._locale))

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._crm.timezone)

    @cached_property
    def _locale(self) -> Locale:
        from babel import Locale, UnknownLocaleError

        try:
            return Locale.parse(self._crm.language.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            return Locale.parse("en")
