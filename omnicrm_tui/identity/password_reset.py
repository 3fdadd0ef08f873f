"""Forgotten passwords: a code by mail, good once and for an hour, in exchange for a new password (PLT-197..205)."""

from __future__ import annotations

from datetime import timedelta
from gettext import gettext as _

from sqlalchemy import delete, func, select, update

from omnicrm_tui.errors import InvalidInput, NotFound
from omnicrm_tui.identity import notices
from omnicrm_tui.identity.access import HOLDS
from omnicrm_tui.identity.limits import RESET
from omnicrm_tui.identity.mailed_codes import bare, new_code
from omnicrm_tui.identity.models import PasswordReset, User
from omnicrm_tui.identity.rules import login_name, password_problem
from omnicrm_tui.identity.sessions import Sessions
from omnicrm_tui.needs import Asked, asks_nothing

CODE_LIFE = timedelta(hours=1)
KEPT = timedelta(days=1)
MOST_OPEN = 3
"""Mails to one person within an hour: nobody's mailbox is to be filled from the log-in screen."""


class PasswordResets(Sessions):
    """Doors call these as `visitor(source)`: they ask for no permission."""

    @asks_nothing(Asked.LOG_IN)
    def request(self, email: str, source: str) -> None:
        """Mail a code to the user with that address (BIL-397); for an unknown one the same work is done and undone.

        Raises NotFound for an unknown address only where `security.tell_unknown_email` is set (PLT-199), and
        RateLimited for the caller's address and for the one that was typed, known or not.
        """
        self.work.limits.count(RESET, source=source, account=email)
        now = self.work.clock.now()
        self.session.execute(delete(PasswordReset).where(PasswordReset.expires < now - KEPT))
        # The stand-in's mail is rolled back: neither words nor time say whose address it was.
        stand_in = self.session.scalars(select(User).order_by(User.id).limit(1)).first()
        user = self._by_email(email)
        somebody = user or stand_in
        if somebody is not None:
            waiting = self._open_codes(somebody.id)
            attempt = self.session.begin_nested()
            self._mail_code(somebody)
            attempt.commit() if user is not None and waiting < MOST_OPEN else attempt.rollback()
        if user is not None:
            self._log(user, "Password reset asked for", source)
        else:
            self.work.activity.record("user", None, "Password reset asked for an unknown address")
            if self.work.settings.security.tell_unknown_email:
                self.session.commit()
                raise NotFound(_("No account found with that email address"))

    @asks_nothing(Asked.LOG_IN)
    def finish(self, code: str, new_password: str, source: str) -> None:
        """Set a new password with a mailed code (BIL-398, BIL-419): all sessions end, and a mail says so (PLT-203).

        Raises InvalidInput for a code that is unknown, used or over, and for a password that breaks the rules or was
        used before; the code is then still good. Raises RateLimited for the caller's address: a code that is tried
        is nobody's before it turns out to be right.
        """
        self.work.limits.count(RESET, source=source)
        reset = self._open_reset(code)
        if problem := password_problem(new_password):
            raise InvalidInput(_("The new password will not do."), {"new_password": problem})
        user_id = reset.user_id
        self._refuse_used(user_id, new_password)
        # The user's row first: what is written below points at it, and two at once would stand in each other's way.
        user = self.session.get_one(User, user_id, populate_existing=True, with_for_update=True)
        if not self._use(user_id, code):
            raise _not_valid()
        self._store_password(user_id, new_password, force_change=False)
        self._log(user, "Password reset with a mailed code", source)
        self._tell(user, notices.RESET_DONE, notices.reset_done_mail(user.first_name, source, self.work.settings))

    def _by_email(self, email: str) -> User | None:
        may = (User.deleted.is_(False), User.active.is_(True), HOLDS)
        return self.session.scalars(select(User).where(User.email == login_name(email), *may)).one_or_none()

    def _open_codes(self, user_id: int) -> int:
        open_ones = select(func.count(PasswordReset.id)).where(
            PasswordReset.user_id == user_id,
            PasswordReset.used.is_(None),
            PasswordReset.expires > self.work.clock.now(),
        )
        return self.session.scalar(open_ones) or 0

    def _mail_code(self, user: User) -> None:
        code = new_code()
        expires = self.work.clock.now() + CODE_LIFE
        hashed = self._keyring.fingerprint(bare(code))
        self.session.add(PasswordReset(user_id=user.id, code_hash=hashed, expires=expires))
        mail = notices.reset_mail(user.first_name, code, self.work.settings)
        self.work.messaging.enqueue_email(
            user.email, mail.subject, mail.text, kind=notices.RESET, secret=code, until=expires
        )
        self.session.flush()

    def _open_reset(self, code: str) -> PasswordReset:
        hashes = self._keyring.fingerprints(bare(code))
        found = self.session.scalars(select(PasswordReset).where(PasswordReset.code_hash.in_(hashes))).one_or_none()
        user = self.session.get(User, found.user_id) if found else None
        if found is None or user is None or not user.may_log_in:
            raise _not_valid()
        if found.used is not None or found.expires <= self.work.clock.now():
            raise _not_valid()
        return found

    def _use(self, user_id: int, code: str) -> bool:
        """Use the code up, and with it all others of the user; of several at once, one does."""
        now, hashes = self.work.clock.now(), self._keyring.fingerprints(bare(code))
        unused = update(PasswordReset).where(PasswordReset.user_id == user_id, PasswordReset.used.is_(None))
        unused = unused.values(used=now).execution_options(synchronize_session=False)
        still_good = (PasswordReset.code_hash.in_(hashes), PasswordReset.expires > now)
        won = self._changes_one(unused.where(*still_good))
        if won:
            self.session.execute(unused)
        return won


def _not_valid() -> InvalidInput:
    problem = _("is not valid, or no longer: ask for a new one")
    return InvalidInput(_("This code is not valid, or no longer. Ask for a new one."), {"token": problem})
