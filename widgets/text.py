"""User text on a terminal: literal, harmless, and exactly as wide as it is said to be.

Names come from people and other systems. They may hold escape sequences, markup, right-to-left overrides
or a hundred accents on one letter. None of that may act on the terminal or shift a column: what cannot be
shown is shown as a symbol.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, set_cell_size

Align = Literal["left", "right"]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "…"
_CARRIER = "\N{DOTTED CIRCLE}"
_MAX_MARKS = 4
"""Accents kept on one letter: every script in use needs fewer."""

_CONTROL_PICTURES = 0x2400
_DELETE = 0x7F
_INVISIBLE = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}\N{SOFT HYPHEN}\N{ZERO WIDTH SPACE}\ufeff\u2060")
"""Dropped: they show nothing, and terminals disagree on the width of what they join."""


def visible(text: str) -> str:
    """Return `text` as it can be printed: one line, no control characters, nothing that a terminal obeys.

    C0 controls become their control pictures (escape is `␛`, newline `␊`), delete `␡`; other controls,
    direction overrides, line separators and lone surrogates become `�`.
    """
    if text.isascii() and text.isprintable():
        return text
    return _visible(text)


@lru_cache(maxsize=2048)
def _visible(text: str) -> str:
    shown: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category in ("Mn", "Me", "Mc"):
            marks += 1
            if character in "\ufe0e\ufe0f" or marks > _MAX_MARKS:
                continue
            if not shown:
                shown.append(_CARRIER)
            shown.append(character)
            continue
        marks = 0
        symbol = _symbol(character, category)
        if symbol:
            shown.append(symbol)
    return "".join(shown)


def _symbol(character: str, category: str) -> str:
    """Return what stands for one character that is not a mark; "" when it is dropped."""
    code = ord(character)
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return "\N{SYMBOL FOR DELETE}"
    if character in _INVISIBLE:
        return ""
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return REPLACEMENT
    return character


def fit(text: str, width: int, align: Align = "left") -> str:
    """Return `text`, made visible, in exactly `width` terminal cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    text = visible(text)
    size = len(text) if text.isascii() else cell_len(text)
    if size > width:
        text = set_cell_size(text, width - 1) + ELLIPSIS
        size = width
    padding = " " * (width - size)
    return padding + text if align == "right" else text + padding
