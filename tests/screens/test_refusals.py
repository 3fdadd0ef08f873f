"""Who may only look: what changes something is not offered, `?` says which permission it needs, and the key says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, cast

import pytest
from textual.pilot import Pilot

import screens
from omnicrm_tui.app import OmniCrmApp
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.permissions import PERMISSIONS, VIEW_STATUS
from omnicrm_tui.needs import Asked, table
from screens import rooms
from screens.base import AtDesk
from screens.customer import TABS
from screens.desk import permission_missing
from screens.keys import refused_lines
from screens.palette import commands
from tests.api.test_every_use_case import uses_of
from tests.screens.harness import LARGE, press, screen_text, settled, signed_in_app
from tests.screens.shop import failed_job, open_shop, start_job

VIEWER = Actor(
    ActorKind.STAFF,
    "eve",
    permissions=frozenset({name for name in PERMISSIONS if name.startswith("view_")} | {VIEW_STATUS}),
)
WHOLE_ROOM = {room.permission for room in rooms.ROOMS if not room.permission.startswith("view_")}
"""What one needs to enter the room at all: who is in there may do everything in it."""

BEFOREHAND = {"acting.py": {"can_impersonate"}}
"""Modules that are no screen: those that call them name the permission."""

Refused = set[tuple[str, str]]
"""The class that says what an action needs, and the action."""


def _classes() -> set[type[AtDesk]]:
    for module in walk_packages(screens.__path__, "screens."):
        import_module(module.name)
    found: set[type[AtDesk]] = set()
    waiting: list[type[AtDesk]] = [AtDesk]
    while waiting:
        found.add(one := waiting.pop())
        waiting += [each for each in one.__subclasses__() if each not in found]
    return {one for one in found if one.__module__.startswith("screens")}


def _declared() -> Refused:
    """Every action that a screen names a permission for, but those of rooms that need it to be entered."""
    named = {
        (one.__name__, action)
        for one in _classes()
        for action, needed in vars(one).get("NEEDS", {}).items()
        if needed not in WHOLE_ROOM
    }
    return named | {("JobScreen", "cancel")}


def _says(node: AtDesk, action: str) -> tuple[str, str]:
    named = (one.__name__ for one in type(node).__mro__ if action in vars(one).get("NEEDS", {}))
    return next(named, type(node).__name__), action


async def _refused_here(pilot: Pilot[None]) -> Refused:
    """Press the key of each action here that the viewer may not do, and hear why; tell which they were."""
    app = cast("OmniCrmApp", pilot.app)
    before, seen = app.screen, set()
    for key, active in list(app.screen.active_bindings.items()):
        node, action = active.node, active.binding.action.partition("(")[0]
        if active.enabled or not isinstance(node, AtDesk):
            continue
        needed = node.needed_for(action)
        assert f"needs {needed}" in "\n".join(refused_lines(app.screen))
        titles = [command.title for command in commands(app, app.screen)]
        assert active.binding.tooltip not in titles
        assert f"{active.binding.tooltip or active.binding.description}: needs {needed}" in titles
        app.clear_notifications()
        await press(pilot, key)
        assert [one.message for one in app._notifications] == [permission_missing(needed)], (key, action)
        assert app.screen is before, (key, action)
        seen.add(_says(node, action))
    return seen


@pytest.mark.req("BIL-374")
async def test_whatever_a_viewer_may_not_do_is_refused_with_words(crm: Crm, admin: Actor, record_property: Any) -> None:
    open_shop(crm, admin)
    failed, running = failed_job(crm, admin), start_job(crm, admin, 3, 4)
    places = [("customer", 1), ("service", 1), ("product", 1), ("item", 1), ("catalogue", 1)]
    seen: Refused = set()
    visited = 0
    async with signed_in_app(crm, VIEWER, LARGE) as pilot:
        app = cast("OmniCrmApp", pilot.app)
        for room in rooms.open_to(VIEWER):
            app.go(room.name)
            await settled(pilot)
            seen |= await _refused_here(pilot)
            visited += 1
            for key in ("2", "3"):
                await press(pilot, key)
                seen |= await _refused_here(pilot)
        for name, number in (*places, ("job", failed), ("job", running)):
            app.open_place(name, number)
            await settled(pilot)
            for tab in range(len(TABS) if name == "customer" else 1):
                if name == "customer":
                    await press(pilot, str(tab + 1))
                seen |= await _refused_here(pilot)
                visited += 1
            await press(pilot, "escape")
    assert _declared() - seen == set()
    record_property("count", f"refusals: {len(seen)} actions on {visited} screens and tabs, each with its permission")


async def test_help_lists_what_is_missing_and_a_closed_room_says_why(crm: Crm, admin: Actor) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, VIEWER, LARGE) as pilot:
        await press(pilot, "g", "u")
        assert [one.message for one in pilot.app._notifications] == [permission_missing("admin")]
        await press(pilot, "question_mark", "end")
        assert "needs create_customer" in screen_text(pilot.app)
    async with signed_in_app(crm, admin, LARGE) as pilot:
        await press(pilot, "question_mark", "end")
        assert "needs create_customer" not in screen_text(pilot.app)


async def test_the_palette_says_what_a_permission_is_missing_for_behind_all_that_can_be_done(
    crm: Crm, admin: Actor
) -> None:
    open_shop(crm, admin)
    async with signed_in_app(crm, VIEWER) as pilot:
        app = cast("OmniCrmApp", pilot.app)
        lacking = ["needs " in command.title for command in commands(app, app.screen)]
        assert any(lacking)
        assert lacking == sorted(lacking)
        await press(pilot, "colon", *"new customer")
        assert "New customer: needs create_customer" in screen_text(app)
        await press(pilot, "enter")
        assert [one.message for one in app._notifications] == [permission_missing("create_customer")]
        assert len(app.screen_stack) == 1


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(Path(screens.__path__[0]).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_a_screen_that_changes_something_names_the_permission_for_it(crm: Crm, admin: Actor) -> None:
    """What the services ask for, the screens know beforehand."""
    with crm.reading(admin) as work:
        cases = {(case.room, case.method): case.need for case in table(work)}
    named: dict[str, set[str]] = {}
    for one in _classes():
        named.setdefault(one.__module__.rpartition(".")[2] + ".py", set()).update(vars(one).get("NEEDS", {}).values())
    wrong = []
    for path, tree in _modules():
        for use in uses_of(tree):
            need = cases.get(use)
            if need is None or need.asked is not Asked.FIRST or need.permissions[0].startswith("view_"):
                continue
            known = named.get(path.name, set()) | WHOLE_ROOM | BEFOREHAND.get(path.name, set())
            wrong += [f"{path.name}: {use} needs {need.permissions[0]}"] * (need.permissions[0] not in known)
    assert wrong == []
