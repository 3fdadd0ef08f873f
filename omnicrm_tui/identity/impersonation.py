"""Acting as another user: one at a time, for a while, with that user's permissions, and written down (SVC-361..382).

Whoever acts so keeps the own session, and comes back to it. The other session ends with it, with the time limit, and
as soon as either of the two may not log in any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from gettext import gettext as _

from sqlalchemy import ColumnElement, or_, select, update

from omnicrm_tui.database.isolation import lifted
from omnicrm_tui.database.lists import ListSpec, contains, numbered
from omnicrm_tui.errors import AlreadyActing, Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from omnicrm_tui.identity.access import OVER, UNLINKED
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.models import ImpersonationLog, TokenFamily, User
from omnicrm_tui.identity.permissions import ADMIN, CAN_IMPERSONATE
from omnicrm_tui.identity.schemas import Impersonation, ImpersonationEnd, ImpersonationRow, LoginOfContact
from omnicrm_tui.identity.sessions import SESSION, Sessions
from omnicrm_tui.languages import N_
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_nothing, needs

LOG_IN_FIRST = _("Only a person of staff who has logged in can act as another user.")

STOPPED = N_("stopped")
TIME_LIMIT = N_("time limit")
SESSION_OVER = N_("session over")
"""Why it ended, as the log stores it."""

_ENTITIES = (
    ImpersonationLog.impersonation_id,
    ImpersonationLog.impersonating_user_id,
    ImpersonationLog.impersonating_name,
    ImpersonationLog.target_user_id,
    ImpersonationLog.target_name,
    ImpersonationLog.customer_id,
    ImpersonationLog.impersonation_start,
    ImpersonationLog.impersonation_end,
    ImpersonationLog.impersonation_duration,
    ImpersonationLog.purpose,
    ImpersonationLog.end_reason,
    ImpersonationLog.source_address,
)


def _either(values: Sequence[str]) -> ColumnElement[bool]:
    parties = (ImpersonationLog.impersonating_user_id, ImpersonationLog.target_user_id)
    return or_(*(numbered(column)(values) for column in parties))


def _day(values: Sequence[str], name: str) -> datetime:
    """Return when the day in a filter begins (UTC)."""
    try:
        return datetime.combine(date.fromisoformat(values[-1]), time.min, UTC)
    except ValueError:
        raise InvalidInput(_("Some filters are not right."), {name: _("a day such as 2026-10-01")}) from None


def _until(values: Sequence[str]) -> ColumnElement[bool]:
    last = _day(values, "end_date")
    return ImpersonationLog.impersonation_start < last + min(timedelta(days=1), datetime.max.replace(tzinfo=UTC) - last)


def _seconds(values: Sequence[str], name: str) -> int:
    if not values[-1].isdecimal() or len(values[-1]) > 9:
        raise InvalidInput(_("Some filters are not right."), {name: _("a number of seconds")})
    return int(values[-1])


def _open(values: Sequence[str]) -> ColumnElement[bool]:
    is_open = ImpersonationLog.open_for.is_not(None)
    return or_(*(is_open if value == "true" else ~is_open for value in values))


IMPERSONATION_LIST: ListSpec[ImpersonationRow] = ListSpec(
    entities=_ENTITIES,
    build=lambda row: ImpersonationRow(*row[: len(_ENTITIES)]),
    primary_key=ImpersonationLog.impersonation_id,
    sorts={"impersonation_id": ImpersonationLog.impersonation_id},
    search=lambda words: or_(
        *(
            contains(column, words)
            for column in (
                ImpersonationLog.impersonating_name,
                ImpersonationLog.target_name,
                ImpersonationLog.purpose,
            )
        )
    ),
    filters={
        "user_id": _either,
        "impersonating_user_id": numbered(ImpersonationLog.impersonating_user_id),
        "target_user_id": numbered(ImpersonationLog.target_user_id),
        "customer_id": numbered(ImpersonationLog.customer_id),
        "start_date": lambda values: ImpersonationLog.impersonation_start >= _day(values, "start_date"),
        "end_date": _until,
        "min_duration": lambda values: ImpersonationLog.impersonation_duration >= _seconds(values, "min_duration"),
        "max_duration": lambda values: ImpersonationLog.impersonation_duration <= _seconds(values, "max_duration"),
        "open": _open,
    },
)
"""Filters as SVC-365 asks for: either user, both days included (UTC), the duration in seconds."""


class Impersonations(Sessions):
    """Begins and ends acting as another user, and shows who did."""

    @needs(CAN_IMPERSONATE)
    def start(self, user_id: int, purpose: str = "") -> Impersonation:
        """Begin to act as another user (SVC-363, BIL-416), without a password or second factor (SVC-374).

        Needs can_impersonate, in a session that a person of staff logged in to. Raises NotFound; Conflict for who may
        not log in and for oneself; AlreadyActing; NotPermitted for an administrator, unless the configuration allows
        that (SVC-377), and for staff who may do more than the actor; InvalidInput without a purpose, where the
        configuration asks for one.
        """
        own = self._own_session()
        self.settle()
        target = self._target(user_id)
        self._check_purpose(purpose)
        family = self._add_family(
            SESSION,
            min(
                timedelta(minutes=self.work.settings.security.impersonation_minutes),
                own.expires - self.work.clock.now(),
            ),
            self.actor.source_address,
            user_id=target.id,
            real_user_id=self.actor.user_id,
            real_session_id=own.family_id,
        )
        acting = self._actor_of_family(family, self.actor.source_address)
        row = self._enter(family, target, acting.own_customer_id, purpose.strip())
        self._record(row, "Acting as another user began", {"purpose": row.purpose or None})
        tokens = self._tokens(family, self._add_token(family, self.actor.source_address))
        return Impersonation(
            row.impersonating_user_id, target.id, row.impersonation_start, family.expires, acting, tokens
        )

    @asks_nothing(Asked.OWN)
    def stop(self) -> ImpersonationEnd:
        """Come back to oneself (SVC-364), from within or from one's own session (SVC-382).

        Raises Conflict where one acts as nobody else, NotPermitted for who has not logged in.
        """
        if not self.actor.session_id:
            raise NotPermitted(LOG_IN_FIRST)
        with lifted(self.session):
            row = self._running()
            if row is None:
                raise Conflict(_("You act as nobody but yourself."))
            family = self._lock_family(row.session_id)
            own = self.session.get_one(TokenFamily, self._own_session_id(family))
            family.ended = self.work.clock.now()
            self._close(row, family.ended, STOPPED)
            source = self.actor.source_address
            actor = self._actor_of_family(own, source)
            tokens = self._tokens(own, self._add_token(own, source))
            return ImpersonationEnd(
                row.impersonation_end or family.ended, row.impersonation_duration or 0, actor, tokens
            )

    @asks_nothing(Asked.ROOMS)
    def settle(self) -> int:
        """Write down the end of what is over by now, and end what has lost its own session; return how many."""
        found = self.session.scalars(select(ImpersonationLog).where(ImpersonationLog.open_for.is_not(None))).all()
        return sum(self._settle(row) for row in found)

    @needs(CAN_IMPERSONATE)
    def logins_of_contacts(self, contact_ids: Sequence[int]) -> dict[int, LoginOfContact]:
        """Return by contact the user that may log in for it (SVC-367). Needs can_impersonate.

        The first user, where a contact has several.
        """
        users = self.session.scalars(select(User).where(User.contact_id.in_(contact_ids)).order_by(User.id.desc()))
        return {
            user.contact_id: LoginOfContact(user.id, user.username)
            for user in users
            if user.contact_id is not None and user.may_log_in
        }

    # --- the log

    @needs(ADMIN)
    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[ImpersonationRow]:
        """Return a window of the log. Needs admin."""
        return IMPERSONATION_LIST.window(self.session, query, anchor, limit)

    @needs(ADMIN)
    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the entries, up to `cap`. Needs admin."""
        return IMPERSONATION_LIST.count(self.session, query, cap)

    @needs(ADMIN)
    def page(self, query: ListQuery, page: int, per_page: int) -> Page[ImpersonationRow]:
        """Return a numbered page of the log (SVC-365). Needs admin."""
        return IMPERSONATION_LIST.page(self.session, query, page, per_page)

    # --- beginning

    def _own_session(self) -> TokenFamily:
        """Return the session of the person, locked: two who begin at once wait for each other."""
        if self.actor.real_user_id is not None:
            raise AlreadyActing(_("You act as {name} already. Stop that first.").format(name=self.actor.name))
        if self.actor.kind is not ActorKind.STAFF or not self.actor.session_id:
            raise NotPermitted(LOG_IN_FIRST)
        own = self.session.get(TokenFamily, self.actor.session_id, with_for_update=True, populate_existing=True)
        if own is None or self._is_over(own):
            raise NotAuthenticated(OVER)
        return own

    def _target(self, user_id: int) -> User:
        target = self.session.get(User, user_id)
        if target is None:
            raise NotFound(_("There is no user {user_id}.").format(user_id=user_id))
        if target.id == self.actor.user_id:
            raise Conflict(_("That is you."))
        if target.is_unlinked:
            raise Conflict(UNLINKED)
        if not target.may_log_in:
            raise Conflict(
                _("{name} may not log in: restore or activate the account first.").format(name=target.username)
            )
        if problem := self._out_of_reach(self.actor, target):
            raise NotPermitted(problem)
        return target

    def _check_purpose(self, purpose: str) -> None:
        if self.work.settings.security.impersonation_purpose and not purpose.strip():
            raise InvalidInput(_("Some fields are not right."), {"purpose": _("is required")})

    def _enter(self, family: TokenFamily, target: User, customer_id: int | None, purpose: str) -> ImpersonationLog:
        running = self._running()
        if running is not None:
            raise AlreadyActing(
                _("You act as {name} already, at another terminal. Stop that first.").format(name=running.target_name)
            )
        row = ImpersonationLog(
            impersonating_user_id=self.actor.user_id,
            impersonating_name=self.actor.name,
            target_user_id=target.id,
            target_name=target.username,
            customer_id=customer_id,
            impersonation_start=family.started,
            purpose=purpose,
            source_address=self.actor.source_address,
            session_id=family.family_id,
            open_for=self.actor.user_id,
        )
        self.session.add(row)
        self.session.flush()
        return row

    def _running(self) -> ImpersonationLog | None:
        """Return what the actor does as another user now: from within, or from a session of its own."""
        mine = ImpersonationLog.open_for == (self.actor.real_user_id or self.actor.user_id)
        return self.session.scalars(select(ImpersonationLog).where(mine)).one_or_none()

    def _own_session_id(self, family: TokenFamily) -> str:
        return (family.real_session_id or "") if self.actor.real_user_id is not None else self.actor.session_id

    # --- ending

    def _settle(self, row: ImpersonationLog) -> bool:
        now = self.work.clock.now()
        family = self.session.get(TokenFamily, row.session_id, populate_existing=True)
        if family is None:
            return self._close(row, now, SESSION_OVER)
        if family.ended is not None:
            return self._close(row, family.ended, SESSION_OVER)
        if family.expires <= now:
            return self._close(row, family.expires, TIME_LIMIT)
        own = self.session.get(TokenFamily, family.real_session_id, populate_existing=True)
        if own is None or self._is_over(own):
            family.ended = now
            return self._close(row, now, SESSION_OVER)
        return False

    def _close(self, row: ImpersonationLog, end: datetime, reason: str) -> bool:
        """Write the end down; False where another process was faster."""
        seconds = max(0, int((end - row.impersonation_start).total_seconds()))
        still_open = update(ImpersonationLog).where(
            ImpersonationLog.impersonation_id == row.impersonation_id, ImpersonationLog.open_for.is_not(None)
        )
        closed = still_open.values(
            impersonation_end=end, impersonation_duration=seconds, end_reason=reason, open_for=None
        )
        if not self._changes_one(closed):
            return False
        self.session.refresh(row)
        self._record(row, "Acting as another user ended", {"seconds": seconds, "reason": reason})
        return True

    def _record(self, row: ImpersonationLog, action: str, new: dict[str, object]) -> None:
        """Write it to the customer's history too: whom it concerns sees that it happened (BIL-502, SVC-381)."""
        person = Actor(
            ActorKind.STAFF,
            row.impersonating_name,
            user_id=row.impersonating_user_id,
            source_address=row.source_address,
        )
        told = {"user": row.target_name, **new}
        self.work.activity.record(
            "user", row.target_user_id, action, customer_id=row.customer_id, new=told, actor=person
        )
