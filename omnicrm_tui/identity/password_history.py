"""The passwords that a user had before, which are not chosen again (BIL-422)."""

from __future__ import annotations

from gettext import gettext as _

from sqlalchemy import delete, select

from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.identity import passwords
from omnicrm_tui.identity.access import Access
from omnicrm_tui.identity.models import OldPassword, User


class PasswordHistory(Access):
    """Keeps the hashes of as many old passwords as `security.password_history` asks for."""

    def _refuse_used(self, user_id: int, password: str) -> None:
        """Raise InvalidInput for a password that the user had not long ago.

        Commits: each look takes a tenth of a second, in which nobody else's writes should wait.
        """
        most = self._most_old()
        newest = select(OldPassword.password_hash).where(OldPassword.user_id == user_id)
        hashes = self.session.scalars(newest.order_by(OldPassword.id.desc()).limit(most)).all()
        self.session.commit()
        if any(passwords.verify(old, password) for old in hashes):
            problem = _("was your password before; choose another one")
            raise InvalidInput(_("The new password will not do."), {"new_password": problem})

    def _keep_old(self, user_id: int) -> None:
        """Keep the hash that is about to be replaced, and forget the oldest ones."""
        most = self._most_old()
        hashed = self.session.scalar(select(User.password_hash).where(User.id == user_id))
        if most and hashed:
            now = self.work.clock.now()
            self.session.add(OldPassword(user_id=user_id, password_hash=hashed, replaced=now))
            self.session.flush()
        ids = select(OldPassword.id).where(OldPassword.user_id == user_id).order_by(OldPassword.id.desc())
        if surplus := self.session.scalars(ids).all()[most:]:
            self.session.execute(delete(OldPassword).where(OldPassword.id.in_(surplus)))

    def _most_old(self) -> int:
        """The current password is among those that the setting counts; it is kept with the user."""
        return max(0, self.work.settings.security.password_history - 1)
