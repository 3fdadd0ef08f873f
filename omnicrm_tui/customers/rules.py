"""Open Location Codes ("plus codes") of places (CAT-040, CAT-540)."""

from __future__ import annotations


def plus_code(latitude: float | None, longitude: float | None) -> str | None:
    """Return the 11-character code of a place in decimal degrees, such as 8C3MFJV8+2F; None where one is missing."""
    if latitude is None or longitude is None:
        return None
    from openlocationcode import openlocationcode

    code: str = openlocationcode.encode(latitude, longitude)
    return code


def checked_plus_code(text: str) -> str:
    """Return a full code in capitals, or an empty text as it is; raises ValueError for anything else."""
    from openlocationcode import openlocationcode

    if text and not openlocationcode.isFull(text):
        raise ValueError("a full plus code such as 8C3MFJV8+2F")
    return text.upper()
