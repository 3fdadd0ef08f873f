"""Grids of check boxes, and the control for several of a few: by keyboard alone."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll

from widgets.check_grid import CheckGrid
from widgets.form import Field, Form

NAMES = {(0, 0): "admin", (1, 0): "view_a", (1, 1): "edit_a", (2, 0): "view_b", (2, 1): "edit_b"}


class GridApp(App[None]):
    def __init__(self, rows: int = 3) -> None:
        super().__init__()
        names = {**NAMES, **{(row, 0): f"view_{row}" for row in range(3, rows)}}
        self.grid = CheckGrid([f"row {row}" for row in range(rows)], ("View", "Edit"), names, {"view_a"})
        self.moved = 0

    def compose(self) -> ComposeResult:
        yield VerticalScroll(self.grid, can_focus=False)

    def on_mount(self) -> None:
        self.grid.focus()

    def on_check_grid_moved(self) -> None:
        self.moved += 1

    def line(self, y: int) -> str:
        return self.grid.render_line(y).text.rstrip()


async def test_a_box_is_taken_in_and_out_and_shows_that_it_changed() -> None:
    app = GridApp()
    async with app.run_test() as pilot:
        assert app.line(0).split() == ["View", "Edit"]
        assert app.line(1).split() == ["row", "0", "[", "]", "·"]
        await pilot.press("down", "space", "right", "enter")
        assert (app.grid.added, app.grid.removed) == ({"edit_a"}, {"view_a"})
        assert app.line(2).split() == ["row", "1", "[", "]*", "[x]*"]
        await pilot.press("space", "left", "space")
        assert (app.grid.added, app.grid.removed) == (set(), set())
        assert "*" not in app.line(2)
        await pilot.pause()
        assert app.moved > 0


async def test_where_there_is_no_box_nothing_changes_and_the_cursor_stops_at_the_ends() -> None:
    app = GridApp()
    async with app.run_test() as pilot:
        await pilot.press("right", "right", "up", "space")
        assert (app.grid.name_here, app.grid.checked) == ("", {"view_a"})
        await pilot.press("end", "down")
        assert app.grid.name_here == "edit_b"
        await pilot.press("home", "left")
        assert app.grid.name_here == "admin"


async def test_a_row_a_column_and_a_whole_choice() -> None:
    app = GridApp()
    async with app.run_test() as pilot:
        await pilot.press("down", "asterisk")
        assert app.grid.checked == {"view_a", "edit_a"}
        await pilot.press("asterisk")
        assert app.grid.checked == set()
        await pilot.press("V")
        assert app.grid.checked == {"admin", "view_a", "view_b"}
        app.grid.check({"edit_b", "unknown"})
        assert app.grid.checked == {"edit_b"}


async def test_a_grid_that_is_higher_than_its_place_follows_the_cursor() -> None:
    app = GridApp(rows=60)
    async with app.run_test(size=(60, 12)) as pilot:
        for way, seen in (("end", 60), ("home", 0)):
            await pilot.press(way)
            await pilot.pause()
            top = app.query_one(VerticalScroll).scroll_offset.y
            assert top <= seen < top + 13


async def test_the_mouse_takes_a_box_in() -> None:
    app = GridApp()
    async with app.run_test() as pilot:
        await pilot.click(CheckGrid, offset=(34, 2))
        assert app.grid.checked == {"view_a", "edit_a"}


class SeveralApp(App[None]):
    def compose(self) -> ComposeResult:
        roles = [(name, name) for name in ("Customer", "Finance", "Support")]
        fields = [
            Field("name", "Name"),
            Field("roles", "Roles", "several", choices=roles, default=""),
            Field("note", "Note"),
        ]
        self.form = Form(fields, {"roles": "Support,Gone"})
        yield self.form

    def on_mount(self) -> None:
        self.form.focus_first()


async def test_several_of_a_few_are_chosen_and_the_arrows_lead_through_and_beyond() -> None:
    app = SeveralApp()
    async with app.run_test() as pilot:
        control = app.form.control("roles")
        assert control.text == "Support"
        assert [control.render_line(y).text.split() for y in range(3)] == [
            ["[", "]", "Customer"],
            ["[", "]", "Finance"],
            ["[x]", "Support"],
        ]
        await pilot.press("down", "space", "down", "space", "down", "space")
        assert control.text == "Customer,Finance"
        assert app.form.entered() == ({"roles": "Customer,Finance"}, {"roles": "Support"})
        await pilot.press("down", "x", "up", "up", "up", "up", "y")
        assert app.form.values() == {"name": "y", "roles": "Customer,Finance", "note": "x"}
        app.form.enter({"roles": "Finance"}, {"roles": "Support"})
        assert control.text == "Finance"
