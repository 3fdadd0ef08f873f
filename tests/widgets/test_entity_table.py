"""What the table does for its user, in memory and without a terminal."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from omnicrm_tui.listing import FIRST, Count, ListQuery
from tests.widgets.lists import Gate, ListRows, TableApp, grid_of, ids, lines, settled, things, until
from widgets import entity_table
from widgets.entity_table import Column, EntityTable
from widgets.marks import Selection
from widgets.row_cache import KEPT_ROWS, PAGE_ROWS
from widgets.scroll_region import scrolls_by_rows


async def test_it_opens_on_the_first_row_and_says_how_many_there_are() -> None:
    app = TableApp(ListRows(things(300)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert ids(app) == list(range(1, 23))
        assert lines(app)[0].split() == ["Id", "Name", "Kind"]
        assert lines(app)[1].startswith("›")
        assert lines(app)[-1] == " 1 of 300"


async def test_a_count_beyond_the_cap_is_said_as_such() -> None:
    app = TableApp(ListRows(things(10_050)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert lines(app)[-1] == " 1 of 10,000+"
        assert app.table.status.count == Count(10_000, capped=True)


@pytest.mark.parametrize("key", ["G", "end", "ctrl+end", "ctrl+d"])
async def test_the_last_row_is_one_key_away(key: str) -> None:
    app = TableApp(ListRows(things(5000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert app.table.row is not None
        assert app.table.row.id == 5000
        assert ids(app)[-1] == 5000
        assert lines(app)[-1] == " 5,000 of 5,000"


@pytest.mark.parametrize("keys", [["home"], ["g", "g"], ["ctrl+a"], ["ctrl+home"]])
async def test_and_so_is_the_first(keys: list[str]) -> None:
    app = TableApp(ListRows(things(5000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("G")
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)
        assert ids(app)[0] == 1
        assert lines(app)[-1] == " 1 of 5,000"


async def test_a_key_after_g_is_left_to_the_app() -> None:
    app = TableApp(ListRows(things(50)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "g", "c", "g")
        assert app.keys[-3:] == ["g", "c", "g"]
        assert app.table.status.position == 2
        await pilot.press("g")
        assert app.table.status.position == 1


async def test_an_app_with_keys_that_begin_with_g_gets_them_all() -> None:
    app = TableApp(ListRows(things(50)))
    app.bind("g", "leave")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "g", "g")
        assert app.left == 2
        assert app.table.status.position == 2
        await app.run_action("first", app.table)
        assert app.table.status.position == 1


async def test_moves_typed_while_a_jump_is_read_happen_after_it() -> None:
    source = ListRows(things(5000))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        gate = source.gate = Gate(lambda query, anchor: anchor.edge.value == "last")
        await pilot.press("G")
        await until(pilot, gate.held.is_set)
        await pilot.press("k", "k")
        gate.open()
        await settled(pilot)
        assert app.table.status.position == 4998


async def test_rows_that_are_not_there_yet_are_placeholders_until_they_arrive() -> None:
    source = ListRows(things(1000))
    source.gate = gate = Gate(lambda query, anchor: anchor != FIRST)
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(ids(app)))
        for _ in range(PAGE_ROWS // 22 + 1):
            await pilot.press("pagedown")
        assert lines(app)[-2] == "  …"
        assert app.table.row is None
        await pilot.press("enter", "space", "y")
        assert not app.opened
        gate.open()
        await settled(pilot)
        assert "  …" not in lines(app)
        assert app.table.row is not None
        assert ids(app) == list(range(ids(app)[0], ids(app)[0] + 22))


async def test_enter_and_a_double_click_open_the_row() -> None:
    app = TableApp(ListRows(things(50)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "enter")
        await pilot.click(grid_of(app), offset=(5, 6), times=2)
        await pilot.pause()
        assert [message.row.id for message in app.opened] == [2, 6]
        assert [message.key.id for message in app.opened] == [2, 6]
        assert app.opened[0].control is app.table


async def test_the_wheel_scrolls() -> None:
    app = TableApp(ListRows(things(50)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for _ in range(10):
            await pilot._post_mouse_events([events.MouseScrollDown], grid_of(app), (5, 5))
        assert app.table.status.position == 31
        assert ids(app)[-1] == 31


async def test_sorting_goes_through_the_sorts_and_back_to_the_start() -> None:
    source = ListRows(things(300))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "s")
        await settled(pilot)
        by_name = [row.id for row in source.matching(ListQuery(sort="name"))]
        assert ids(app) == by_name[:22]
        assert "Name ▲" in lines(app)[0]
        assert app.table.status.position == 1
        await pilot.press("S")
        await settled(pilot)
        assert ids(app) == by_name[::-1][:22]
        assert "Name ▼" in lines(app)[0]


async def test_search_asks_once_for_a_word_and_keeps_the_old_rows_until_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(entity_table, "DEBOUNCE_SECONDS", 0.5)  # a busy machine types slowly
    source = ListRows(things(300))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        gate = source.gate = Gate(lambda query, anchor: bool(query.search))
        await pilot.press("slash", "n", "0", "3", "7")
        assert app.query_one(Input).value == "n037"
        await until(pilot, gate.held.is_set)
        assert ids(app)[0] == 1
        gate.open()
        await settled(pilot)
        found = [row.id for row in source.matching(ListQuery(search="n037"))]
        assert ids(app) == found
        await until(pilot, lambda: lines(app)[-1] == f" 1 of {len(found)} · search: n037")
        assert [query.search for query, _ in source.windows if query.search] == ["n037"]


async def test_keys_that_come_in_one_packet_go_where_they_were_meant_to() -> None:
    """A slow link delivers "/n0", enter and "jj" at once."""
    app = TableApp(ListRows(things(300)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in ("slash", "n", "0"):
            app.post_message(events.Key(key, "/" if key == "slash" else key))
        await until(pilot, lambda: app.query_one(Input).value == "n0")
        for key in ("enter", "j", "j"):
            app.post_message(events.Key(key, None if key == "enter" else key))
        await settled(pilot)
        assert app.query_one(Input).value == "n0"
        assert grid_of(app).has_focus
        assert app.table.list_query.search == "n0"


async def test_a_late_answer_is_dropped() -> None:
    source = ListRows(things(300))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        gate = source.gate = Gate(lambda query, anchor: query.search == "n0")
        app.table.show(ListQuery(search="n0"))
        await until(pilot, gate.held.is_set)
        app.table.show(ListQuery(search="n037"))
        found = [row.id for row in source.matching(ListQuery(search="n037"))]
        await until(pilot, lambda: ids(app) == found)
        gate.open()
        await settled(pilot)
        assert ids(app) == found


async def test_escape_clears_the_search_and_then_belongs_to_the_screen() -> None:
    app = TableApp(ListRows(things(300)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("slash", "n", "9", "enter")
        await settled(pilot)
        assert grid_of(app).has_focus
        assert app.table.list_query.search == "n9"
        await pilot.press("escape")
        await settled(pilot)
        assert app.table.list_query == ListQuery()
        assert ids(app)[0] == 1
        assert not app.query_one(Input).display
        assert app.left == 0
        await pilot.press("escape")
        assert app.left == 1


async def test_nothing_found_and_nothing_there_are_said_differently() -> None:
    app = TableApp(ListRows([]))
    app.table._empty_text = "No things yet."
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "No things yet." in lines(app)[1]
        app.table.show(ListQuery(search="x"))
        await settled(pilot)
        assert "Nothing matches." in lines(app)[1]
        await pilot.press("j", "k", "G", "pagedown", "enter", "space", "V", "asterisk", "y", "E")
        await settled(pilot)
        assert not app.opened


async def test_filters_are_chosen_from_a_list_and_cleared() -> None:
    source = ListRows(things(300))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f", "down", "space")
        await settled(pilot)
        assert app.table.list_query.filters == {"kind": ("b",)}
        assert ids(app)[:3] == [1, 3, 5]
        assert "filtered" in lines(app)[-1]
        await pilot.press("escape")
        assert grid_of(app).has_focus
        await pilot.press("F")
        await settled(pilot)
        assert ids(app)[:3] == [1, 2, 3]


async def test_marks_belong_to_rows_and_outlive_a_sort() -> None:
    app = TableApp(ListRows(things(300)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("space", "j", "j", "space")
        assert app.table.selection == Selection(ListQuery(), frozenset({1, 3}))
        assert lines(app)[1].startswith(" •")
        assert lines(app)[-1].endswith("2 selected")
        await pilot.press("s")
        await settled(pilot)
        assert app.table.selection.ids == {1, 3}
        app.table.clear_selection()
        assert not app.table.selection


async def test_everything_that_matches_can_be_marked_but_for_some() -> None:
    app = TableApp(ListRows(things(300)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("asterisk")
        assert lines(app)[-1].endswith("all selected")
        assert all(line[1] == "•" for line in lines(app)[1:-1])
        await pilot.press("space")
        assert app.table.selection == Selection(ListQuery(), frozenset({1}), everything=True)
        assert lines(app)[-1].endswith("all selected but 1")
        app.table.show(ListQuery(search="n9"))
        await settled(pilot)
        assert not app.table.selection.everything


async def test_a_range_follows_the_cursor_and_can_be_given_up() -> None:
    app = TableApp(ListRows(things(300)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "V", "j", "j", "j", "k")
        assert app.table.selection.ids == {2, 3, 4}
        assert [line[1] for line in lines(app)[1:6]] == [" ", "•", "•", "•", " "]
        await pilot.press("escape")
        assert not app.table.selection
        await pilot.press("V", "pagedown", "pagedown", "V", "k")
        await settled(pilot)
        assert app.table.selection.ids == set(range(4, 49))


async def test_a_range_ends_where_the_rows_between_are_not_read() -> None:
    app = TableApp(ListRows(things(5000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("V", "j", "j", "G")
        await settled(pilot)
        assert app.table.selection.ids == {1, 2, 3}
        assert not app.table.status.marking_range
        await pilot.press("V", "k")
        assert app.table.selection.ids == {1, 2, 3, 4999, 5000}


async def test_y_copies_and_e_asks_for_an_export() -> None:
    app = TableApp(ListRows(things(50)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "y", "space", "E")
        await pilot.pause()
        assert app.clipboard == "2"
        assert app.exports[0].selection == Selection(ListQuery(), frozenset({2}))


async def test_rows_scroll_one_by_one_only_where_that_is_cheap() -> None:
    app = TableApp(ListRows(things(300)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert scrolls_by_rows(grid_of(app))
        app.scroll_region = False
        assert not scrolls_by_rows(grid_of(app))
        app.scroll_region = True
        app.table.styles.width = 60
        await pilot.pause()
        assert not scrolls_by_rows(grid_of(app))
        app.table.styles.width = "100%"
        await pilot.pause()
        app.notify("Something lies on the table.")
        await pilot.pause()
        assert not scrolls_by_rows(grid_of(app))


async def test_half_a_page_at_the_edge_where_the_terminal_cannot_scroll() -> None:
    app = TableApp(ListRows(things(300)))
    app.table.scrolls_by_rows = False
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*["down"] * 22)
        assert app.table.status.position == 23
        assert ids(app)[0] == 13


async def test_a_smaller_terminal_keeps_the_cursor_in_view() -> None:
    app = TableApp(ListRows(things(300)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press(*["down"] * 30)
        await pilot.resize_terminal(40, 12)
        await settled(pilot)
        assert 31 in ids(app)
        assert lines(app)[0].split() == ["Id", "Name", "Kind"]
        await pilot.resize_terminal(20, 12)
        await settled(pilot)
        assert lines(app)[0].split() == ["Id", "Name"]


async def test_user_text_is_literal_and_every_line_is_as_wide_as_the_table() -> None:
    odd = ["[bold]Bob[/bold]", "\x1b[31mred", "王小明" * 30, "مريم", "e\u0301\u0301", "a\nb", "\u202eevil"]
    source = ListRows([thing.__class__(thing.id, odd[i % len(odd)]) for i, thing in enumerate(things(30))])
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        text = "\n".join(lines(app))
        assert "[bold]Bob[/bold]" in text
        assert "␛[31mred" in text
        assert {grid_of(app).render_line(y).cell_length for y in range(24)} == {80}


async def test_a_million_rows_take_no_more_memory_than_thousands() -> None:
    source = ListRows(things(20_000))
    app = TableApp(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for _ in range(30):
            app.table._grid.go(app.table._window.stop - 1)
            app.table._after_move()
            await settled(pilot)
        assert len(app.table._window) <= KEPT_ROWS
        assert app.table._window.start > 0
        row = app.table.row
        assert row is not None
        assert app.table.status.position == row.id


async def test_every_binding_has_an_id_and_a_description() -> None:
    bindings = [binding for binding in EntityTable.BINDINGS if not isinstance(binding, tuple)]
    assert all(binding.id and binding.description for binding in bindings)
    assert len({binding.id for binding in bindings}) == len(bindings)


def test_columns_can_name_their_row_type() -> None:
    assert Column[int]("n", str).title == "n"
