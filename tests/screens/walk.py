"""Every key of a keyboard, pressed on one screen in each kind of control that it has.

await Walk(pilot, opener).go()
"""

from __future__ import annotations

import asyncio
import string
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

from textual import events
from textual.keys import Keys, key_to_character
from textual.keys import _character_to_key as key_of
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from omnicrm_tui.app import OmniCrmApp
from tests.screens.harness import settled
from widgets.key_order import _emptied

Opener = Callable[[Pilot[None]], Awaitable[Screen[Any]]]
"""Opens a screen and returns it."""

LAST = ("enter", "ctrl+l", "escape")
"""What leads elsewhere from most screens comes last: the way back takes longer than a key."""

LONGEST_SECONDS = 150.0

LEAVES = "ctrl+q"
"""Ends the application, and with it the walk: a test of the palette does so last."""

_PRINTABLE = [key_of(character) for character in string.printable if character.isprintable()]
NAMED = [key.value for key in Keys if not key.value.startswith("<")]  # those are no keys
_CURSOR = ("left", "right", "up", "down", "home", "end", "insert", "delete", "pageup", "pagedown")
_MODIFIED = [
    f"{modifiers}+{key}"
    for modifiers in ("alt", "ctrl+shift", "alt+shift", "alt+ctrl", "alt+ctrl+shift")
    for key in (*string.ascii_lowercase, *string.digits, *_CURSOR)
]
"""As a terminal names them that tells all modifiers; Textual's list has but some."""
KEYS = [key for key in dict.fromkeys([*_PRINTABLE, *NAMED, *_MODIFIED]) if key not in (*LAST, LEAVES)]

EXITS = {"suspend_process", "screenshot", "command_palette", "change_theme", "simulate_key", "deliver", "open_url"}
"""Actions of Textual's own that write files, stop the process, or offer what does."""


async def hit(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, each when all that the one before was for have handled it; ten times as fast as `pilot.press`."""
    app = cast(OmniCrmApp, pilot.app)
    for key in keys:
        event = events.Key(key, key_to_character(key))
        event.set_sender(app)
        app.post_message(event)
        await _emptied(app)
        if app._key_task is not None:
            await app._key_task
        await pilot._wait_for_screen()


def bound_keys(screen: Screen[Any]) -> list[str]:
    """Return the keys that do something here; an exit among their actions fails."""
    active = screen.active_bindings
    actions = {binding.binding.action.split("(")[0].split(".")[-1] for binding in active.values()}
    assert not actions & EXITS
    return [key for key in active if key not in (*LAST, LEAVES)]


async def back(pilot: Pilot[None]) -> None:
    """Go to the first room, from wherever a key has led."""
    app = cast(OmniCrmApp, pilot.app)
    app.locked = False
    app.workers.cancel_all()
    await settled(pilot)
    for room in (app.current_mode, "customers"):
        app.go(room)
        while len(app.screen_stack) > 1:
            await app.pop_screen()
    await settled(pilot)


class Walk:
    """Presses `keys` and all that are bound on one screen, and goes back there whenever one of them led elsewhere."""

    def __init__(self, pilot: Pilot[None], opener: Opener, keys: Iterable[str] = KEYS) -> None:
        self._pilot = pilot
        self._app = cast(OmniCrmApp, pilot.app)
        self._opener = opener
        self._keys = [key for key in keys if key not in (*LAST, LEAVES)]
        self.screen: Screen[Any]

    async def go(self) -> None:
        """Press every key; a walk that stands still says where."""
        async with asyncio.timeout(LONGEST_SECONDS):
            await self._go()

    async def _go(self) -> None:
        await self._open()
        controls = [type(widget) for widget in self.screen.focus_chain]
        for control in dict.fromkeys(controls) or [None]:
            await self._stand_on(control)
            for key in dict.fromkeys([*self._keys, *bound_keys(self.screen), *LAST]):
                await self._stand_on(control)
                await hit(self._pilot, key)
        await settled(self._pilot, dialog=True)

    async def _stand_on(self, control: type[Widget] | None) -> None:
        self._app.locked = False
        while self._app.screen is not self.screen:  # it may be gone at any time: work of an earlier key ends late
            if self.screen in self._app.screen_stack:
                await self._app.pop_screen()
            else:
                await self._open()
        if control is not None and type(self._app.focused) is not control:
            widgets = [widget for widget in self.screen.focus_chain if type(widget) is control]
            self.screen.set_focus(widgets[0] if widgets else None)  # none: a key has shown another tab

    async def _open(self) -> None:
        await back(self._pilot)
        self.screen = await self._opener(self._pilot)
        await settled(self._pilot, dialog=True)
