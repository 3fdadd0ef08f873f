"""How often something may be done: pure arithmetic of a leaky bucket, one number for each caller.

Each call pours one step into the caller's bucket, which leaks all the time and holds as many steps as calls are
allowed. What is kept is the moment at which it will be empty, in microseconds since 1970: one number says how full it
is, nothing is counted twice at the edge of a window, and a bucket that is empty needs no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import ngettext
from typing import TYPE_CHECKING

from omnicrm_tui.errors import TooManyRequests

if TYPE_CHECKING:
    from omnicrm_tui.settings import Settings

ACCOUNT, ADDRESS, CALLER = "account", "address", "caller"
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """What is limited, and within which time; how often is set in `security.limits`."""

    name: str
    seconds: int


LOG_IN = Rule("login", 15 * 60)
CODE = Rule("code", 15 * 60)
RESET = Rule("reset", 60 * 60)
REFRESH = Rule("refresh", 15 * 60)
API = Rule("api", 60)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` calls at once, and as many again within `seconds`."""

    name: str
    most: int
    seconds: int

    @property
    def step(self) -> int:
        """What one call pours in: the microseconds until it has leaked away."""
        return self.seconds * _SECOND // self.most

    @property
    def room(self) -> int:
        """What the bucket holds, in microseconds."""
        return self.step * self.most


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with a limit: calls left, seconds until all are, and until the next one where none is."""

    limit: Limit
    remaining: int
    reset: int
    wait: int


class RateLimited(TooManyRequests):
    """Somebody did something too often; `standing` says when it goes on."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(_waiting_words(standing.wait), retry_after=standing.wait)
        self.standing = standing


def limit_of(settings: Settings, rule: Rule, kind: str) -> Limit | None:
    """Return the limit that is set for `rule` by account, address or caller; None where there is none."""
    most: int = getattr(settings.security.limits, f"{rule.name}_per_{kind}")
    return Limit(f"{rule.name}-{kind}", most, rule.seconds) if most else None


def microseconds(moment: datetime) -> int:
    """Return a moment as buckets know it."""
    return round(moment.timestamp() * _SECOND)


def level(limit: Limit, empty_at: int, now: int) -> int:
    """Return how full a bucket is, in microseconds.

    More than twice what it holds was written under a clock that has been put back since: nobody waits for that.
    """
    full = max(0, empty_at - now)
    return 0 if full > 2 * limit.room else full


def standing(limit: Limit, empty_at: int, now: int) -> Standing:
    """Return how a caller stands whose bucket will be empty at `empty_at`."""
    full = level(limit, empty_at, now)
    wait = max(0, full + limit.step - limit.room)
    return Standing(limit, max(0, limit.room - full) // limit.step, _seconds(full), _seconds(wait))


def _seconds(microseconds: int) -> int:
    return -(-microseconds // _SECOND)


def _waiting_words(seconds: int) -> str:
    if seconds > 90:
        minutes = -(-seconds // 60)
        words = ngettext(
            "Too many attempts. Try again in {n} minute.", "Too many attempts. Try again in {n} minutes.", minutes
        )
        return words.format(n=minutes)
    words = ngettext(
        "Too many attempts. Try again in {n} second.", "Too many attempts. Try again in {n} seconds.", seconds
    )
    return words.format(n=seconds)
