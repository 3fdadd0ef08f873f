"""Keys act one after the other, however fast they come.

Over a slow link, from a password manager or a pasted macro, `name TAB secret ENTER` arrives in one packet.
Textual forwards each key to what has the focus at that moment, while the TAB before it is still on its way
through the bindings: the secret would be typed into the name. Here a key is handed on only when the one before
has done all it does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeVar

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump

Result = TypeVar("Result")

LONGEST_SECONDS = 0.5
"""A key whose handler takes longer (it waits for a dialog, say) no longer holds the next one back."""


class KeysInOrder(App[Result]):
    """An application whose keys wait for each other."""

    _keys: deque[events.Key]
    _key_task: asyncio.Task[None] | None = None

    async def on_event(self, event: events.Event) -> None:
        """Put a key from the terminal in line; everything else goes its way."""
        if not isinstance(event, events.Key) or event.is_forwarded:
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
            event = self._keys.popleft()
            if self.takes_key(event):
                continue
            route: list[DOMNode] = list((self.focused or self.screen).ancestors_with_self)
            await super().on_event(event)
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    await self._settled(event, route)
            except TimeoutError:
                continue

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
