"""Prints the name of each key as the application would hear it: `python -m tests.terminal.key_names`."""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static


class KeyNames(App[None]):
    """Shows the key that was pressed last, between brackets."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Static("[ready]", markup=False)

    async def on_event(self, event: events.Event) -> None:
        """Name a key before anything can act on it."""
        if isinstance(event, events.Key):
            self.query_one(Static).update(f"[{event.key}]")
        else:
            await super().on_event(event)


if __name__ == "__main__":
    KeyNames().run()
