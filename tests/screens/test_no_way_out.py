"""There is no way out of the application: no key, palette entry or dialog starts a program or touches a file that is
not its own. What a process does is watched at the interpreter's audit hook, whoever does it.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from omnicrm_tui import exports
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.listing import ListQuery
from screens import rooms
from screens.base import CrmScreen
from screens.lock import LockScreen
from screens.palette import commands
from tests.screens.harness import make_app, press, screen_text, settled, signed_in_app, until
from tests.screens.shop import FakeJob, failed_job, open_shop, start_job

ROOT = Path(__file__).parents[2]
LEAVING = {"ctrl+q", "ctrl+l"}
"""Quitting ends the walk, and nothing but a password leads back from the lock: both have tests of their own."""

TRIED_ANYWAY = ("ctrl+z", "ctrl+backslash", "ctrl+c", "ctrl+p", "ctrl+o", "ctrl+e", "ctrl+x", "f1", "f2", "f12")
TRIED_ANYWAY += ("exclamation_mark", "vertical_line", "circumflex_accent", "ctrl+right_square_bracket")

EXITS = {"suspend_process", "screenshot", "command_palette", "change_theme", "simulate_key", "deliver", "open_url"}
"""Actions of Textual's own that write files, stop the process, or offer what does."""

PROGRAMS = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND


class Watch:
    """What this process does while `on`: programs started, files written."""

    def __init__(self) -> None:
        self.on = False
        self.programs: list[str] = []
        self.written: set[Path] = set()
        sys.addaudithook(self._heard)  # for ever: a hook cannot be taken away

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in PROGRAMS or event.startswith("webbrowser."):
            self.programs.append(f"{event} {args}")
        elif event == "open" and isinstance(args[0], str) and isinstance(args[2], int) and args[2] & WRITES:
            self.written.add(Path(args[0]).resolve())


_watch = Watch()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """The watch, from now on until the test ends."""
    _watch.programs, _watch.written = [], set()
    _watch.on = True
    yield _watch
    _watch.on = False


@pytest.fixture
def shop(crm: Crm, admin: Actor, clock: FrozenClock) -> Crm:
    """A shop with a failed job and a running one; a customer is called like a way out."""
    open_shop(crm, admin)
    failed_job(crm, admin)
    running = FakeJob(crm, start_job(crm, admin, 3, 4))
    running.task("Load the configuration")
    with crm.as_actor(admin) as work:
        work.customers.create(CustomerInput(customer_name="../../../tmp/x; [@click=app.screenshot]$(id)[/]"))
    return crm


def confined(watch: Watch, home: Path) -> None:
    """Fail where a program was started, or a file written that is neither state of the home nor an export."""
    assert watch.programs == []
    home = home.resolve()
    outside = [path for path in watch.written if not path.is_relative_to(home)]
    assert [path for path in outside if path.suffix != ".pyc" and "__pycache__" not in path.parts] == []
    for path in watch.written - set(outside):
        first = path.relative_to(home).parts[0]
        assert first in ("exports", "drafts", "terminal.json", "lab", "logs", "keys") or first.startswith(
            "omnicrm.sqlite"
        )


PLACES = [
    *((f"room {room.name}", room.name, None, 0) for room in rooms.ROOMS),
    *((f"{place} 1", "customers", place, 1) for place in rooms.PLACES if place != "job"),
    *((f"customer 1, tab {tab}", "customers", "customer", tab) for tab in range(2, 8)),
    ("a job", "jobs", "job", 1),
]


async def enter(pilot: Pilot[None], room: str, place: str | None, tab: int) -> Screen[Any]:
    """Go to a room, or a place and its tab; return the screen."""
    app: Any = pilot.app
    app.go(room)
    await pilot.pause()
    if place:
        app.open_place(place, 1)
        await settled(pilot)
        if tab > 1:
            await press(pilot, str(tab))
    await settled(pilot)
    # What an earlier key began may have opened a dialog by now: that is not the place.
    return next(screen for screen in reversed(app.screen_stack) if isinstance(screen, CrmScreen))


