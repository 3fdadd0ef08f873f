"""The application for tests: on a given Crm, signed in, its clock standing still.

async with signed_in_app(crm, admin) as pilot:
    await type_text(pilot, "n")
    await until(pilot, lambda: "New customer" in screen_text(pilot.app))
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from unittest.mock import patch

from textual.pilot import Pilot

from omnicrm_tui.app import OmniCrmApp
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from screens import rooms
from screens.desk import Desk
from screens.seat import Seat

SMALL, LARGE = (80, 24), (120, 40)


def make_app(
    crm: Crm,
    actor: Actor | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    kind: type[OmniCrmApp] = OmniCrmApp,
) -> OmniCrmApp:
    """Return the application on `crm`; without an actor it begins with the login screen."""
    desk = Desk(crm.settings, lambda _settings: crm)
    desk.actor = actor
    colours = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm-256color"}
    with patch.dict(os.environ, colours, clear=True):
        return kind(crm.settings, desk, Seat(crm.settings.home, environ or {}))


@asynccontextmanager
async def signed_in_app(
    crm: Crm, actor: Actor, size: tuple[int, int] = SMALL, *, theme: str = "", room: str = ""
) -> AsyncIterator[Pilot[None]]:
    """Run the application, signed in as `actor`, in its first room or in `room`, until its lists are read."""
    app = make_app(crm, actor)
    if theme:
        app.theme = theme
    async with app.run_test(size=size, notifications=True) as pilot:
        if room:
            assert room in rooms.MODES, f"there is no room {room}"
            app.go(room)
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[None], *, dialog: bool = False) -> None:
    """Wait until no worker runs and everything is painted; with `dialog`, one may wait for a dialog's answer."""

    def at_rest() -> bool:
        return all(worker.is_finished or (dialog and not worker._thread_worker) for worker in pilot.app.workers)

    for _ in range(1000):
        await pilot.pause()
        if at_rest():
            await pilot.pause()
            if at_rest():
                return
        await pilot.pause(0.005)
    raise AssertionError("workers still run:\n" + screen_text(pilot.app))


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, and until the frame in which it does is whole.

    A text that has just been set is found before the layout has made room for all its lines.
    """
    for _ in range(2000):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.005)
    raise AssertionError("what was waited for did not come:\n" + screen_text(pilot.app))


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other, and wait until what they began is done."""
    await pilot.press(*keys)
    await settled(pilot)


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Type characters into what has the focus."""
    await pilot.press(*text)
    await pilot.pause()


def screen_lines(app: OmniCrmApp | object) -> list[str]:
    """Return what the terminal shows, dialogs included, line by line."""
    assert isinstance(app, OmniCrmApp)
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    lines = [""] * app.size.height
    for y, strips in enumerate(update.strips):  # type: ignore[union-attr]
        lines[y] = "".join(strip.text for strip in strips).rstrip()
    return lines


def screen_text(app: OmniCrmApp | object) -> str:
    """Return what the terminal shows as one string."""
    return "\n".join(screen_lines(app))
