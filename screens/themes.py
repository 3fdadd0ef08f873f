"""The looks: dark, light, high contrast, and the terminal's own sixteen colours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.theme import Theme

if TYPE_CHECKING:
    from omnicrm_tui.settings import ColoursSection

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
        "info": "#8fa3b8",
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
        "info": "#4a5868",
    },
)

CONTRAST = Theme(
    name="omnicrm-contrast",
    primary="#8fd8ff",
    secondary="#d0d0d0",
    accent="#ffcf70",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#262626",
    success="#86f09a",
    warning="#ffd75f",
    error="#ffa8a0",
    dark=True,
    variables={
        "block-cursor-background": "#ffe600",
        "block-cursor-foreground": "#000000",
        "border": "#ffffff",
        "border-blurred": "#a0a0a0",
        "text-muted": "#d0d0d0",
        "text-disabled": "#b0b0b0",
        "foreground-muted": "#d0d0d0",
        "foreground-disabled": "#b0b0b0",
        "input-selection-background": "#ffe600",
        "input-selection-foreground": "#000000",
        "info": "#d0d0d0",
    },
)
"""Every text has a contrast of 7:1 or more to what it is written on (WCAG, level AAA)."""

ANSI = "ansi-dark"
"""Textual's theme of the terminal's own colours: for 16-colour consoles, NO_COLOR, and for fewer bytes."""

NAMES = (DARK.name, LIGHT.name, CONTRAST.name, ANSI)

DEFAULT_VARIABLES = {"info": "ansi_blue"}
"""For Textual's own theme, which does not know them."""

CSS = """
* { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
Toast { padding: 0 1; max-width: 60; }
Toast.-information { border-left: outer $info; }
RowGrid:nocolor .grid--cursor { text-style: reverse; }
Input:nocolor > .input--cursor { text-style: reverse; }
OptionList:nocolor > .option-list--option-highlighted { text-style: reverse; }
"""
"""What all screens share: thin scroll bars, small messages, and a cursor that is seen without colours."""

_PLAIN_TERMINALS = ("linux", "vt100", "vt220", "xterm-16color", "screen", "ansi")


def of_operator(colours: ColoursSection) -> tuple[Theme, ...]:
    """Return the themes to register: dark and light in the operator's colours, high contrast as it is."""
    if not any(colours.model_dump().values()):
        return (DARK, LIGHT, CONTRAST)
    from screens.colours import branded

    return (branded(DARK, colours), branded(LIGHT, colours), CONTRAST)


def plain_terminal(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the terminal has sixteen colours at most, and little else."""
    return environ.get("TERM") in _PLAIN_TERMINALS and not environ.get("COLORTERM")


def first(chosen: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the theme to start with: what was chosen, or the terminal's own colours where it has no others."""
    if plain_terminal(environ):
        return ANSI
    return chosen if chosen in NAMES else DARK.name
