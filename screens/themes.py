"""The three looks: dark, light, and the terminal's own sixteen colours."""

from __future__ import annotations

import os
from collections.abc import Mapping

from textual.theme import Theme

DARK = Theme(
    name="omnicrm-dark",
    primary="#4fb3d9",
    secondary="#8fa3b8",
    accent="#f0b95b",
    foreground="#e6e9ef",
    background="#10151c",
    surface="#10151c",
    panel="#1e2733",
    success="#7bd88f",
    warning="#f2c55c",
    error="#ff7b72",
    dark=True,
    variables={
        "block-cursor-background": "#2f6f8f",
        "block-cursor-foreground": "#ffffff",
        "border": "#3c4a5c",
        "border-blurred": "#2a3442",
    },
)

LIGHT = Theme(
    name="omnicrm-light",
    primary="#005f87",
    secondary="#4a5868",
    accent="#8a5a00",
    foreground="#1a1f26",
    background="#ffffff",
    surface="#ffffff",
    panel="#e4e9ef",
    success="#1f6f36",
    warning="#7a5200",
    error="#a8201a",
    dark=False,
    variables={
        "block-cursor-background": "#005f87",
        "block-cursor-foreground": "#ffffff",
        "border": "#8593a3",
        "border-blurred": "#b9c3ce",
    },
)

ANSI = "ansi-dark"
"""Textual's theme of the terminal's own colours: for 16-colour consoles, NO_COLOR, and for fewer bytes."""

NAMES = (DARK.name, LIGHT.name, ANSI)

CSS = """
* { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
Toast { padding: 0 1; max-width: 60; }
RowGrid:nocolor .grid--cursor { text-style: reverse; }
Input:nocolor > .input--cursor { text-style: reverse; }
OptionList:nocolor > .option-list--option-highlighted { text-style: reverse; }
"""
"""What all screens share: thin scroll bars, small messages, and a cursor that is seen without colours."""

_PLAIN_TERMINALS = ("linux", "vt100", "vt220", "xterm-16color", "screen", "ansi")


def first(chosen: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the theme to start with: what was chosen, or the terminal's own colours where it has no others."""
    if environ.get("TERM") in _PLAIN_TERMINALS and not environ.get("COLORTERM"):
        return ANSI
    return chosen if chosen in NAMES else DARK.name
