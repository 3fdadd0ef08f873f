"""QR codes in characters: two modules in one cell, so that they are square and small."""

from __future__ import annotations

_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}

STANDARD_QUIET = 4
"""Modules that stay empty around it, by the standard."""

QUIET = 2
"""Cameras do with two."""


def qr_lines(text: str, quiet: int = QUIET) -> list[str]:
    """Return the lines of `text`'s code, to be shown dark on light. Raises ValueError where it is too long."""
    import segno

    modules = [[bool(dark) for dark in row] for row in segno.make_qr(text, error="l").matrix_iter(border=quiet)]
    if len(modules) % 2:
        modules.append([False] * len(modules[0]))
    pairs = zip(modules[::2], modules[1::2], strict=True)
    return ["".join(_HALVES[upper, lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs]


def fitting_qr_lines(text: str, columns: int, lines: int) -> list[str]:
    """Return the code with as much quiet around it as fits, four modules at most, two at least; [] where none fits."""
    for quiet in range(STANDARD_QUIET, QUIET - 1, -1):
        try:
            drawn = qr_lines(text, quiet)
        except ValueError:
            return []
        if len(drawn) <= lines and len(drawn[0]) <= columns:
            return drawn
    return []
