"""Copying to the clipboard of the machine where the user sits, through the terminal (OSC 52)."""

from __future__ import annotations

import base64
import os

from textual.app import App

from widgets.scroll_region import ScrollRegionApp


def copy(app: App[object], text: str) -> None:
    """Copy `text`. Inside tmux the sequence is also passed through to the outer terminal.

    Of a tmux on the near side of an SSH connection only the name of its terminal is known here.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    app.copy_to_clipboard(text)
    in_tmux = os.environ.get("TMUX") or os.environ.get("TERM", "").startswith("tmux")
    if in_tmux and isinstance(app, ScrollRegionApp):
        app.write_to_terminal(passed_through_tmux(osc52(text)))


def osc52(text: str) -> str:
    """Return the sequence that puts `text` on the clipboard."""
    return f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'replace')).decode('ascii')}\a"


def passed_through_tmux(sequence: str) -> str:
    """Wrap a sequence so that tmux hands it to the terminal it runs in (with allow-passthrough)."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
