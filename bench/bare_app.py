"""The least that Textual can show: the floor of what is measured in a terminal. `python bench/bare_app.py`."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """One word, and the shortest repaint there is for each key."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Static("ready")

    def on_key(self) -> None:
        """Change the word's letters."""
        word = self.query_one(Static)
        word.update("READY" if word.content == "ready" else "ready", layout=False)


if __name__ == "__main__":
    BareApp().run()
