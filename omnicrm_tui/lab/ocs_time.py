"""Times as the charging engine reads and writes them: expiry words, durations, RFC 3339, calendar steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from omnicrm_tui.lab.ocs_errors import OcsError

ZERO_TIME: Final = "0001-01-01T00:00:00Z"
"""How the engine writes "never"."""

_UNIT_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_STEP: Final = re.compile(r"(\d{1,18}(?:\.\d{0,9})?|\.\d{1,9})(ns|us|µs|ms|s|m|h)", re.ASCII)
_DURATION: Final = re.compile(rf"([+-]?)((?:{_STEP.pattern})+)", re.ASCII)
_LONGEST_NS: Final = 2**63 - 1
_RFC3339: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_PLAIN_DATES: Final = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"\d{14}", re.ASCII), "%Y%m%d%H%M%S"),
)
_UNIX: Final = {10: 1, 13: 1_000, 19: 1_000_000_000}


def parse_duration(text: str) -> int:
    """Return the nanoseconds of a duration such as "720h", "1m30s" or "-5s"; raises OcsError."""
    found = _DURATION.fullmatch(text)
    if text in ("0", "+0", "-0"):
        return 0
    if not found:
        raise OcsError(f'time: invalid duration "{text}"')
    total = sum(int(Decimal(number) * _UNIT_NS[unit]) for number, unit in _STEP.findall(found[2]))
    if total > _LONGEST_NS:
        raise OcsError(f'time: invalid duration "{text}"')
    return -total if found[1] == "-" else total


def parse_time(text: str, now: datetime) -> datetime | None:
    """Return the moment an expiry text means, None for never; raises OcsError("Unsupported time format").

    Reads *unlimited, *now, *daily, *monthly, *monthly_estimated, *yearly, *month_end[+d], *mo[+d], +d, -d,
    RFC 3339, "YYYY-MM-DD hh:mm:ss" and Unix seconds, milliseconds or nanoseconds.
    """
    text = text.strip()
    if text in ("", "0", "*unlimited"):
        return None
    try:
        moment = _from_word(text, now) or _from_date(text)
    except (ValueError, OverflowError):
        raise OcsError("Unsupported time format") from None
    if moment is None:
        raise OcsError("Unsupported time format")
    return moment if moment.year > 1 else None


def _from_word(text: str, now: datetime) -> datetime | None:
    exact: dict[str, Callable[[], datetime]] = {
        "*now": lambda: now,
        "*daily": lambda: now + timedelta(days=1),
        "*monthly": lambda: add_months(now, 1),
        "*monthly_estimated": lambda: _month_estimated(now),
        "*yearly": lambda: add_months(now, 12),
    }
    if text in exact:
        return exact[text]()
    for prefix, base in (("*month_end", _end_of_month), ("*mo", lambda moment: add_months(moment, 1))):
        if text.startswith(prefix):
            return base(now) + _extra(text)
    if text[0] in "+-":
        return now + timedelta(microseconds=parse_duration(text) / 1_000)
    return None


def _extra(text: str) -> timedelta:
    word, plus, rest = text.partition("+")
    if word not in ("*month_end", "*mo"):
        raise ValueError(text)
    return timedelta(microseconds=parse_duration(rest) / 1_000) if plus else timedelta()


def _from_date(text: str) -> datetime | None:
    found = _RFC3339.fullmatch(text)
    if found:
        zone = "+00:00" if found[3] == "Z" else found[3]
        return datetime.fromisoformat(f"{found[1]}.{(found[2] or '0')[:6]:0<6}{zone}")
    for pattern, layout in _PLAIN_DATES:
        if pattern.fullmatch(text):
            return datetime.strptime(text, layout).replace(tzinfo=UTC)
    if text.isascii() and text.isdigit() and len(text) in _UNIX:
        return datetime.fromtimestamp(int(text) / _UNIX[len(text)], UTC)
    return None


def add_months(moment: datetime, months: int) -> datetime:
    """Add calendar months; a day that the month lacks runs over into the next one (31 January -> 3 March)."""
    years, month = divmod(moment.month - 1 + months, 12)
    first = moment.replace(year=moment.year + years, month=month + 1, day=1)
    return first + timedelta(days=moment.day - 1)


def _month_estimated(moment: datetime) -> datetime:
    later = add_months(moment, 1)
    return later if later.day == moment.day else later - timedelta(days=later.day)


def _end_of_month(moment: datetime) -> datetime:
    midnight = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return add_months(midnight, 1) - timedelta(seconds=1)


def show_time(moment: datetime | None) -> str:
    """Write a moment as the engine does: RFC 3339, no trailing zeros, the zone that it came with."""
    if moment is None:
        return ZERO_TIME
    text = moment.replace(tzinfo=None).isoformat()
    if "." in text:
        text = text.rstrip("0")
    offset = moment.isoformat()[-6:]
    return text + ("Z" if not moment.utcoffset() else offset)
