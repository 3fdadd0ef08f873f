"""When an action plan is due: its timing read from a request, and the next moment after a given one."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from omnicrm_tui.lab.ocs_errors import OcsError
from omnicrm_tui.lab.ocs_time import parse_duration

ASAP: Final = "*asap"
_CLOCK_TIME: Final = re.compile(r"\d{1,2}:\d{1,2}:\d{1,2}", re.ASCII)
_DAYS_AHEAD: Final = 366 * 8


def make_timing(asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the timing of one entry of a plan; a word such as *monthly in `Time` means "from now on, monthly".

    Raises OcsError for a `Time` that is neither such a word, nor *asap, "+duration", nor hh:mm:ss.
    """
    word = asked["Time"]
    at = now.strftime("%H:%M:%S")
    words: dict[str, dict[str, Any]] = {
        "*every_minute": {"StartTime": f"*:*:{now.second}"},
        "*hourly": {"StartTime": f"*:{now.minute}:{now.second}"},
        "*daily": {"StartTime": at},
        "*weekly": {"StartTime": at, "WeekDays": [now.isoweekday() % 7]},
        "*monthly": {"StartTime": at, "MonthDays": [now.day]},
        "*monthly_estimated": {"StartTime": at, "MonthDays": [now.day]},
        "*month_end": {"StartTime": at, "MonthDays": [-1]},
        "*yearly": {"StartTime": at, "Months": [now.month], "MonthDays": [now.day]},
    }
    empty = {"ID": "", "Years": [], "Months": [], "MonthDays": [], "WeekDays": [], "StartTime": "", "EndTime": ""}
    if word in words:
        return {**empty, "ID": word, **words[word]}
    if word not in ("", ASAP) and not word.startswith("+") and not _CLOCK_TIME.fullmatch(word):
        raise OcsError(f"UNSUPPORTED_FORMAT:{word}")
    lists = {name: _numbers(asked[name]) for name in ("Years", "Months", "MonthDays", "WeekDays")}
    return {**empty, "ID": asked["TimingID"], **lists, "StartTime": word}


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(";") if re.fullmatch(r"-?\d{1,4}", part.strip(), re.ASCII)]


def next_run(timing: Mapping[str, Any], made: datetime, after: datetime) -> datetime | None:
    """Return the first moment later than `after`; None when there is none (*asap, or years that have passed).

    `made` is when the plan was written: "+duration" counts from there.
    """
    start = timing["StartTime"] or "00:00:00"
    if start == ASAP:
        return None
    if start.startswith("+"):
        try:
            due = made + timedelta(microseconds=parse_duration(start[1:]) / 1_000)
        except (OcsError, OverflowError):
            return None
        return due if due > after else None
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(_DAYS_AHEAD):
        if _on_day(timing, day):
            for moment in _moments(start, day):
                if moment > after:
                    return moment
        try:
            day += timedelta(days=1)
        except OverflowError:
            return None
    return None


def _moments(start: str, day: datetime) -> list[datetime]:
    hours, minutes, seconds = start.split(":")
    return [
        day + timedelta(hours=hour, minutes=minute, seconds=int(seconds))
        for hour in (range(24) if hours == "*" else (int(hours),))
        for minute in (range(60) if minutes == "*" else (int(minutes),))
    ]


def _on_day(timing: Mapping[str, Any], day: datetime) -> bool:
    years, months = timing["Years"], timing["Months"]
    # A year without a month means January, a month without a day the first: the engine fills them in so.
    months = months or ([1] if years else [])
    days = timing["MonthDays"] or ([1] if months and not timing["WeekDays"] else [])
    if (years and day.year not in years) or (months and day.month not in months):
        return False
    last = calendar.monthrange(day.year, day.month)[1]
    wanted = {last if number == -1 else number for number in days}
    if timing["ID"] == "*monthly_estimated":
        wanted = {min(number, last) for number in wanted}
    in_days, in_week = day.day in wanted, day.isoweekday() % 7 in timing["WeekDays"]
    if wanted and timing["WeekDays"]:
        return in_days or in_week
    return in_days if wanted else (in_week or not timing["WeekDays"])
