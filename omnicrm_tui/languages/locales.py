"""Money, numbers and days as the operator's locale writes them (PLT-484..486). Babel is imported here, when it is
first needed and not at the start."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal, get_currency_symbol

from omnicrm_tui.languages import ENGLISH, iso_code

if TYPE_CHECKING:
    from omnicrm_tui.settings import CrmSection

ISO_DAY = "yyyy-MM-dd"
"""How days are written where nothing else is asked for: the same for an American and a Briton."""

_NARROW_SPACE, _FIRM_SPACE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


@lru_cache(maxsize=8)
def locale_named(name: str) -> Locale:
    """Return a locale by its name, such as "fr" or "en-GB"; English for one that nobody knows."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(ENGLISH)


def locale_of(crm: CrmSection) -> Locale:
    """Return the operator's locale: `crm.locale`, or that of the language."""
    return locale_named(crm.locale or iso_code(crm.language))


def money(amount: Decimal, currency: str, crm: CrmSection) -> str:
    """Return an amount of money: `$1,234.50`, `1 234,50 €`; the operator's own sign for the operator's currency."""
    locale = locale_of(crm)
    text = str(format_currency(amount, currency, locale=locale))
    if crm.currency_symbol and currency == crm.currency:
        text = text.replace(get_currency_symbol(currency, locale), crm.currency_symbol)
    return _firm(text)


def number(value: float | Decimal, crm: CrmSection) -> str:
    """Return a number with separators."""
    return _firm(str(format_decimal(value, locale=locale_of(crm))))


def day_pattern(crm: CrmSection) -> str:
    """Return how a day is written: as the locale does, in ten characters; plain English without a locale: ISO."""
    if not crm.locale and iso_code(crm.language) == ENGLISH:
        return ISO_DAY
    pattern = str(locale_of(crm).date_formats["short"].pattern)
    for letter, wide in (("d", "dd"), ("M", "MM"), ("y", "yyyy")):
        pattern = re.sub(f"{letter}+", wide, pattern)
    return pattern


def _firm(text: str) -> str:
    """Not every terminal's font has the narrow space that the French group digits with."""
    return text.replace(_NARROW_SPACE, _FIRM_SPACE)
