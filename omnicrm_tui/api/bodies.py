"""Reading a JSON body: one place that refuses what is too large, too deep or not text.

A body is a dependency behind the caller, not a parameter of the framework: a caller without an identity is
told so before anything is said about its input, and the sentences are those that the forms show.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

from fastapi import HTTPException, Request

from omnicrm_tui.activity.service import REDACTED
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.schemas import MAX_ID, Input, parse

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32


class JsonBody:
    """Dependency: the body as `model`.

    Left alone are fields in `ignored`, and secrets that somebody sends back as they were shown: hidden.
    """

    def __init__(self, model: type[Input], ignored: Collection[str] = ()) -> None:
        self.model = model
        self.ignored = frozenset(ignored)

    async def __call__(self, request: Request) -> Any:
        """Return the parsed body; raises InvalidInput, or HTTPException 413 or 415."""
        values = await json_object(request)
        kept = {name: value for name, value in values.items() if name not in self.ignored and value != REDACTED}
        return parse(self.model, kept)


async def json_object(request: Request) -> dict[str, Any]:
    """Return the body, a JSON object of sound values; without a body an empty one."""
    raw = await _read(request)
    if not raw.strip():
        return {}
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise HTTPException(415, "Send the body as application/json.")
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidInput("The body is not JSON.", {"body": "is not valid JSON"}) from None
    if not isinstance(values, dict):
        raise InvalidInput("The body is not a JSON object.", {"body": "must be a JSON object"})
    for name, value in values.items():
        if problem := unsound(name) or unsound(value):
            raise InvalidInput("Some fields are not right.", {_printable(name): problem})
    return values


async def _read(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, f"A body has at most {MAX_BODY_BYTES // 1024 // 1024} MiB.")
        chunks.append(chunk)
    return b"".join(chunks)


def unsound(value: Any, depth: int = 1) -> str | None:
    """Say what no table can hold in `value`, or return None."""
    if isinstance(value, str):
        if "\0" in value:
            return "must not hold NUL characters"
        return "is not valid text" if any("\ud800" <= c <= "\udfff" for c in value) else None
    if isinstance(value, int):
        return None if abs(value) <= MAX_ID else "is too large"
    if isinstance(value, float):
        return None if math.isfinite(value) else "must be a finite number"
    if not isinstance(value, (dict, list)):
        return None
    if depth > MAX_DEPTH:
        return "is nested too deeply"
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return next((problem for part in parts if (problem := unsound(part, depth + 1))), None)


def _printable(name: str) -> str:
    return name.encode("ascii", "replace").decode().replace("\0", "?")
