"""From read models to JSON: field names as they are, amounts as numbers, instants in ISO 8601 with Z."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Generic, TypeVar

from fastapi.responses import Response
from pydantic import SecretStr

from omnicrm_tui.listing import Page

Content = TypeVar("Content")


class Answer(Response, Generic[Content]):
    """A JSON answer; never cached on its way, because it may hold personal data.

    A handler's `Answer[UserView]` is what the OpenAPI document says of it.
    """

    media_type = "application/json"

    def __init__(self, content: Content, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(to_json(content), status_code, {"cache-control": "no-store", **(headers or {})})


@dataclass(frozen=True, slots=True)
class Pagination:
    """Where a page stands among all (SVC-489)."""

    current_page: int
    per_page: int
    total_pages: int
    total_items: int


@dataclass(frozen=True, slots=True)
class Data(Generic[Content]):
    """A list that has no pages."""

    data: Sequence[Content]


@dataclass(frozen=True, slots=True)
class Listed(Generic[Content]):
    """A page of a list."""

    data: Sequence[Content]
    pagination: Pagination


@dataclass(frozen=True, slots=True)
class Message:
    """What was done."""

    message: str


def page_answer(page: Page[Content]) -> Answer[Listed[Content]]:
    """Answer a list: `data` and `pagination` with exact totals (CAT-184, names as in SVC-489)."""
    pagination = Pagination(page.page, page.per_page, -(-page.total // page.per_page), page.total)
    return Answer(Listed(page.rows, pagination))


def to_json(content: Any) -> bytes:
    """Return `content` (read models, containers, plain values) as UTF-8 JSON."""
    text = json.dumps(content, default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def as_dict(model: Any) -> dict[str, Any]:
    """Return the fields of a read model; nested ones stay as they are."""
    kind: type = type(model)
    return {name: getattr(model, name) for name in _field_names(kind)}


@cache
def _field_names(model: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(model))


def _plain(value: Any) -> Any:
    """Translate what JSON has no word for. Floats are born here and nowhere else."""
    if is_dataclass(value) and not isinstance(value, type):
        return as_dict(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, SecretStr):
        return "(hidden)"
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
