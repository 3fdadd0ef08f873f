"""What the doctor says: one finding for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

State = Literal["fine", "look", "broken"]
"""`look`: it works, and deserves a second look. `broken`: something does not work until it is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and where it is not fine, how to mend it."""

    name: str
    state: State
    found: str
    mend: str = ""


def fine(name: str, found: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(name, "fine", found)


def look(name: str, found: str, mend: str) -> Finding:
    """Return a finding that deserves a second look."""
    return Finding(name, "look", found, mend)


def broken(name: str, found: str, mend: str) -> Finding:
    """Return a finding that has to be mended."""
    return Finding(name, "broken", found, mend)


Check = Callable[[], Iterator[Finding]]
