"""Reads a QR code off the screen as a camera would: from half blocks to modules, from modules to text.

What a camera corrects is not needed here, so that one wrong module fails: versions 1 to 6, levels L and M, bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_HALVES = {" ": (False, False), "▀": (True, False), "▄": (False, True), "█": (True, True)}
_MASKS = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, _x: y % 2 == 0,
    lambda _y, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)
_L, _M = 0b01, 0b00
_DATA = {
    **{(version, _L): (words, 1) for version, words in {1: 19, 2: 34, 3: 55, 4: 80, 5: 108}.items()},
    **{(version, _M): (words, 1) for version, words in {1: 16, 2: 28, 3: 44}.items()},
    **{(6, _L): (136, 2), (4, _M): (64, 2), (5, _M): (86, 2), (6, _M): (108, 4)},
}
"""How many codewords hold data, and in how many blocks of the same length, by version and level."""
_FORMAT_MASK = 0b10101
_BYTES = 0b0100

Modules = list[list[bool]]


def read_qr(lines: Sequence[str]) -> tuple[str, int]:
    """Return the text of the code that `lines` show, and how many modules around it are empty."""
    modules, quiet = _cropped(_modules(lines))
    size = len(modules)
    version, rest = divmod(size - 17, 4)
    assert rest == 0, f"{size} modules are no QR code"
    level, mask = divmod(_format(modules), 8)
    bits = [modules[y][x] ^ _MASKS[mask](y, x) for y, x in _path(size)]
    words, blocks = _DATA[version, level]
    data = [_number(bits[8 * at : 8 * at + 8]) for at in range(words)]
    return _text([word for block in range(blocks) for word in data[block::blocks]]), quiet


def _modules(lines: Sequence[str]) -> Modules:
    width = max(map(len, lines))
    pairs = [[_HALVES[cell] for cell in line.ljust(width)] for line in lines]
    return [[pair[half] for pair in row] for row in pairs for half in (0, 1)]


def _cropped(modules: Modules) -> tuple[Modules, int]:
    dark = [(y, x) for y, row in enumerate(modules) for x, cell in enumerate(row) if cell]
    top, left = min(y for y, _x in dark), min(x for _y, x in dark)
    bottom, right = max(y for y, _x in dark), max(x for _y, x in dark)
    assert bottom - top == right - left, "it is not square"
    cropped = [row[left : right + 1] for row in modules[top : bottom + 1]]
    return cropped, min(top, left, len(modules) - 1 - bottom)


def _format(modules: Modules) -> int:
    """Level (two bits) and mask (three) stand below the finder in the upper left corner, whitened."""
    return _number(modules[8][:5]) ^ _FORMAT_MASK


def _path(size: int) -> Iterator[tuple[int, int]]:
    """Yield where data stands: pairs of columns from the right, up and down in turn."""
    upwards = True
    for right in range(size - 1, 0, -2):
        column = right - 1 if right <= 6 else right
        for step in range(size):
            y = size - 1 - step if upwards else step
            for x in (column, column - 1):
                if not _is_pattern(y, x, size):
                    yield y, x
        upwards = not upwards


def _is_pattern(y: int, x: int, size: int) -> bool:
    corner = (y < 9 and (x < 9 or x >= size - 8)) or (y >= size - 8 and x < 9)
    aligned = size > 21 and abs(y - (size - 7)) <= 2 and abs(x - (size - 7)) <= 2
    return corner or aligned or y == 6 or x == 6


def _text(data: Sequence[int]) -> str:
    bits = [bool(word >> place & 1) for word in data for place in range(7, -1, -1)]
    assert _number(bits[:4]) == _BYTES
    length = _number(bits[4:12])
    return bytes(_number(bits[12 + 8 * at : 20 + 8 * at]) for at in range(length)).decode()


def _number(bits: Sequence[bool]) -> int:
    return int("".join("1" if bit else "0" for bit in bits), 2)
