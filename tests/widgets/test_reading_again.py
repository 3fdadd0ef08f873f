"""A list that is read again: after an error, at a key, or when one comes back to its place."""

from __future__ import annotations

import pytest

from omnicrm_tui.listing import FIRST, ListQuery
from tests.widgets.lists import Gate, ListRows, TableApp, ids, lines, settled, things, until


async def test_an_error_is_one_line_and_r_tries_again() -> None:
    source = ListRows(things(300))
    source.error = OSError("database is \x1b[31mlocked\nSELECT * FROM secrets")
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert lines(app)[0] == "! The list cannot be read: database is ␛[31mlocked.  Press r to try again."
        assert app.table.status.error
        await pilot.press("j", "pagedown", "G", "enter")
        await settled(pilot)
        source.error = None
        await pilot.press("r")
        await settled(pilot)
        assert ids(app)[0] == 1
        assert lines(app)[0].split() == ["Id", "Name", "Kind"]
        assert lines(app)[-1] == " 1 of 300"


async def test_rows_stay_when_reading_on_fails() -> None:
    source = ListRows(things(300))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        source.error = ValueError()
        await pilot.press("G")
        await settled(pilot)
        assert "ValueError" in lines(app)[0]
        assert ids(app)[0] == 1
        calls = len(source.windows)
        await pilot.press("j", "j", "j")
        await settled(pilot)
        assert len(source.windows) == calls


async def test_refresh_keeps_the_place_and_shows_what_changed() -> None:
    source = ListRows(things(1000))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        await pilot.press(*["pagedown"] * 12, "j", "k", "k")
        await settled(pilot)
        before, row = ids(app), app.table.row
        source.rows = [r for r in source.rows if r.id != before[3]]
        await pilot.press("r")
        await settled(pilot)
        assert app.table.row == row
        assert ids(app)[:-1] == [i for i in before if i != before[3]]


@pytest.mark.parametrize("fails", [False, True])
async def test_refresh_before_another_order_arrived_begins_that_order(fails: bool) -> None:
    """The rows on screen have keys of the old order: a name is no place in a list by date."""
    source = ListRows(things(300))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "pagedown")
        await settled(pilot)
        gate = source.gate = Gate(lambda query, anchor: query.sort == "name")
        source.error = OSError("gone") if fails else None
        await pilot.press("s")
        await until(pilot, gate.held.is_set)
        if fails:
            gate.open()
            await settled(pilot)
            source.error = None
        await pilot.press("r")
        gate.open()
        await settled(pilot)
        assert {anchor for query, anchor in source.windows if query.sort == "name"} == {FIRST}
        assert ids(app) == [row.id for row in source.matching(ListQuery(sort="name"))][:22]


async def test_refresh_on_the_way_to_a_place_still_arrives_there() -> None:
    source = ListRows(things(3000))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        await pilot.press(*["pagedown"] * 5)
        await settled(pilot)
        place = app.table.state()
        app.table.show(ListQuery())
        await settled(pilot)
        gate = source.gate = Gate(lambda query, anchor: True)
        app.table.restore(place)
        app.table.reload()
        app.table.reload()
        gate.open()
        await settled(pilot)
        assert app.table.state() == place


async def test_a_new_table_comes_back_to_where_the_old_one_was() -> None:
    source = ListRows(things(3000))
    first = TableApp(source)
    async with first.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        await pilot.press("S")
        await settled(pilot)
        await pilot.press(*["pagedown"] * 5, "k", "space", "j")
        await settled(pilot)
        place, seen, row = first.table.state(), ids(first), first.table.row
    second = TableApp(source)
    second.table._place = place
    async with second.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert (ids(second), second.table.row) == (seen, row)
        assert second.table.selection.ids == place.marks
        assert second.table.state() == place


async def test_a_place_is_not_lost_while_it_is_being_read() -> None:
    source = ListRows(things(3000))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*["pagedown"] * 5)
        await settled(pilot)
        place = app.table.state()
        gate = source.gate = Gate(lambda query, anchor: True)
        app.table.show(ListQuery())
        app.table.restore(place)
        assert app.table.state() == place
        gate.open()
        await settled(pilot)
        assert app.table.state() == place
