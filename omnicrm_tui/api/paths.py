"""The many spellings of an address, and the one that the routers know.

Callers write `/crm/customer/customer_id/7`, `/crm/customer/7/` or `/customer_id/7`: with and without `/crm`
(PLT-603), with and without a last slash, both styles of id (CAT-544, CAT-545). All of them are brought to
`/customer/7` before routing, so that none costs a redirect or a route of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

PREFIX = "crm"
_PLURALS = {"customers": "customer"}
_BY_ID = re.compile(r"^/(\w+)/\{\1_id\}(.*)$")


def canonical(path: str) -> str:
    """Return the spelling of `path` that routers declare: no prefix, no last slash, `/x/{id}` for `/x/x_id/{id}`."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == [PREFIX]:
        parts = parts[1:]
    # Of an id alone: a limit by address (a proxy's) must not have another way around for each of the other routes.
    if len(parts) >= 2 and parts[0].endswith("_id") and _is_id(parts[1]):
        parts[0] = parts[0].removesuffix("_id")
    if parts and parts[0] in _PLURALS:
        parts[0] = _PLURALS[parts[0]]
    if len(parts) >= 3 and parts[1] == f"{parts[0]}_id" and _is_id(parts[2]):
        del parts[1]
    return "/" + "/".join(parts)


def _is_id(part: str) -> bool:
    """Tell whether it is a number, or stands for one in a documented route."""
    return part.isdecimal() or part.startswith("{")


def spellings(route: str) -> list[str]:
    """Return the addresses under which the documentation lists `route`, the most usual first."""
    listed = [f"/{PREFIX}{route}"]
    if match := _BY_ID.match(route):
        name, rest = match.groups()
        listed.insert(0, f"/{PREFIX}/{name}/{name}_id/{{{name}_id}}{rest}")
    listed += [f"/{PREFIX}/{plural}" for plural, single in _PLURALS.items() if route == f"/{single}"]
    return listed


class Router(APIRouter):
    """A router whose handlers say what they answer by `Answer[...]`: the document's source, checked with the types."""

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route; the framework is not to translate what is an answer already."""
        super().add_api_route(path, endpoint, **{**options, "response_model": None})


def creates(router: APIRouter, path: str) -> Callable[[Endpoint], Endpoint]:
    """Declare a handler for both verbs that create (CAT-542, CAT-543)."""

    def declare(endpoint: Endpoint) -> Endpoint:
        router.put(path)(endpoint)
        router.post(path)(endpoint)
        return endpoint

    return declare
