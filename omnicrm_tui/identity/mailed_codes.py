"""Codes that go out by mail: typed into the terminal, or followed as a link."""

from __future__ import annotations

import secrets

_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_GROUPS, _GROUP = 4, 4


def new_code() -> str:
    """Return 78 random bits, in letters and digits that are not taken for each other."""
    groups = ("".join(secrets.choice(_LETTERS) for _each in range(_GROUP)) for _each in range(_GROUPS))
    return "-".join(groups)


def bare(code: str) -> str:
    """Return a code as it is hashed: people type it with blanks and small letters."""
    return "".join(letter for letter in code.upper() if letter.isalnum())
