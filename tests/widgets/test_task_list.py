"""The list of a job's tasks by itself: what it paints again, where its cursor stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textual.app import App, ComposeResult
from textual.geometry import Region

from widgets.task_list import Heading, Task, TaskList


class ListApp(App[None]):
    """One task list and nothing else."""

    def compose(self) -> ComposeResult:
        yield TaskList(lambda key: [f"detail {key} \x1b[31m", "x" * 200])


def tasks(*states: str) -> list[Task | Heading]:
    """Return a task for each state, numbered from 1."""
    return [Task(at, f"Task {at}", state) for at, state in enumerate(states, 1)]  # type: ignore[arg-type]


def text(tasks: TaskList) -> list[str]:
    """Return what the list shows."""
    return [tasks.render_line(y).text.rstrip() for y in range(tasks.size.height)]


@contextmanager
def painted(tasks: TaskList) -> Iterator[list[int]]:
    """Collect the lines that are painted again."""
    lines: list[int] = []
    refresh = tasks.refresh

    def note(*regions: Region, **more: bool) -> TaskList:
        lines.extend(region.y for region in regions)
        assert regions, "the whole list is painted again"
        return refresh(*regions, **more)

    tasks.refresh = note  # type: ignore[method-assign, assignment]
    yield lines
    del tasks.refresh  # type: ignore[attr-defined]


async def test_only_lines_that_changed_are_painted_again() -> None:
    async with ListApp().run_test(size=(60, 12)) as pilot:
        shown = pilot.app.query_one(TaskList)
        shown.show(tasks("done", "running", "pending", "pending"))
        with painted(shown) as lines:
            shown.show(tasks("done", "running", "pending", "pending"))
        assert lines == []
        with painted(shown) as lines:
            shown.show(tasks("done", "done", "pending", "pending"))
        assert lines == [1]


async def test_detail_opens_below_its_task_and_is_literal() -> None:
    async with ListApp().run_test(size=(60, 12)) as pilot:
        shown = pilot.app.query_one(TaskList)
        shown.focus()
        shown.show(tasks("done", "failed", "pending"))
        await pilot.press("home", "enter")
        lines = text(shown)
        assert lines[0].startswith("▾✓ done")
        assert lines[1] == "    │ detail 1 ␛[31m"
        assert lines[2].endswith("x")
        await pilot.press("down", "down", "enter")
        assert text(shown)[1].startswith(" ✗ failed")


async def test_the_cursor_stays_with_its_task_when_lines_come_before_it() -> None:
    async with ListApp().run_test(size=(60, 12)) as pilot:
        shown = pilot.app.query_one(TaskList)
        shown.focus()
        shown.show([Task(1, "First", "done"), Task(3, "Third", "done")])
        await pilot.press("end")
        assert shown.task_key == 3
        shown.show([Task(1, "First", "done"), Task(2, "Second", "done"), Task(3, "Third", "done")])
        assert shown.task_key == 3


async def test_a_heading_is_no_task() -> None:
    async with ListApp().run_test(size=(60, 12)) as pilot:
        shown = pilot.app.query_one(TaskList)
        shown.focus()
        shown.show([Heading("Rolling back…"), *tasks("done")])
        await pilot.press("home", "enter")
        assert shown.task_key is None
        assert len([line for line in text(shown) if line]) == 2
