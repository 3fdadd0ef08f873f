"""E-mail addresses are verified by a code that is mailed to them; until then a new one waits (BIL-430).

    changed -> `pending_email`, a code by mail -> verified: it is `email` | cancelled | over: mail another code

A pending address is good for nothing but this: nobody logs in with it, and no other mail goes there.
"""

from __future__ import annotations

from datetime import timedelta
from gettext import gettext as _

from sqlalchemy import delete, or_, select

from omnicrm_tui.errors import Conflict, InvalidInput
from omnicrm_tui.identity.limits import RESET
from omnicrm_tui.identity.mailed_codes import bare, new_code
from omnicrm_tui.identity.models import EmailVerification, PasswordReset, User
from omnicrm_tui.identity.own_account import OwnAccount, own_account
from omnicrm_tui.identity.permissions import ADMIN
from omnicrm_tui.needs import Asked, asks_itself, asks_nothing, needs


class EmailVerifications(OwnAccount):
    """Mails codes to addresses and takes them back; `Users.update_user` begins a change."""

    @asks_nothing(Asked.LOG_IN)
    def verify_email(self, code: str, source: str) -> str:
        """Make the address that a code was mailed to the user's verified one (BIL-430), and return it.

        Raises InvalidInput for a code that is unknown, used, replaced or over; Conflict, with the code still good,
        when the address has become another user's meanwhile; RateLimited for the caller's address.
        """
        self.work.limits.count(RESET, source=source)
        return self._verify(code, source)

    @asks_nothing(Asked.OWN)
    @own_account
    def verify_own_email(self, user_id: int, code: str) -> str:
        """Verify one's own address with the code as it was mailed (BIL-207), as `verify_email` does."""
        self._own(user_id)
        self.work.limits.count(RESET, source=self.actor.source_address)
        return self._verify(code, self.actor.source_address, user_id)

    @asks_itself(ADMIN, unless="it is one's own")
    @own_account
    def resend_verification(self, user_id: int) -> str:
        """Mail another code to the pending address, else to the unverified one, and return it (BIL-430).

        The code before is good no more. One's own, or needs admin. Raises NotFound; Conflict where there is nothing to
        verify and for who may not log in; RateLimited for the address, together with the mails of forgotten passwords.
        """
        self.actor.require_in_person()
        if not self._is_own(user_id):
            self.actor.require(ADMIN)
        self.work.limits.count(RESET, account=_to_verify(self._existing(user_id)))
        user = self._existing(user_id, lock=True)
        address = _to_verify(user)
        self._mail_verification(user, address)
        self.work.activity.record("user", user_id, "Verification mail sent again", new={"email": address})
        return address

    @needs(ADMIN, in_person=True)
    def cancel_email_change(self, user_id: int) -> None:
        """Forget a user's pending address, and its code. Needs admin; raises NotFound, Conflict where none waits."""
        user = self._existing(user_id, lock=True)
        if user.pending_email is None:
            raise Conflict(_("No new e-mail address waits to be verified."))
        old, user.pending_email = user.pending_email, None
        self.session.execute(delete(EmailVerification).where(EmailVerification.user_id == user_id))
        self.work.activity.record("user", user_id, "Change of e-mail address cancelled", old={"pending_email": old})
        self.session.flush()

    def _begin_email_change(self, user: User, address: str) -> None:
        """Mail a code to the new address, and tell the one that holds until then."""
        from omnicrm_tui.identity import notices

        self._mail_verification(user, address)
        source, settings = self.actor.source_address, self.work.settings
        mail = notices.email_change_mail(user.first_name, _masked(address), source, settings)
        self._tell(user, notices.EMAIL_CHANGE, mail)

    def _mail_verification(self, user: User, address: str) -> None:
        """Replace the user's code, if there is one, by another that goes to `address`."""
        from omnicrm_tui.identity import notices

        code, hours = new_code(), self.work.settings.security.email_verification_hours
        expires = self.work.clock.now() + timedelta(hours=hours)
        self.session.execute(delete(EmailVerification).where(EmailVerification.user_id == user.id))
        hashed = self._keyring.fingerprint(bare(code))
        self.session.add(EmailVerification(user_id=user.id, email=address, code_hash=hashed, expires=expires))
        mail = notices.verification_mail(user.first_name, code, hours, self.work.settings)
        self.work.messaging.enqueue_email(
            address, mail.subject, mail.text, kind=notices.VERIFICATION, secret=code, until=expires
        )
        self.session.flush()

    def _verify(self, code: str, source: str, user_id: int | None = None) -> str:
        hashes = self._keyring.fingerprints(bare(code))
        right = select(EmailVerification).where(EmailVerification.code_hash.in_(hashes))
        found = self.session.scalars(right).one_or_none()
        if found is None or user_id not in (None, found.user_id):
            raise _not_valid()
        address = found.email
        user = self._existing(found.user_id, lock=True)
        good = (EmailVerification.code_hash.in_(hashes), EmailVerification.expires > self.work.clock.now())
        if not user.may_log_in or not self._changes_one(delete(EmailVerification).where(*good)):
            raise _not_valid()
        self._check_unique(address, own_id=user.id)
        self._take_over(user, address, source)
        return address

    def _take_over(self, user: User, address: str, source: str) -> None:
        old = user.email
        if address != old:
            from omnicrm_tui.identity import notices

            mail = notices.email_changed_mail(user.first_name, _masked(address), source, self.work.settings)
            self._tell(user, notices.EMAIL_CHANGED, mail)
            # What was mailed to the old address opens nothing any more.
            self.session.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id))
            user.email, user.pending_email = address, None
        user.email_verified = True
        self.session.flush()
        self._log(user, "E-mail address verified", source, email=address, before=old)

    def _check_unique(self, *texts: str, own_id: int = 0) -> None:
        """One person's name is never another's address: both are typed into the same field."""
        taken = select(User.id).where(or_(User.username.in_(texts), User.email.in_(texts)), User.id != own_id)
        if self.session.scalars(taken).first() is not None:
            raise Conflict(_("Another user already has this user name or e-mail address."))


def _to_verify(user: User) -> str:
    """Return the address that waits to be verified. Raises Conflict where none does, or nobody may use it."""
    if not user.may_log_in:
        raise Conflict(_("This user may not log in: restore or activate the account first."))
    if user.pending_email is None and user.email_verified:
        raise Conflict(_("The e-mail address is verified already."))
    return user.pending_email or user.email


def _masked(address: str) -> str:
    """Return an address as who reads another mailbox may see it: who changed it knows it again."""
    name, _at, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def _not_valid() -> InvalidInput:
    problem = _("is not valid, or no longer: ask for a new one")
    return InvalidInput(_("This code is not valid, or no longer. Ask for a new one."), {"token": problem})
