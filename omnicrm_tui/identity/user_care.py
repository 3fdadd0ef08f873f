"""What administrators do about a user's way in: passwords, the second factor, and open sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from gettext import gettext as _

from sqlalchemy import delete, func, select

from omnicrm_tui.errors import Conflict, NotFound
from omnicrm_tui.identity import passwords
from omnicrm_tui.identity.models import BackupCode, RefreshToken, TokenFamily, User
from omnicrm_tui.identity.own_account import OwnAccount, own_account
from omnicrm_tui.identity.permissions import ADMIN
from omnicrm_tui.identity.schemas import SessionView, UserView
from omnicrm_tui.identity.sessions import SESSION
from omnicrm_tui.identity.user_mail import Told
from omnicrm_tui.identity.users import Users
from omnicrm_tui.needs import asks_itself, needs


class UserCare(Users, OwnAccount):
    """Resets and ends what a user logs in with. Everything here needs admin, but a look at one's own sessions."""

    @needs(ADMIN, in_person=True)
    def set_password(self, user_id: int, new_password: str, *, force_change: bool = True) -> None:
        """Set a user's password, by default a temporary one (BIL-396, BIL-420); unlocks, and ends the sessions.

        Needs admin; raises NotFound, and InvalidInput for a weak password. Whether the user had it before is not told.
        """
        user = self._user(user_id)
        self._check_new_password(new_password, "new_password")
        self._store_password(user.id, new_password, force_change=force_change)
        self.work.limits.forgive(user.email, user.username, f"user {user.id}")
        self.work.activity.record("user", user_id, "Password reset by an administrator")
        from omnicrm_tui.identity import notices

        mail = notices.reset_done_mail(user.first_name, self.actor.source_address, self.work.settings)
        self._tell(user, notices.RESET_DONE, mail)

    @needs(ADMIN, in_person=True)
    def reset_password(self, user_id: int) -> str:
        """Give a user a random temporary password and return it, to be shown once (PLT-212..214). Needs admin."""
        password = passwords.temporary_password()
        self.set_password(user_id, password)
        return password

    @needs(ADMIN, in_person=True)
    def unlock(self, user_id: int) -> UserView:
        """Let a user who is locked out after failed log-ins try again at once (BIL-422). Needs admin.

        Raises NotFound, and Conflict for who is not locked.
        """
        user = self._user(user_id)
        if user.locked_until is None or user.locked_until <= self.work.clock.now():
            raise Conflict(_("{name} is not locked.").format(name=user.username))
        user.failed_logins, user.locked_until = 0, None
        self.work.limits.forgive(user.email, user.username, f"user {user.id}")
        self.work.activity.record("user", user_id, "User unlocked")
        self.session.flush()
        return self._user_view(user)

    @needs(ADMIN, in_person=True)
    def reset_second_factor(self, user_id: int, reason: str = "") -> UserView:
        """Take a user's second factor and backup codes away (PLT-215, BIL-414, BIL-426); a password is enough then.

        `reason` (how the person was identified) goes into the activity log (PLT-216). Needs admin; raises NotFound,
        and Conflict when there is none.
        """
        user = self._user(user_id)
        if not user.is_2fa_enabled:
            raise Conflict(_("{name} has no second factor.").format(name=user.username))
        user.is_2fa_enabled, user.totp_secret, user.totp_last_step = False, None, None
        self.session.execute(delete(BackupCode).where(BackupCode.user_id == user_id))
        self.work.activity.record("user", user_id, "Second factor reset", new={"reason": reason or None})
        self._tell_second_factor(user, Told.TAKEN_AWAY)
        self.session.flush()
        return self._user_view(user)

    @asks_itself(ADMIN, unless="they are one's own")
    @own_account
    def sessions_of(self, user_id: int) -> Sequence[SessionView]:
        """Return a user's open sessions, the newest first. One's own, or needs admin; raises NotFound."""
        if not self._is_own(user_id):
            self.actor.require(ADMIN)
        self._user(user_id)
        used = (
            select(func.max(RefreshToken.issued))
            .where(RefreshToken.family_id == TokenFamily.family_id)
            .correlate(TokenFamily)
            .scalar_subquery()
        )
        real = select(User.username).where(User.id == TokenFamily.real_user_id).correlate(TokenFamily).scalar_subquery()
        found = select(TokenFamily, used, real).where(
            TokenFamily.user_id == user_id,
            TokenFamily.purpose == SESSION,
            TokenFamily.ended.is_(None),
            TokenFamily.expires > self.work.clock.now(),
        )
        ordered = found.order_by(TokenFamily.started.desc(), TokenFamily.family_id)
        return [self._session_view(*row) for row in self.session.execute(ordered)]

    @needs(ADMIN, in_person=True)
    def end_session(self, user_id: int, session_id: str) -> None:
        """End one session of a user, at once. Needs admin; raises NotFound when the user has no such session open."""
        mine = next((one for one in self.sessions_of(user_id) if one.session_id == session_id), None)
        if mine is None:
            raise NotFound(_("This session is over already."))
        self._end_families(TokenFamily.family_id == session_id)
        new = {"started": mine.started, "from": mine.source_address}
        self.work.activity.record("user", user_id, "Session ended by an administrator", new=new)

    @needs(ADMIN, in_person=True)
    def end_all_sessions(self, user_id: int) -> int:
        """End all sessions of a user at once and return how many there were. Needs admin; raises NotFound."""
        number = len(self.sessions_of(user_id))
        self.end_sessions(user_id)
        self.work.activity.record("user", user_id, "All sessions ended by an administrator", new={"sessions": number})
        return number

    def _session_view(self, family: TokenFamily, last_used: datetime | None, real_name: str | None) -> SessionView:
        return SessionView(
            family.family_id,
            family.started,
            last_used,
            family.expires,
            family.remembered,
            family.source_address,
            current=family.family_id == self.actor.session_id,
            real_name=real_name or "",
        )
