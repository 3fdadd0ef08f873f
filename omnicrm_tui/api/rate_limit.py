"""How often one may call, as answers say it: fields of the IETF's draft, those that clients know, and Retry-After."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.types import Scope

if TYPE_CHECKING:
    from omnicrm_tui.identity.limits import Standing

_STANDING = "omnicrm.standing"


def note_standing(scope: Scope, standing: Standing | None) -> None:
    """Keep with a request how its caller stands, unless it stands nearer to another limit."""
    known = standing_of(scope)
    if standing is not None and (known is None or standing.remaining <= known.remaining):
        scope[_STANDING] = standing


def standing_of(scope: Scope) -> Standing | None:
    """Return what was noted."""
    found: Standing | None = scope.get(_STANDING)
    return found


def fields_of(standing: Standing, now: datetime) -> Iterator[tuple[bytes, bytes]]:
    """Yield the header fields of an answer.

    `RateLimit` and `RateLimit-Policy` are those of draft-ietf-httpapi-ratelimit-headers-10. The ones with X have no
    standard; the reset is a Unix time, as GitHub and most others write it.
    """
    limit = standing.limit
    fields = {
        "ratelimit-policy": f'"{limit.name}";q={limit.most};w={limit.seconds}',
        "ratelimit": f'"{limit.name}";r={standing.remaining};t={standing.reset}',
        "x-ratelimit-limit": limit.most,
        "x-ratelimit-remaining": standing.remaining,
        "x-ratelimit-reset": int(now.timestamp()) + standing.reset,
    }
    yield from ((name.encode(), str(value).encode()) for name, value in fields.items())
