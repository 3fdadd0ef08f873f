"""`E`: a list as a file, by keyboard."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from omnicrm_tui import exports
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Window
from screens.export import ExportDialog
from tests.screens.harness import press, screen_text, settled, signed_in_app, type_text, until
from tests.screens.people import NAMES, add_people
from widgets.entity_table import EntityTable


def files(crm: Crm) -> list[Path]:
    folder = crm.settings.exports_folder
    return sorted(folder.iterdir()) if folder.exists() else []


def names_in(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[1] for row in csv.reader(file)][1:]


async def test_all_that_matches_is_written_and_its_path_is_told(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, (120, 40)) as pilot:
        await press(pilot, "E")
        assert "all 6" in screen_text(pilot.app)
        await press(pilot, "c")
        await until(pilot, lambda: "6 rows are in" in screen_text(pilot.app))
        assert "customers-2026-11-21-120000.csv" in "".join(screen_text(pilot.app).split())
        await press(pilot, "enter")
        assert "rows are in" not in screen_text(pilot.app)
        await press(pilot, "slash")
        await type_text(pilot, "lovel")
        await until(pilot, lambda: "1 of 1" in screen_text(pilot.app))
        await press(pilot, "enter", "E")
        assert "all 1 that match" in screen_text(pilot.app)
        await press(pilot, "j")
        await until(pilot, lambda: "1 row is in" in screen_text(pilot.app))
    table, data = files(crm)
    assert sorted(names_in(table)) == sorted(name.replace("\x1b", "␛") for name in NAMES)
    assert [(row["customer_name"], row["created"]) for row in json.loads(data.read_text())] == [
        ("Ada Lovelace", "2026-11-21T12:00:00+00:00")
    ]


async def test_marked_rows_are_written_alone_or_a_takes_all(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "space", "down", "down", "space", "E")
        assert "the 2 marked rows" in screen_text(pilot.app)
        await press(pilot, "c")
        await until(pilot, lambda: "2 rows are in" in screen_text(pilot.app))
        await press(pilot, "escape", "E", "a")
        assert "all 6" in screen_text(pilot.app)
        await press(pilot, "c")
        await until(pilot, lambda: "6 rows are in" in screen_text(pilot.app))
        await press(pilot, "escape", "space", "space", "asterisk", "down", "space", "E")
        assert "all 6 but 1" in screen_text(pilot.app)
        await press(pilot, "c")
        await until(pilot, lambda: "5 rows are in" in screen_text(pilot.app))
    assert [len(names_in(path)) for path in sorted(files(crm), key=lambda path: path.stat().st_mtime_ns)] == [2, 6, 5]


class Gated:
    """A source that answers the windows of an export one at a time, when it is told to."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.entered, self.open = Event(), Event()

    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[Any]:
        if limit == 1 and anchor.key is not None:
            self.entered.set()
            assert self.open.wait(20)
        found: Window[Any] = self._source.window(query, anchor, limit)
        return found

    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        found: Count = self._source.count(query, cap)
        return found


async def test_esc_stops_the_writing_and_nothing_is_left(
    crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_people(crm, admin)
    monkeypatch.setattr(exports, "WINDOW_ROWS", 1)
    async with signed_in_app(crm, admin) as pilot:
        table = pilot.app.screen.query_one(EntityTable)
        gate = table.source = Gated(table.source)
        await pilot.press("E", "c")
        await until(pilot, gate.entered.is_set)
        await until(pilot, lambda: "esc stop" in screen_text(pilot.app))
        assert len(files(crm)) == 1
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ExportDialog))
        gate.open.set()
        await until(pilot, lambda: not files(crm))
        await settled(pilot)


async def test_a_folder_that_cannot_be_written_is_told_and_tried_again(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    crm.settings.exports_folder.write_text("in the way")
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "E", "c")
        await until(pilot, lambda: "cannot be written" in screen_text(pilot.app))
        crm.settings.exports_folder.unlink()
        await press(pilot, "c")
        await until(pilot, lambda: "6 rows are in" in screen_text(pilot.app))


OWN = frozenset({"view_own_customer", "view_own_customer_contact"})


async def test_a_customers_user_gets_no_rows_of_others(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    user = Actor(ActorKind.CUSTOMER, "ada", permissions=OWN, own_customer_id=1)
    async with signed_in_app(crm, user) as pilot:
        await press(pilot, "E", "c")
        await until(pilot, lambda: "1 row is in" in screen_text(pilot.app))
    assert names_in(files(crm)[0]) == ["Ada Lovelace"]


LISTS: Mapping[str, str] = {
    "2": "customer-1-contacts",
    "3": "customer-1-sites",
    "4": "customer-1-services",
    "5": "customer-1-transactions",
    "7": "customer-1-activity",
}


@pytest.mark.parametrize("form", ["c", "j"])
async def test_every_list_of_a_customer_can_be_written(crm: Crm, admin: Actor, form: str) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "c 1")
        await press(pilot, "enter")
        for tab in LISTS:
            await press(pilot, tab, "E", form)
            await until(pilot, lambda: re.search("row(s are| is) in", screen_text(pilot.app)) is not None)
            await press(pilot, "enter")
    made = files(crm)
    assert sorted(path.name.partition("-2026")[0] for path in made) == sorted(LISTS.values())
    assert all(path.stat().st_size > 20 for path in made)
