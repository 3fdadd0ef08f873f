"""Units, percentages, expiries and names of balances: from the charging system's words to people's."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from gettext import gettext as _
from gettext import ngettext

DATA, VOICE, SMS, MONETARY = "DATA", "VOICE", "SMS", "MONETARY"
TYPE_ORDER = (DATA, VOICE, SMS, MONETARY)
UNITS: Mapping[str, str] = {DATA: "bytes", VOICE: "seconds", SMS: "messages", MONETARY: "currency"}

PER_UNIT: Mapping[str, Decimal] = {"ns": Decimal(10**9), "s": Decimal(1), "cents": Decimal(100), "units": Decimal(1)}
"""How many of a stored unit make a second, or one of the currency (SVC-335, SVC-337; settings of section ocs)."""

UNLIMITED_VALUES = frozenset({Decimal(99_999_999), Decimal(999_999_999)})
"""What stands for "unlimited" minutes and messages (CAT-162, BIL-171)."""

DATA_STEPS = ((_("TB"), 1024**4), (_("GB"), 1024**3), (_("MB"), 1024**2), (_("KB"), 1024), (_("B"), 1))

_SAMPLE = _("1,234.5")
_MARKS = str.maketrans({",": _SAMPLE[1], ".": _SAMPLE[5]})
"""How the language writes a number: taken from a number, since most words here stand beside one."""

_GRANT = re.compile(r"(?<![0-9.])(\d+(?:\.\d+)?)[ _-]?(TB|GB|MB|MINUTES|MIN|SMS|MSG)(?![A-Z])", re.IGNORECASE)
_GRANT_UNITS: Mapping[str, tuple[str, int]] = {
    "TB": (DATA, 1024**4),
    "GB": (DATA, 1024**3),
    "MB": (DATA, 1024**2),
    "MINUTES": (VOICE, 60),
    "MIN": (VOICE, 60),
    "SMS": (SMS, 1),
    "MSG": (SMS, 1),
}
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:?\d\d)")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def balance_type(key: str) -> str:
    """Return the type of a key of the balance map: `*data`, and `*data*out` of older versions, are DATA."""
    return key.removeprefix("*").split("*")[0].upper()


def family(kind: str) -> str:
    """Return the type whose units a type shares: DATA_DONGLE counts as DATA (CAT-153)."""
    return kind.split("_")[0]


def to_unit(kind: str, stored: Decimal, *, voice: str, money: str) -> Decimal:
    """Return a stored value in the unit of UNITS; `voice` is ns or s, `money` cents or units."""
    if family(kind) == VOICE:
        return stored if stored in UNLIMITED_VALUES else stored / PER_UNIT[voice]
    if family(kind) == MONETARY:
        return stored / PER_UNIT[money]
    return stored


def is_unlimited(kind: str, value: Decimal, balance_id: str) -> bool:
    """Tell whether a bucket is one that is never used up: by its value or its name (CAT-162, SVC-345)."""
    counted = family(kind) in (VOICE, SMS) and (value in UNLIMITED_VALUES or value >= max(UNLIMITED_VALUES))
    return counted or "unlimited" in balance_id.lower()


def granted_by_name(kind: str, balance_id: str) -> Decimal | None:
    """Return what a bucket held at first, when its name says so: DATA_10GB, VOICE_500min (SVC-342)."""
    for amount, unit in _GRANT.findall(balance_id):
        of_kind, size = _GRANT_UNITS[unit.upper()]
        if of_kind == family(kind):
            return Decimal(amount) * size
    return None


def remaining_percent(value: Decimal, granted: Decimal | None) -> int | None:
    """Return remaining over granted in percent, rounded down and within 0..100 (SVC-339): 12.5 of 20 is 62."""
    if granted is None or granted <= 0:
        return None
    return max(0, min(100, math.floor(value * 100 / granted)))


def data_text(amount: Decimal) -> str:
    """Return bytes in the largest fitting 1024-based unit (CAT-418, SVC-334): 13421772800 is 12.5 GB."""
    unit, size = next(((unit, size) for unit, size in DATA_STEPS if abs(amount) >= size), DATA_STEPS[-1])
    return f"{short(amount / size)} {unit}"


def short(number: Decimal) -> str:
    """Return a number with at most two decimals and no empty ones; cut, so that nobody is promised more."""
    text = f"{number.quantize(Decimal('0.01'), ROUND_DOWN):,f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.translate(_MARKS)


def description(kind: str, value: Decimal, *, unlimited: bool, money: str) -> str:
    """Return what is left in words (CAT-161, CAT-418..420); `money` is the value as an amount of money."""
    like = family(kind)
    if unlimited:
        return {VOICE: _("Unlimited minutes"), SMS: _("Unlimited SMS")}.get(like, _("Unlimited"))
    if like == MONETARY:
        return _("{money} credit").format(money=money)
    if like == VOICE:
        return _("{number} minutes remaining").format(number=short(value / _MINUTE))
    if like == SMS:
        return _("{number} SMS remaining").format(number=short(value))
    return _("{amount} remaining").format(amount=data_text(value) if like == DATA else short(value))


def display_name(balance_id: str) -> str:
    """Return a name that people can read (CAT-159): `DATA_10GB` becomes "Data 10GB"."""
    words = balance_id.replace("_", " ").split()
    return " ".join(
        word.capitalize() if word.isalpha() and word.isupper() and len(word) > 3 else word for word in words
    )


def moment(text: object) -> datetime | None:
    """Return an instant of the charging system; its year 1, and nothing, mean never (SVC-330).

    It writes nanoseconds, which are cut to microseconds. Raises ValueError for anything else.
    """
    if text is None or text == "":
        return None
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("not an instant")
    instant = datetime.fromisoformat(f"{found[1]}.{(found[2] or '0').ljust(6, '0')}{found[3].replace('Z', '+00:00')}")
    return None if instant.year == 1 else instant.astimezone(UTC)


def relative(when: datetime | None, now: datetime) -> str:
    """Return how far away an instant is (CAT-160, CAT-166): "in 11 days", "tomorrow", "expired", "never"."""
    if when is None:
        return _("never")
    seconds = int((when - now).total_seconds())
    if seconds <= 0:
        return _("expired")
    if seconds < _HOUR:
        minutes = max(1, seconds // _MINUTE)
        return ngettext("in {n} minute", "in {n} minutes", minutes).format(n=minutes)
    if seconds < _DAY:
        hours = seconds // _HOUR
        return ngettext("in {n} hour", "in {n} hours", hours).format(n=hours)
    days = seconds // _DAY
    return _("tomorrow") if days == 1 else ngettext("in {n} day", "in {n} days", days).format(n=days)


def plan_parts(action_plan_id: str) -> dict[str, str]:
    """Return the named parts of an action plan's id (CAT-391, SVC-357): Key_Value, joined by two underscores.

    In a value underscores stand for spaces, except in a service's UUID. Parts without a value are left out:
    ids of other shapes are nobody's mistake.
    """
    parts: dict[str, str] = {}
    for part in action_plan_id.split("__"):
        key, found, value = part.partition("_")
        if found and key:
            parts[key] = value if key.endswith("ID") else value.replace("_", " ")
    return parts
