"""Small readings of read models that several screens need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any


def values_of(view: object, names: Iterable[str]) -> dict[str, Any]:
    """Return the fields of a read model as a form shows them: instants in the spelling that schemas read."""
    return {name: _shown(getattr(view, name)) for name in names}


def type_choices(types: Sequence[str], current: str = "") -> list[tuple[str, str]]:
    """Return the configured service types to choose from (PLT-101), none, and the record's own where it is another."""
    others = [current] if current and current not in types else []
    return [("", "–"), *((name, name) for name in (*types, *others))]


def _shown(value: Any) -> Any:
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value
