"""Keys act one after the other, however fast they come.

Over a slow link, from a password manager or a pasted macro, `name TAB secret ENTER` arrives in one packet.
Textual forwards each key to what has the focus at that moment, while the TAB before it is still on its way
through the bindings: the secret would be typed into the name. Here a key is handed on only when the one before
has done all it does.

A key that is held down comes thirty times a second, and on a busy machine or a slow link faster than frames are
painted. Where what it does can be done several times at once (`Repeats`), the presses that wait are, and painted
once: the view keeps up with the key, and stops when it is released.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.widget import Widget

Result = TypeVar("Result")

LONGEST_SECONDS = 0.5
"""A key whose handler takes longer (it waits for a dialog, say) no longer holds the next one back."""


Move = Callable[[int], None]
"""Does what so many presses of a key would do."""


@runtime_checkable
class Repeats(Protocol):
    """A widget that can do at once what several presses of a key would do."""

    def repeating(self, key: str) -> Move | None:
        """Return what does it; None where `key` means something else here, or nothing."""
        ...


class KeysInOrder(App[Result]):
    """An application whose keys wait for each other.

    `held_seconds` is the least time between two steps of a key that is held down; what is pressed meanwhile is
    done in one step.
    """

    held_seconds: float = 0.0
    _keys: deque[events.Key]
    _key_task: asyncio.Task[None] | None = None
    _held: tuple[str, Widget | None] = ("", None)
    """The key that was handed on last, and where to."""
    _held_at: float = 0.0
    _move: Move | None = None
    """What does the key's work, once it came twice."""

    async def on_event(self, event: events.Event) -> None:
        """Put a key from the terminal in line; everything else goes its way.

        A key that comes back from where it was handed to is looked up among the keys of the screen on top. One that
        came meanwhile and has no parts yet is not what it was pressed for, and could only fail.
        """
        if not isinstance(event, events.Key):
            await super().on_event(event)
            return
        if event.is_forwarded:
            if self.screen.is_mounted:
                await super().on_event(event)
            return
        if not hasattr(self, "_keys"):
            self._keys = deque()
        self._keys.append(event)
        if self._key_task is None or self._key_task.done():
            self._key_task = asyncio.create_task(self._hand_on(), name="keys")

    def takes_key(self, event: events.Key) -> bool:
        """Take a key before anything else sees it; True when it is used up."""
        return False

    async def _hand_on(self) -> None:
        while self._keys:
            await self.screen._mounted_event.wait()  # some keys act at once, on parts that must be there
            event = self._keys.popleft()
            if self.takes_key(event) or await self._repeated(event):
                continue
            route: list[DOMNode] = list((self.focused or self.screen).ancestors_with_self)
            await super().on_event(event)
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    await self._settled(event, route)
            except TimeoutError:
                continue

    async def _repeated(self, event: events.Key) -> bool:
        """Do a key that comes again, with all that wait behind it, in one step, where that is possible."""
        where = self.focused
        if self._held != (event.key, where):
            self._held, self._held_at, self._move = (event.key, where), time.monotonic(), None
            return False
        self._move = move = self._move or self._move_of(event.key)
        if move is None:
            return False
        await asyncio.sleep(max(0.0, self._held_at + self.held_seconds - time.monotonic()))
        if where is not self.focused:
            return False
        self._held_at = time.monotonic()
        times = 1
        while self._keys and self._keys[0].key == event.key:
            self._keys.popleft()
            times += 1
        move(times)
        return True

    def _move_of(self, key: str) -> Move | None:
        for node in self.focused.ancestors_with_self if self.focused else ():
            if isinstance(node, Repeats) and (move := node.repeating(key)):
                return move
        return None

    async def _settled(self, event: events.Key, route: list[DOMNode]) -> None:
        """Wait until everybody on the way from the focus to the application has had the key."""
        for node in route:
            await _emptied(node)
            if event._stop_propagation:
                break
        # What the key began may move the focus a step later: in a new screen, or after a refresh.
        await _emptied(self)
        await _emptied(self.screen)


async def _emptied(pump: MessagePump) -> None:
    """Wait until `pump` has handled what is in its queue now."""
    done = asyncio.Event()
    if pump.is_running and pump.call_later(done.set):
        await done.wait()
