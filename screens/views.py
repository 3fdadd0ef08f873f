"""Small readings of read models that several screens need."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any


def values_of(view: object, names: Iterable[str]) -> dict[str, Any]:
    """Return the fields of a read model as a form shows them: instants in the spelling that schemas read."""
    return {name: _shown(getattr(view, name)) for name in names}


def _shown(value: Any) -> Any:
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value
