"""Export files: whole or not at all, harmless to open, readable by their owner alone."""

from __future__ import annotations

import csv
import json
import os
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from omnicrm_tui.exports import WINDOW_ROWS, Export, ExportFailed, Format, Stopped, Wanted, defused, write
from omnicrm_tui.listing import Anchor, Count, ListQuery, RowKey, Window


@dataclass(frozen=True, slots=True)
class Tag:
    word: str


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    name: str
    amount: Decimal = Decimal("10.50")
    at: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)
    day: date = date(2026, 11, 21)
    tags: tuple[Tag, ...] = ()


class Lines:
    """A source of `size` lines; a search keeps those whose name holds it."""

    def __init__(self, size: int, names: dict[int, str] | None = None) -> None:
        self._size = size
        self._names = names or {}
        self.asked = 0

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[Line]:
        self.asked += 1
        start = anchor.key.id + 1 if anchor.key else 1
        found: Iterable[int] = (i for i in range(start, self._size + 1) if query.search in self._name(i))
        ids = [i for _, i in zip(range(limit + 1), found, strict=False)]
        rows = [Line(i, self._name(i)) for i in ids[:limit]]
        return Window(rows, [RowKey(row.id, row.id) for row in rows], start > 1, len(ids) > limit)

    def _name(self, i: int) -> str:
        return self._names.get(i, f"name {i}")

    def count(self, query: ListQuery, cap: int = 0) -> Count:
        return Count(self._size)


COLUMNS = (("Id", lambda row: str(row.id)), ("Name", lambda row: row.name))


def export(source: Lines, format: Format = "csv", wanted: Wanted | None = None) -> Export[Line]:
    return Export(source, wanted or Wanted(ListQuery()), COLUMNS, format)


def ignore(_rows: int) -> None:
    pass


@pytest.mark.parametrize("format", ["csv", "json"])
def test_a_long_list_is_written_whole_in_little_memory(tmp_path: Path, format: Format) -> None:
    progress: list[int] = []
    tracemalloc.start()
    path, rows = write(export(Lines(20_000), format), tmp_path / "exports", "people", progress.append)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    text = path.read_text(encoding="utf-8")
    ids = (
        [int(row[0]) for row in csv.reader(text.splitlines()[1:])]
        if format == "csv"
        else [row["id"] for row in json.loads(text)]
    )
    assert ids == list(range(1, 20_001))
    assert rows == 20_000
    assert progress[:2] == [WINDOW_ROWS, 2 * WINDOW_ROWS]
    assert peak < 3_000_000


def test_files_are_the_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "exports"
    old = os.umask(0)
    try:
        first, _rows = write(export(Lines(1)), folder, "people", ignore)
    finally:
        os.umask(old)
    before = first.read_bytes()
    second, _rows = write(export(Lines(2)), folder, "people", ignore)
    assert (first.name, second.name) == ("people.csv", "people-2.csv")
    assert first.read_bytes() == before
    assert not before.startswith(b"\xef\xbb\xbf")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "people.csv").symlink_to(tmp_path / "elsewhere")
    path, _rows = write(export(Lines(1)), tmp_path, "people", ignore)
    assert path.name == "people-2.csv"
    assert not (tmp_path / "elsewhere").exists()