def keys_of(screen: Screen[Any]) -> list[str]:
    """Return the keys that do something here, and some that people try; an exit among the actions fails."""
    active = screen.active_bindings
    actions = {binding.binding.action.split("(")[0].split(".")[-1] for binding in active.values()}
    assert not actions & EXITS
    return sorted({*active, *TRIED_ANYWAY} - LEAVING)


async def test_no_key_or_palette_entry_of_any_place_is_an_exit(shop: Crm, admin: Actor, watch: Watch) -> None:
    async with signed_in_app(shop, admin) as pilot:
        app: Any = pilot.app
        for _name, room, place, tab in PLACES:
            screen = await enter(pilot, room, place, tab)
            assert len(keys_of(screen)) > 20
            assert {command.keys for command in commands(app, screen)}
            if place:
                await app.pop_screen()
    confined(watch, shop.settings.home)


async def test_what_a_customer_is_called_is_no_action(shop: Crm, admin: Actor) -> None:
    async with signed_in_app(shop, admin, (120, 40)) as pilot:
        pilot.app.open_place("customer", 7)  # type: ignore[attr-defined]
        await until(pilot, lambda: "[@click=app.screenshot]" in screen_text(pilot.app))
        for screen in pilot.app.screen_stack:
            for line in screen._compositor.render_strips():
                for segment in line:
                    assert "@click" not in (segment.style.meta if segment.style else {})


async def test_the_lock_is_left_by_the_password_alone(shop: Crm, admin: Actor, watch: Watch) -> None:
    async with signed_in_app(shop, admin) as pilot:
        await press(pilot, "ctrl+l")
        for key in [*keys_of(pilot.app.screen), "g", "c", "E", "colon", "question_mark", "escape"]:
            await pilot.press(key)
            await pilot.pause()
        assert any(isinstance(screen, LockScreen) for screen in pilot.app.screen_stack)
        assert "Lovelace" not in screen_text(pilot.app)
    confined(watch, shop.settings.home)


async def test_nothing_leads_past_the_login(shop: Crm, watch: Watch) -> None:
    app = make_app(shop)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in [*keys_of(app.screen), "g", "colon", "question_mark", "escape"]:
            await pilot.press(key)
            await pilot.pause()
        assert app.current_mode == rooms.LOGIN
    confined(watch, shop.settings.home)


# Files


class NoRows:
    """A source of nothing."""

    def window(self, *_args: Any) -> Any:
        from omnicrm_tui.listing import Window

        return Window([], [], False, False)

    def count(self, *_args: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("name", ["../loot", "/etc/loot", "a/b", "..", ".", "", "x\0y", "..\\loot", ".hidden"])
def test_an_export_goes_into_its_folder_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "exports"
    export = exports.Export(NoRows(), exports.Wanted(ListQuery()), [("Name", str)], "csv")
    with pytest.raises(exports.ExportFailed, match="is no name for a file"):
        exports.write(export, folder, name, lambda _rows: None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# What the terminal is made of

FORBIDDEN = {"subprocess", "webbrowser", "pty", "shutil", "socket", "ctypes", "multiprocessing", "runpy", "code"}
FORBIDDEN_CALLS = {"system", "popen", "execv", "execve", "execvp", "spawnl", "spawnv", "posix_spawn", "eval", "exec"}
TOUCH_FILES = {"seat.py", "drafts.py", "early.py"}
"""They keep what is remembered, in folders of the home; `early` forks, before anybody could press a key."""


@pytest.mark.parametrize(
    "path", sorted([*(ROOT / "screens").rglob("*.py"), *(ROOT / "widgets").rglob("*.py")]), ids=str
)
def test_no_screen_or_widget_could_start_a_program_or_open_a_file(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not {name.name for name in node.names} & FORBIDDEN
        elif isinstance(node, ast.ImportFrom):
            assert node.module not in FORBIDDEN
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            assert name not in FORBIDDEN_CALLS
            if path.name not in TOUCH_FILES:
                assert name not in ("write_text", "write_bytes", "read_text", "read_bytes", "fork")
                assert not (isinstance(node.func, ast.Name) and name == "open")
