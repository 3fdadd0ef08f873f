"""How often one may call, as answers say it: fields of the IETF's draft, those that clients know, and Retry-After."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from starlette.types import Scope

from omnicrm_tui.identity.limits import API, Standing, limit_of, microseconds

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


def count_call(scope: Scope, kind: str, whose: str) -> None:
    """Count a call of an address or a caller, where this door counts. Raises RateLimited."""
    state = scope["app"].state
    limit = limit_of(state.crm.settings, API, kind)
    if limit is not None and state.calls is not None:
        note_standing(scope, state.calls.count(limit, whose, microseconds(state.crm.clock.now())))


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
