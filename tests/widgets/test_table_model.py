"""Whatever keys are pressed, the table shows what a plain list would."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from omnicrm_tui.listing import ListQuery
from tests.widgets.lists import ListRows, TableApp, ids, settled, things

HEIGHT = 10


class PlainList:
    """The list with all rows in memory: cursor and top are positions."""

    def __init__(self, source: ListRows) -> None:
        self._source = source
        self.query = ListQuery()
        self.start_again()

    def start_again(self) -> None:
        self.rows = [row.id for row in self._source.matching(self.query)]
        self.cursor = self.top = 0

    def press(self, key: str) -> None:
        match key:
            case "s":
                self.query = ListQuery(sort="name")
                self.start_again()
            case "S":
                self.query = ListQuery(sort=self.query.sort, descending=not self.query.descending)
                self.start_again()
            case "pagedown" | "pageup":
                step = HEIGHT if key == "pagedown" else -HEIGHT
                self.top += step
                self.go(self.cursor + step)
            case "home":
                self.go(0)
            case "end":
                self.go(len(self.rows))
            case _:
                self.go(self.cursor + {"j": 1, "k": -1, "J": HEIGHT // 2, "K": -HEIGHT // 2}[key])

    def go(self, cursor: int) -> None:
        self.cursor = max(0, min(len(self.rows) - 1, cursor))
        self.top = max(self.cursor - HEIGHT + 1, min(self.cursor, self.top))
        self.top = max(0, min(self.top, len(self.rows) - HEIGHT))

    @property
    def in_view(self) -> list[int]:
        return self.rows[self.top : self.top + HEIGHT]


KEYS = st.sampled_from(["j", "k", "J", "K", "pagedown", "pageup", "home", "end", "s", "S"])


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([0, 1, 9, 10, 11, 45, 400]), st.lists(KEYS, max_size=40))
def test_any_keys_show_what_a_plain_list_shows(count: int, keys: list[str]) -> None:
    asyncio.run(compare(count, keys))


async def compare(count: int, keys: list[str]) -> None:
    source = ListRows(things(count))
    app, model = TableApp(source), PlainList(source)
    small_pages(app)
    async with app.run_test(size=(60, HEIGHT + 2)) as pilot:
        await settled(pilot)
        for i, key in enumerate(keys):
            await pilot.press(key)
            await settled(pilot)
            model.press(key)
            seen = keys[: i + 1]
            assert ids(app) == model.in_view, seen
            if count:
                assert app.table.row is not None, seen
                assert app.table.row.id == model.rows[model.cursor], seen
                if app.table.status.position is not None:
                    assert app.table.status.position == model.cursor + 1, seen


def small_pages(app: TableApp) -> None:
    """Keep so few rows that they come and go at both ends within a few keys."""
    window = app.table.source.window
    app.table.source.window = lambda query, anchor, limit: window(query, anchor, min(limit, 25))  # type: ignore[method-assign]
    app.table._window._kept = 60
