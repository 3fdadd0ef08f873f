"""QR codes in characters: two modules in one cell, so that they are square and small."""

from __future__ import annotations

_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}

QUIET = 2
"""Modules that stay empty around it. The standard asks for four; cameras do with two."""


def qr_lines(text: str) -> list[str]:
    """Return the lines of `text`'s code, to be shown dark on light. Raises ValueError where it is too long."""
    import segno

    modules = [[bool(dark) for dark in row] for row in segno.make_qr(text, error="l").matrix_iter(border=QUIET)]
    if len(modules) % 2:
        modules.append([False] * len(modules[0]))
    pairs = zip(modules[::2], modules[1::2], strict=True)
    return ["".join(_HALVES[upper, lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs]
