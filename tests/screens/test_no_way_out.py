"""There is no way out of the application: no key, palette entry or dialog starts a program or touches a file that is
not its own. What a process does is watched at the interpreter's audit hook, whoever does it.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from omnicrm_tui import exports
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.key_schemas import ApiKeyInput
from omnicrm_tui.listing import ListQuery
from screens import rooms
from screens.lock import LockScreen
from screens.palette import commands
from tests.fixtures.watch import Watch
from tests.screens.harness import LARGE, make_app, press, screen_text, settled, signed_in_app, until
from tests.screens.people import add_user
from tests.screens.shop import FakeJob, failed_job, open_shop, start_job
from tests.screens.walk import KEYS, LAST, NAMED, Opener, Walk, back, bound_keys, hit

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(crm: Crm, admin: Actor, clock: FrozenClock) -> Crm:
    """A shop with a failed job and a running one; a customer is called like a way out."""
    open_shop(crm, admin)
    add_user(crm, admin)
    failed_job(crm, admin)
    running = FakeJob(crm, start_job(crm, admin, 3, 4))
    running.task("Load the configuration")
    with crm.as_actor(admin) as work:
        work.customers.create(CustomerInput(customer_name="../../../tmp/x; [@click=app.screenshot]$(id)[/]"))
        work.identity.create_api_key(ApiKeyInput(name="../../../tmp/x; [@click=app.screenshot]$(id)[/]"))
    return crm


PLACES = [
    *((f"room {room.name}", room.name, None, 0) for room in rooms.ROOMS),
    *((f"{place} 1", "customers", place, 1) for place in rooms.PLACES if place != "job"),
    *((f"customer 1, tab {tab}", "customers", "customer", tab) for tab in range(2, 8)),
    ("a job", "jobs", "job", 1),
]


def entering(room: str, place: str | None, tab: int) -> Opener:
    """Return what goes to a room, or to a place and its tab."""

    async def entered(pilot: Pilot[None]) -> Screen[Any]:
        app: Any = pilot.app
        app.go(room)
        await settled(pilot)
        if place:
            app.open_place(place, 1)
            await settled(pilot)
            if tab > 1:
                await press(pilot, str(tab))
        screen: Screen[Any] = app.screen
        return screen

    return entered


@pytest.mark.parametrize(("_name", "room", "place", "tab"), PLACES, ids=[place[0] for place in PLACES])
async def test_no_key_of_any_place_leads_out(
    shop: Crm, admin: Actor, watch: Watch, _name: str, room: str, place: str | None, tab: int
) -> None:
    async with signed_in_app(shop, admin, LARGE) as pilot:
        await Walk(pilot, entering(room, place, tab), NAMED).go()  # letters that are not bound do nothing here
    watch.confined(shop.settings.home)


async def test_no_palette_entry_leads_out(shop: Crm, admin: Actor, watch: Watch) -> None:
    async with signed_in_app(shop, admin, LARGE) as pilot:
        app: Any = pilot.app
        titles = [command.title for command in commands(app, app.screen)]
        assert titles[-2:] == ["Log out", "Quit"]
        for title in [*titles[:-2], "Quit"]:
            await back(pilot)
            await hit(pilot, "colon")
            app.screen.query_one(Input).value = title
            await hit(pilot, "enter")
            if title != "Quit":
                await settled(pilot, dialog=True)
        await until(pilot, lambda: app._exit)
    watch.confined(shop.settings.home)


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
        await hit(pilot, *KEYS, *bound_keys(pilot.app.screen), *LAST, "g", "c", "E")
        await settled(pilot)
        assert any(isinstance(screen, LockScreen) for screen in pilot.app.screen_stack)
        assert "Lovelace" not in screen_text(pilot.app)
    watch.confined(shop.settings.home)


async def test_nothing_leads_past_the_login(shop: Crm, watch: Watch) -> None:
    app = make_app(shop)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await hit(pilot, *KEYS, *bound_keys(app.screen), *LAST, "g", "c")
        await settled(pilot)
        assert app.current_mode == rooms.LOGIN
    watch.confined(shop.settings.home)


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
