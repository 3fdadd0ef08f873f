"""The name of the terminal's window (OSC 2)."""

from __future__ import annotations

from widgets.text import visible


def window_title(name: str) -> str:
    """Return the sequence that names the window; nothing in `name` acts on the terminal."""
    return f"\x1b]2;{visible(name)}\a"
