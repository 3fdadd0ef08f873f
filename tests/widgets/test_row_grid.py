"""Rows are drawn for the width there is."""

from __future__ import annotations

import pytest

from tests.widgets.lists import ListRows, TableApp, lines, settled, things
from widgets.row_grid import RowGrid


async def test_a_grid_painted_before_it_is_told_its_size_shows_its_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RowGrid, "on_resize", lambda _self: None)
    app = TableApp(ListRows(things(3)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        shown = "\n".join(lines(app))
    assert "Name" in shown
