"""Times of the charging engine: expiry texts and the next run of a plan."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from omnicrm_tui.lab.ocs_errors import OcsError
from omnicrm_tui.lab.ocs_time import parse_duration, parse_time, show_time
from omnicrm_tui.lab.ocs_timing import make_timing, next_run

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.req("CAT-417")
@pytest.mark.req("SVC-519", "CAT-495")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*unlimited", "0001-01-01T00:00:00Z"),
        ("", "0001-01-01T00:00:00Z"),
        ("0", "0001-01-01T00:00:00Z"),
        ("+4320h", "2026-07-30T12:00:00Z"),
        ("+720h", "2026-03-02T12:00:00Z"),
        ("+1h30m", "2026-01-31T13:30:00Z"),
        ("-1h", "2026-01-31T11:00:00Z"),
        ("*now", "2026-01-31T12:00:00Z"),
        ("*daily", "2026-02-01T12:00:00Z"),
        ("*monthly", "2026-03-03T12:00:00Z"),
        ("*monthly_estimated", "2026-02-28T12:00:00Z"),
        ("*yearly", "2027-01-31T12:00:00Z"),
        ("*month_end", "2026-01-31T23:59:59Z"),
        ("*month_end+1h", "2026-02-01T00:59:59Z"),
        ("*mo+2h", "2026-03-03T14:00:00Z"),
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        ("2030-01-01T00:00:00.25+02:00", "2030-01-01T00:00:00.25+02:00"),
        ("2030-01-01 10:11:12", "2030-01-01T10:11:12Z"),
        ("1893456000", "2030-01-01T00:00:00Z"),
        ("1893456000000", "2030-01-01T00:00:00Z"),
    ],
)
def test_expiry_texts(text: str, shown: str) -> None:
    assert show_time(parse_time(text, NOW)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "720h",
        "2027-02-03",
        "*fortnightly",
        "2027-13-01T00:00:00Z",
        "+h",
        "+99999999999h",
        "+2000000h x",
        "*mo+",
    ],
)
def test_unreadable_expiry_texts(text: str) -> None:
    with pytest.raises(OcsError, match=r"Unsupported time format|invalid duration"):
        parse_time(text, NOW)


def test_durations_are_nanoseconds() -> None:
    assert parse_duration("10m") == 600_000_000_000
    assert parse_duration("-1.5s") == -1_500_000_000


def timing(**asked: str) -> dict[str, Any]:
    empty = dict.fromkeys(("TimingID", "Years", "Months", "MonthDays", "WeekDays"), "")
    return make_timing({**empty, **asked}, NOW)


@pytest.mark.req("SVC-521", "CAT-501")
@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ({"Time": "00:00:00", "MonthDays": "1"}, datetime(2026, 2, 1, tzinfo=UTC)),
        ({"Time": "13:00:00", "MonthDays": "*any"}, datetime(2026, 1, 31, 13, tzinfo=UTC)),
        ({"Time": "11:00:00"}, datetime(2026, 2, 1, 11, tzinfo=UTC)),
        ({"Time": "00:00:00", "Years": "2028"}, datetime(2028, 1, 1, tzinfo=UTC)),
        ({"Time": "00:00:00", "WeekDays": "1"}, datetime(2026, 2, 2, tzinfo=UTC)),
        ({"Time": "*monthly"}, datetime(2026, 3, 31, 12, tzinfo=UTC)),
        ({"Time": "*monthly_estimated"}, datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ({"Time": "*hourly"}, datetime(2026, 1, 31, 13, tzinfo=UTC)),
        ({"Time": "+2h"}, datetime(2026, 1, 31, 14, tzinfo=UTC)),
        ({"Time": "*asap"}, None),
        ({"Time": "00:00:00", "Years": "2020"}, None),
    ],
)
def test_the_next_run_of_a_plan(asked: dict[str, str], due: datetime | None) -> None:
    assert next_run(timing(**asked), NOW, NOW) == due


def test_an_unreadable_time_of_day_is_refused() -> None:
    with pytest.raises(OcsError, match="UNSUPPORTED_FORMAT:noon"):
        timing(Time="noon")
