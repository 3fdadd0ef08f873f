"""From a row to its read model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from gettext import gettext as _
from typing import Any, TypeVar, cast

from omnicrm_tui.database.base import Base
from omnicrm_tui.errors import Conflict

View = TypeVar("View")


def view_of(row: Base, view: type[View], **extra: Any) -> View:
    """Return `row` as the dataclass `view`: same field names, `extra` for what the row does not hold."""
    values = {
        name: extra[name] if name in extra else getattr(row, name)
        for name in _field_names(view)
        if name in extra or hasattr(row, name)
    }
    return view(**values)


def apply_changes(row: Base, changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the fields of `row` that differ and return their old and new values."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name, value in changes.items():
        current = getattr(row, name)
        if current != value:
            old[name], new[name] = current, value
            setattr(row, name, value)
    return old, new


def check_version(row: Any, expected: int | None) -> None:
    """Raise Conflict when the caller worked from another version; None means the last write wins."""
    if expected is not None and row.version != expected:
        raise Conflict(_("Somebody else changed this meanwhile. Look at it again, then repeat."))


def _field_names(view: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cast("Any", view)))
