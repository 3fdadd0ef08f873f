"""Counts of what may not be done too often, shared by all processes through the database (PLT-179, PLT-051)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, CursorResult, case, delete, insert, select, update

from omnicrm_tui.identity.access import Access
from omnicrm_tui.identity.limits import (
    ACCOUNT,
    ADDRESS,
    CODE,
    LOG_IN,
    Limit,
    RateLimited,
    Rule,
    Standing,
    limit_of,
    microseconds,
    standing,
)
from omnicrm_tui.identity.models import RateLimit
from omnicrm_tui.identity.permissions import ADMIN
from omnicrm_tui.identity.rules import address_of, login_name
from omnicrm_tui.needs import Asked, asks_nothing, needs

if TYPE_CHECKING:
    from omnicrm_tui.identity.call_counter import Poured

_V6_NETWORK = 64
"""Bits of an IPv6 address that tell customers of a network apart: each of them has all addresses below."""

log = logging.getLogger("omnicrm.identity")


def network_of(source: str) -> str:
    """Return what is counted as one address: an IPv4 address, the /64 of an IPv6 one, and what is none as it is."""
    address = address_of(source)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _V6_NETWORK), strict=False))
    return str(address or source)


class RateLimits(Access):
    """Pours into the buckets of `identity.limits`. Whose they are is a keyed hash: the table holds no names."""

    tightest: Standing | None = None
    """How the caller stands with that of the limits counted here which has the fewest calls left."""

    @asks_nothing(Asked.LOG_IN)
    def count(self, rule: Rule, *, source: str | None = None, account: str | None = None) -> None:
        """Count an attempt from an address, to an account (as it was typed, whether there is one or not), or both.

        Commits, so that an attempt that fails stays counted, and holds no lock while something is hashed. Raises
        RateLimited; what one address tries too often is not counted for the account.
        """
        if source is not None:
            self._count(limit_of(self.work.settings, rule, ADDRESS), network_of(source))
        if account is not None:
            self._count(limit_of(self.work.settings, rule, ACCOUNT), login_name(account))
        self.session.commit()

    @asks_nothing(Asked.ROOMS)
    def forgive(self, *accounts: str) -> None:
        """Empty the buckets of accounts: an administrator has seen to their way in."""
        limits = filter(None, (limit_of(self.work.settings, rule, ACCOUNT) for rule in (LOG_IN, CODE)))
        subjects = [mark for limit in limits for name in accounts for mark in self._subjects(limit, login_name(name))]
        self.session.execute(delete(RateLimit).where(RateLimit.subject.in_(subjects)))

    @needs(ADMIN)
    def settle(self, poured: Iterable[Poured]) -> list[tuple[Poured, int]]:
        """Pour in what a process has counted by itself; return with each when that bucket will be empty now.

        Needs admin: doors count as the system.
        """
        settled = []
        # In one order, so that two servers that settle at once never wait for each other.
        for each in sorted(poured, key=lambda each: (each.limit.name, each.whose)):
            subject = self._subjects(each.limit, each.whose)[0]
            if each.amount:
                self._begin(subject)
                brim = self._now() + each.limit.room
                filled = self._begins(each.limit) + each.amount
                self._update(subject, case((filled > brim, brim), else_=filled))
            settled.append((each, self._empty_at(subject)))
        return settled

    @needs(ADMIN)
    def delete_empty(self, most: int) -> int:
        """Delete up to `most` buckets that are empty by now; return how many. Needs admin: a duty of the schedule."""
        empty = select(RateLimit.subject).where(RateLimit.empty_at < self._now()).limit(most)
        found = list(self.session.scalars(empty))
        if found:
            # Once more, because somebody may have poured in meanwhile.
            still = (RateLimit.subject.in_(found), RateLimit.empty_at < self._now())
            self.session.execute(delete(RateLimit).where(*still))
        return len(found)

    def _count(self, limit: Limit | None, whose: str) -> None:
        if limit is None:
            return
        subject = self._subjects(limit, whose)[0]
        poured = self._pour_in(limit, subject)
        stands = standing(limit, self._empty_at(subject), self._now())
        if self.tightest is None or stands.remaining < self.tightest.remaining:
            self.tightest = stands
        if not poured:
            self.session.commit()
            log.warning("Limit %s reached from %s", limit.name, self.actor.source_address)
            raise RateLimited(stands)

    def _pour_in(self, limit: Limit, subject: str) -> bool:
        """Pour one step into a bucket; False when it is full. Of many at once, as many as there is room for do.

        The same statements for a name that was tried before and for a new one.
        """
        self._begin(subject)
        begins = self._begins(limit)
        fits = begins <= self._now() + limit.room - limit.step
        return self._update(subject, begins + limit.step, fits) == 1

    def _begins(self, limit: Limit) -> ColumnElement[int]:
        """Return from when on a bucket is filled further: now, where it is empty or a clock was put back."""
        now = self._now()
        return case((RateLimit.empty_at.between(now, now + 2 * limit.room), RateLimit.empty_at), else_=now)

    def _begin(self, subject: str) -> None:
        """Add an empty bucket, unless there is one; what somebody else adds at the same moment is waited for."""
        values = {"subject": subject, "empty_at": 0}
        dialect = self.session.get_bind().dialect.name
        statement: Any
        if dialect in ("mysql", "mariadb"):
            from sqlalchemy.dialects.mysql import insert as insert_mariadb

            # Not IGNORE: that would share the row's lock, and none of several could have it alone.
            statement = insert_mariadb(RateLimit).values(values).on_duplicate_key_update(subject=subject)
        elif dialect == "sqlite":
            statement = insert(RateLimit).values(values).prefix_with("OR IGNORE")
        else:
            from sqlalchemy.dialects.postgresql import insert as insert_postgresql

            statement = insert_postgresql(RateLimit).values(values).on_conflict_do_nothing()
        self.session.execute(statement)

    def _empty_at(self, subject: str) -> int:
        return self.session.scalar(select(RateLimit.empty_at).where(RateLimit.subject == subject)) or 0

    def _update(self, subject: str, empty_at: ColumnElement[int], *conditions: ColumnElement[bool]) -> int:
        statement = update(RateLimit).where(RateLimit.subject == subject, *conditions).values(empty_at=empty_at)
        result = self.session.execute(statement.execution_options(synchronize_session=False))
        return cast("CursorResult[Any]", result).rowcount

    def _subjects(self, limit: Limit, whose: str) -> Sequence[str]:
        """Return the keyed hashes of whose bucket it is: the one to use first, then those of older keys."""
        text = f"{limit.name} {whose}"
        newest = self._keyring.fingerprint(text)
        return [newest, *(mark for mark in self._keyring.fingerprints(text) if mark != newest)]

    def _now(self) -> int:
        return microseconds(self.work.clock.now())
