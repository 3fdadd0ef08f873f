"""Sessions: logging in, renewing, ending; and the tokens of jobs.

A failed log-in and a refresh token used twice must be remembered although the use case ends in an error:
these methods commit what has to stay before they raise.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, NoReturn, cast

from sqlalchemy import ColumnElement, CursorResult, case, delete, func, or_, select, update

from omnicrm_tui.errors import AccountLocked, InvalidInput, NotAuthenticated, NotFound
from omnicrm_tui.identity import passwords, tokens
from omnicrm_tui.identity.access import JOB, OVER, UNLINKED
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.limits import LOG_IN, REFRESH
from omnicrm_tui.identity.models import RefreshToken, TokenFamily, User
from omnicrm_tui.identity.password_history import PasswordHistory
from omnicrm_tui.identity.permissions import ADMIN, VIEW_STATUS
from omnicrm_tui.identity.rules import login_name, normal_password, password_problem
from omnicrm_tui.identity.schemas import LoginResult, Tokens
from omnicrm_tui.needs import Asked, asks_nothing, needs

if TYPE_CHECKING:
    from omnicrm_tui.identity.user_mail import UserMail

WRONG = _("Invalid email or password")
BEGIN_AGAIN = _("This log-in took too long. Begin it again.")
CHALLENGE_LIFE = timedelta(minutes=5)
CHANGE_LIFE = timedelta(minutes=15)
"""To think of a password takes longer than to read a code."""
JOB_LIFE = timedelta(days=30)
SESSION = "session"


class Sessions(PasswordHistory):
    """Opens, renews and ends sessions. Doors call these as `visitor(source)`: they ask for no permission."""

    _attempt_locks = False
    """Whether the attempt that was counted last locks the account, unless it turns out to be right."""

    @asks_nothing(Asked.LOG_IN)
    def nobody_can_log_in(self) -> bool:
        """Tell whether there is no active user at all: a new home, whose first administrator is still to be made."""
        living = select(User.id).where(User.active.is_(True), User.deleted.is_(False))
        return self.session.scalar(living.limit(1)) is None

    @asks_nothing(Asked.LOG_IN)
    def login(
        self, email_or_username: str, password: str, source_address: str, *, remember: bool = False
    ) -> LoginResult:
        """Log in by e-mail address or user name (PLT-168..173, BIL-422, CAT-176).

        `remember` keeps the session for `refresh_token_days`; otherwise it ends after `session_hours` without use.
        Raises NotAuthenticated with the same words, after the same time, whether the user or the password is
        wrong, and in others, to who knows the password, where a customer's user belongs to no customer any more;
        AccountLocked after too many failures; RateLimited after too many attempts to that name, whether anybody has
        it or not, or from that address; TooManyRequests under a flood.
        """
        self.work.limits.count(LOG_IN, source=source_address, account=email_or_username)
        user = self._check_password(self._by_login(email_or_username), password, source_address)
        return self._go_on(user, source_address, remember)

    @asks_nothing(Asked.LOG_IN)
    def change_password(self, user_id: int, current_password: str, new_password: str, source_address: str) -> None:
        """Change the password of who is logged in (BIL-399); all sessions of the user end.

        `user_id` is the caller's own: a door never takes it from outside, or wrong passwords would lock a colleague.
        Raises InvalidInput when the new one breaks the rules or was used before, and what `login` raises for the
        current one.
        """
        self.work.limits.count(LOG_IN, source=source_address, account=f"user {user_id}")
        problem = password_problem(new_password)
        if normal_password(new_password) == normal_password(current_password):
            problem = _("must differ from the current one")
        if problem:
            raise InvalidInput(_("The new password will not do."), {"new_password": problem})
        user = self._check_password(self.session.get(User, user_id), current_password, source_address)
        self._refuse_used(user.id, new_password)
        # What failed before stays counted: wrong codes of the second factor are not forgiven by the right password.
        self._store_password(user.id, new_password, force_change=False, forgive=False)
        self._log(user, "Password changed", source_address)
        from omnicrm_tui.identity import notices

        self._tell(user, notices.CHANGED, notices.changed_mail(user.first_name, source_address, self.work.settings))

    @asks_nothing(Asked.LOG_IN)
    def change_temporary_password(
        self, challenge_token: str, current_password: str, new_password: str, source_address: str
    ) -> None:
        """Replace a temporary password by an own one, with the challenge that `login` answered to it (PLT-178).

        Raises what `change_password` does, and NotAuthenticated for a challenge that is over or was used.
        """
        user_id = int(self._read_challenge(challenge_token, tokens.CHANGE)["sub"])
        self.change_password(user_id, current_password, new_password, source_address)

    @asks_nothing(Asked.LOG_IN)
    def refresh(self, refresh_token: str, source: str) -> Tokens:
        """Exchange a refresh token for new tokens (CAT-227, SVC-087). Raises NotAuthenticated; see `resume`.

        What visitors exchange is limited by address and by session; a job, which renews its own tokens, is not.
        """
        if not self.actor.may(ADMIN):
            found = self._find_token(refresh_token)
            session = None if found is None else f"session {found.family_id}"
            self.work.limits.count(REFRESH, source=source, account=session)
        family, _, successor = self._rotate(refresh_token, source)
        return self._tokens(family, successor)

    @asks_nothing(Asked.LOG_IN)
    def resume(self, refresh_token: str, source: str) -> tuple[Actor, str]:
        """Go on with a remembered session: return its actor and the next refresh token (PLT-177).

        A refresh token is good for one use. Raises NotAuthenticated when it is unknown, expired or used before;
        the last also ends the session for whoever holds its other tokens.
        """
        _, actor, successor = self._rotate(refresh_token, source)
        return actor, successor

    @asks_nothing(Asked.LOG_IN)
    def logout(self, refresh_token: str) -> None:
        """End the session of a refresh token; its access tokens end with it. Unknown tokens are no error."""
        row = self._find_token(refresh_token)
        if row is None:
            return
        family = self._lock_family(row.family_id)
        if family.ended is None:
            family.ended = self.work.clock.now()
            user = self.session.get(User, family.user_id)
            if user is not None and family.real_user_id is None:
                self._log(user, "Logged out", self.actor.source_address)
            self._settle_impersonations()

    @asks_nothing(Asked.ROOMS)
    def grant_job(self, provision_id: int) -> None:
        """Give a job, as its initiator starts it, a token family with the permissions the initiator has now.

        Without this, `mint_job_tokens` could only ask the user table, which knows nothing of an API key's limits.
        """
        self._add_job_family(provision_id, self.actor)

    @asks_nothing(Asked.ROOMS)
    def mint_job_tokens(self, provision_id: int, initiating_user: int | None) -> Tokens:
        """Return new tokens of a job's family (the contracts page); a job that has none gets its user's permissions.

        Raises NotAuthenticated when the job has ended, NotFound when neither a grant nor a user stands behind it.
        """
        found = self.session.scalar(select(TokenFamily).where(TokenFamily.provision_id == provision_id))
        if found is None:
            if initiating_user is None:
                raise NotFound(_("Nobody stands behind job {provision_id}.").format(provision_id=provision_id))
            found = self._add_job_family(provision_id, self.actor_of_user(initiating_user, self.actor.source_address))
        if self._is_over(found):
            raise NotAuthenticated(_("Job {provision_id} has ended.").format(provision_id=provision_id))
        return self._tokens(found, self._add_token(found, self.actor.source_address))

    @asks_nothing(Asked.ROOMS)
    def end_job_tokens(self, provision_id: int) -> None:
        """End what a job was given; it is final."""
        self._end_families(TokenFamily.provision_id == provision_id)

    @asks_nothing(Asked.ROOMS)
    def end_sessions(self, user_id: int) -> None:
        """End all sessions of a user at once. Jobs keep their tokens, good for clean-up once the user is revoked."""
        self._end_families(TokenFamily.user_id == user_id, TokenFamily.purpose == SESSION)

    # --- passwords

    def _by_login(self, text: str) -> User | None:
        name = login_name(text)
        found = self.session.scalars(select(User).where(or_(User.email == name, User.username == name))).all()
        return min(found, key=lambda user: user.email != name, default=None)

    def _check_password(self, user: User | None, password: str, source: str) -> User:
        """Return the user, when `password` is its own and it may log in; raise otherwise."""
        if user is None or user.deleted or not user.active:
            self.session.commit()
            passwords.verify(None, password)
            raise NotAuthenticated(WRONG)
        user = self._claim_attempt(user.id)
        if not passwords.verify(user.password_hash, password):
            self._refuse(user, "Login failed: wrong password", source, WRONG)
        values: dict[str, object] = {"failed_logins": 0, "locked_until": None}
        if user.is_2fa_enabled:
            values = self._attempt_taken_back()
        if passwords.is_outdated(user.password_hash):
            values["password_hash"] = passwords.hash_password(password)
        self._set(user.id, values)
        self._refuse_unlinked(user, source)
        return user

    def _refuse_unlinked(self, user: User, source: str) -> None:
        if user.is_unlinked:
            self._log(user, "Login refused: a customer's user without a customer", source)
            self.session.commit()
            raise NotAuthenticated(UNLINKED)

    def _refuse_locked(self, user: User) -> None:
        if user.locked_until is not None and user.locked_until > self.work.clock.now():
            raise AccountLocked(_("The account is locked after too many failed attempts. Try again later."))

    def _claim_attempt(self, user_id: int) -> User:
        """Count an attempt before it is checked, so that many at once are no way around the lock (BIL-422).

        Commits: hashing takes a tenth of a second, in which nobody else's writes should wait.
        """
        security, now = self.work.settings.security, self.work.clock.now()
        user = self.session.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None or user.deleted or not user.active:
            raise NotAuthenticated(WRONG)
        self._refuse_locked(user)
        failures = 1 if user.locked_until is not None else user.failed_logins + 1
        locks = failures >= security.lockout_failures
        until = now + timedelta(minutes=security.lockout_minutes) if locks else None
        self._set(user_id, {"failed_logins": failures, "locked_until": until})
        self.session.commit()
        self._attempt_locks = locks
        return user

    def _attempt_taken_back(self) -> dict[str, object]:
        """Return what uncounts one attempt alone: did a right password forgive wrong codes, those would have no end."""
        before = User.failed_logins - 1
        held = case((before >= self.work.settings.security.lockout_failures, User.locked_until), else_=None)
        return {"failed_logins": before, "locked_until": held}

    def _refuse(self, user: User, action: str, source: str, message: str) -> NoReturn:
        self._log(user, action, source)
        if self._attempt_locks:
            self._log(user, "Account locked after too many failed attempts", source)
            self._tell_locked(user, source)
        self.session.commit()
        raise NotAuthenticated(message)

    def _tell_locked(self, user: User, source: str) -> None:
        from omnicrm_tui.identity import notices

        self._tell(user, notices.LOCKED, notices.locked_mail(user.first_name, source, self.work.settings))

    def _tell_new_address(self, user: User, source: str) -> None:
        """Write to who has logged in before, and not from here within the time that sessions are remembered."""
        of_user = (TokenFamily.user_id == user.id, TokenFamily.purpose == SESSION)
        from_here = (
            TokenFamily.source_address == source,
            TokenFamily.expires > self.work.clock.now(),
            TokenFamily.real_user_id.is_(None),
        )
        seen = self.session.scalar(select(TokenFamily.family_id).where(*of_user, *from_here).limit(1))
        if user.login_count and seen is None:
            from omnicrm_tui.identity import notices

            mail = notices.new_address_mail(user.first_name, source, self.work.settings)
            self._tell(user, notices.NEW_ADDRESS, mail)

    def _tell(self, user: User, kind: str, mail: UserMail) -> None:
        """Put a notice into the outbox; an address that takes no mail keeps nobody from going on."""
        with suppress(InvalidInput):
            self.work.messaging.enqueue_email(user.email, mail.subject, mail.text, kind=kind)

    def _store_password(self, user_id: int, password: str, *, force_change: bool, forgive: bool = True) -> None:
        password_hash = passwords.hash_password(password)
        self._keep_old(user_id)
        values: dict[str, object] = {"password_hash": password_hash, "force_password_change": force_change}
        if forgive:
            values |= {"failed_logins": 0, "locked_until": None}
        self._set(user_id, values)
        self.end_sessions(user_id)

    def _set(self, user_id: int, values: dict[str, object]) -> None:
        # A plain UPDATE: bookkeeping must not make a colleague's edit of this user stale.
        statement = update(User).where(User.id == user_id).values(values)
        self.session.execute(statement.execution_options(synchronize_session=False))

    # --- sessions

    def _go_on(
        self, user: User, source: str, remember: bool, ssh_key: str = "", *, second_factor: bool = True
    ) -> LoginResult:
        """Return what the first proof of who somebody is leads to: a password, or the key with that fingerprint."""
        if user.force_password_change:
            proof = self._challenge(user.id, tokens.CHANGE, CHANGE_LIFE)
            return LoginResult(user.id, must_change_password=True, challenge_token=proof)
        if user.is_2fa_enabled and second_factor:
            proof = self._challenge(user.id, tokens.CHALLENGE, CHALLENGE_LIFE, rem=remember, ssh=ssh_key)
            return LoginResult(user.id, requires_2fa=True, challenge_token=proof)
        return self._open(user, source, remember, ssh_key)

    def _open(self, user: User, source: str, remember: bool, ssh_key: str = "") -> LoginResult:
        now = self.work.clock.now()
        self._tell_new_address(user, source)
        self._set(
            user.id,
            {"login_count": User.login_count + 1, "last_login": now, "failed_logins": 0, "locked_until": None},
        )
        self.session.execute(delete(TokenFamily).where(TokenFamily.user_id == user.id, TokenFamily.expires < now))
        life = timedelta(days=self.work.settings.security.refresh_token_days)
        family = self._add_family(SESSION, life, source, user_id=user.id, remembered=remember)
        granted = self._tokens(family, self._add_token(family, source))
        actor = replace(self._actor(user, source), session_id=family.family_id)
        if ssh_key:
            self._log(user, "Logged in with an SSH key", source, fingerprint=ssh_key)
        else:
            self._log(user, "Logged in", source)
        roles, permissions = self._roles_of(user.id), tuple(sorted(actor.permissions))
        return LoginResult(
            user.id,
            tokens=granted,
            actor=actor,
            roles=roles,
            permissions=permissions,
            advise_2fa=self._is_advised(user, actor),
        )

    def _challenge(self, user_id: int, use: str, life: timedelta, **claims: bool | str) -> str:
        """Return what shows that the password was right: good for `use` alone, until the next log-in or password."""
        now, mark = self.work.clock.now(), self._keyring.fingerprint(self._way_in(user_id))
        whole = {"sub": str(user_id), "use": use, "mark": mark, **claims}
        return self._keyring.sign(whole, issued=now, expires=now + life)

    def _read_challenge(self, challenge_token: str, use: str) -> dict[str, Any]:
        """Return the claims of a challenge that is still good. Raises NotAuthenticated."""
        try:
            claims = self._keyring.read(challenge_token, use, self.work.clock.now())
        except NotAuthenticated:
            raise NotAuthenticated(BEGIN_AGAIN) from None
        if claims.get("mark") not in self._keyring.fingerprints(self._way_in(int(claims["sub"]))):
            raise NotAuthenticated(BEGIN_AGAIN)
        return claims

    def _way_in(self, user_id: int) -> str:
        """Return what changes with each log-in and with each password: a challenge of before opens nothing."""
        found = select(User.password_hash, User.login_count).where(User.id == user_id)
        return " ".join(str(value) for row in self.session.execute(found) for value in row)

    def _tokens(self, family: TokenFamily, refresh_token: str) -> Tokens:
        now = self.work.clock.now()
        expires = now + timedelta(minutes=self.work.settings.security.access_token_minutes)
        claims = {"sub": str(family.user_id or 0), "use": tokens.ACCESS, "fam": family.family_id}
        return Tokens(self._keyring.sign(claims, issued=now, expires=expires), refresh_token, expires)

    def _rotate(self, refresh_token: str, source: str) -> tuple[TokenFamily, Actor, str]:
        """Use up a refresh token and return its family, whose it is, and the next token."""
        found = self._find_token(refresh_token)
        if found is None:
            raise NotAuthenticated(OVER)
        family = self._lock_family(found.family_id)
        row = self.session.get(RefreshToken, found.id, populate_existing=True)
        now = self.work.clock.now()
        if row is None or self._is_over(family) or row.expires <= now:
            raise NotAuthenticated(OVER)
        if row.used is not None:
            self._end_reused(family, source)
        actor = self._actor_of_family(family, source)
        row.used = now
        return family, actor, self._add_token(family, source)

    def _end_reused(self, family: TokenFamily, source: str) -> NoReturn:
        family.ended = self.work.clock.now()
        user = self.session.get(User, family.user_id) if family.user_id is not None else None
        if user is not None:
            self._log(user, "Session ended: a refresh token was used twice", source)
        self._settle_impersonations()
        self.session.commit()
        raise NotAuthenticated(OVER)

    def _lock_family(self, family_id: str) -> TokenFamily:
        """Load a family for itself alone: rotating and ending it wait for each other."""
        return self.session.get_one(TokenFamily, family_id, with_for_update=True, populate_existing=True)

    def _add_family(self, purpose: str, life: timedelta, source: str, **values: Any) -> TokenFamily:
        now = self.work.clock.now()
        family = TokenFamily(
            family_id=secrets.token_hex(16),
            purpose=purpose,
            started=now,
            expires=now + life,
            source_address=source,
            **values,
        )
        self.session.add(family)
        self.session.flush()
        return family

    def _add_job_family(self, provision_id: int, actor: Actor) -> TokenFamily:
        return self._add_family(
            JOB,
            JOB_LIFE,
            actor.source_address,
            user_id=actor.user_id,
            provision_id=provision_id,
            own_customer_id=actor.own_customer_id,
            api_key_id=actor.api_key_id,
            real_user_id=actor.real_user_id,
            permissions=sorted(actor.permissions),
        )

    def _add_token(self, family: TokenFamily, source: str) -> str:
        token, now = tokens.new_refresh_token(), self.work.clock.now()
        self.session.add(
            RefreshToken(
                family_id=family.family_id,
                token_hash=self._keyring.fingerprint(token),
                issued=now,
                expires=self._unused_until(family, now),
                source_address=source,
            )
        )
        self.session.flush()
        return token

    def _unused_until(self, family: TokenFamily, now: datetime) -> datetime:
        """A session that is not remembered ends after a while without use (PLT-221, BIL-503)."""
        security = self.work.settings.security
        if family.purpose == JOB or family.remembered:
            return family.expires
        if family.real_user_id is not None:
            unused = timedelta(minutes=security.access_token_minutes + security.impersonation_idle_minutes)
        else:
            unused = timedelta(hours=security.session_hours)
        return min(family.expires, now + unused)

    @needs(VIEW_STATUS)
    def active_sessions(self) -> int:
        """Count the sessions of people that are open now (PLT-069). Needs view_status."""
        live = (
            TokenFamily.purpose == SESSION,
            TokenFamily.ended.is_(None),
            TokenFamily.expires > self.work.clock.now(),
        )
        return self.session.scalar(select(func.count(TokenFamily.family_id)).where(*live)) or 0

    @needs(ADMIN)
    def delete_old_sessions(self, most: int) -> int:
        """Delete up to `most` sessions that ended a day ago or earlier, with their tokens; return how many.

        Needs admin: it is a duty of the schedule.
        """
        before = self.work.clock.now() - timedelta(days=1)
        old = select(TokenFamily.family_id).where(TokenFamily.expires < before).limit(most)
        found = list(self.session.scalars(old))
        if found:
            self.session.execute(delete(TokenFamily).where(TokenFamily.family_id.in_(found)))
        return len(found)

    def _end_families(self, *conditions: ColumnElement[bool]) -> None:
        statement = update(TokenFamily).where(TokenFamily.ended.is_(None), *conditions)
        self.session.execute(statement.values(ended=self.work.clock.now()))
        self._settle_impersonations()

    def _settle_impersonations(self) -> None:
        """Let nobody go on as somebody else whose own session has ended, and have the log say so."""
        self.work.impersonation.settle()

    def _changes_one(self, statement: Any) -> bool:
        """Of several at once, the database lets one change the row: the others find it changed."""
        result = self.session.execute(statement.execution_options(synchronize_session=False))
        return cast("CursorResult[Any]", result).rowcount == 1

    def _log(self, user: User, action: str, source: str, **more: str) -> None:
        """Write a security event with its address (PLT-225), in the name of the user that it is about."""
        actor = Actor(ActorKind.STAFF, user.username, user_id=user.id, source_address=source)
        self.work.activity.record("user", user.id, action, new=more, actor=actor)