FORMULAS = (
    "=SUM(A1:A9)",
    '=HYPERLINK("http://x.example";"Ada")',
    "+SUM(1)",
    "-A1",
    "@SUM(1)",
    "-2+3+cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1",
    "＝1+1",
    "+1+1",
    "-(A1)",
)
PLAIN = (
    "-",
    "-10.00",
    "-$10.00",
    "-US$1,000.00",
    "-CHF\xa010.00",
    "-10,00\xa0€",
    "-10,00\xa0NOK",
    "-1.5%",
    "+4722000000",
    "+44 (0)20-7946 0958",
    "Ada = Bob",
    "",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_take_for_a_formula_is_defused(text: str) -> None:
    assert defused(text).startswith("'")
    assert defused(text)[1] != "\t"


@pytest.mark.parametrize("text", PLAIN)
def test_amounts_and_phone_numbers_stay_as_they_are(text: str) -> None:
    assert defused(text) == text


NASTY = 'Zoë\x1b[31m\nRed\x9b2J\u202e, "x"'


def test_nothing_in_a_file_acts_on_a_terminal(tmp_path: Path) -> None:
    names = {1: NASTY, 2: "=SUM(A1:A9)", 3: "مريم 陳"}
    table = write(export(Lines(3, names)), tmp_path, "people", ignore)[0].read_text(encoding="utf-8")
    assert [row[1] for row in csv.reader(table.splitlines())] == [
        "Name",
        'Zoë␛[31m␊Red\ufffd2J\ufffd, "x"',
        "'=SUM(A1:A9)",
        "مريم 陳",
    ]
    data = write(export(Lines(3, names), "json"), tmp_path, "people", ignore)[0].read_text(encoding="utf-8")
    assert not {"\x1b", "\x9b", "\u202e"} & set(data)
    assert "مريم" in data
    assert [row["name"] for row in json.loads(data)] == list(names.values())


def test_json_holds_all_fields_with_exact_amounts_and_iso_dates(tmp_path: Path) -> None:
    class OneLine(Lines):
        def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[Line]:
            return Window([Line(1, "Ada", tags=(Tag("vip"),))], [RowKey(1, 1)], False, False)

    path, _rows = write(export(OneLine(1), "json"), tmp_path, "people", ignore)
    assert json.loads(path.read_text()) == [
        {
            "id": 1,
            "name": "Ada",
            "amount": "10.50",
            "at": "2026-11-21T12:00:00+00:00",
            "day": "2026-11-21",
            "tags": [{"word": "vip"}],
        }
    ]


def test_an_empty_list_is_a_heading_or_an_empty_array(tmp_path: Path) -> None:
    assert write(export(Lines(0)), tmp_path, "people", ignore)[0].read_text() == "Id,Name\n"
    assert json.loads(write(export(Lines(0), "json"), tmp_path, "people", ignore)[0].read_text()) == []


def ids_in(path: Path) -> list[int]:
    return [int(line.split(",")[0]) for line in path.read_text().splitlines()[1:]]


def test_chosen_rows_are_written_although_they_no_longer_match(tmp_path: Path) -> None:
    source = Lines(5000, {1800: "Ada"})
    wanted = Wanted(ListQuery(search="Ada"), frozenset({7, 1800}))
    path, rows = write(export(source, wanted=wanted), tmp_path, "people", ignore)
    assert (ids_in(path), rows) == ([1800, 7], 2)
    assert source.asked == 2


def test_rows_left_out_of_all_are_not_written(tmp_path: Path) -> None:
    path, _rows = write(
        export(Lines(4), wanted=Wanted(ListQuery(), without=frozenset({2, 4}))), tmp_path, "people", ignore
    )
    assert ids_in(path) == [1, 3]


def test_a_stopped_export_leaves_nothing(tmp_path: Path) -> None:
    def stop(rows: int) -> None:
        if rows >= 2 * WINDOW_ROWS:
            raise Stopped

    with pytest.raises(Stopped):
        write(export(Lines(20_000)), tmp_path, "people", stop)
    assert list(tmp_path.iterdir()) == []


def no_space(_file: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ExportFailed, match="No space left on device"):
        write(export(Lines(10)), tmp_path, "people", ignore)
    assert list(tmp_path.iterdir()) == []


def occupied(tmp_path: Path) -> Path:
    (tmp_path / "exports").write_text("a file")
    return tmp_path / "exports"


def linked_to_nothing(tmp_path: Path) -> Path:
    (tmp_path / "exports").symlink_to(tmp_path / "gone")
    return tmp_path / "exports"


@pytest.mark.parametrize("make", [occupied, linked_to_nothing])
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    folder = make(tmp_path)
    with pytest.raises(ExportFailed, match="cannot be written into"):
        write(export(Lines(1)), folder, "people", ignore)
