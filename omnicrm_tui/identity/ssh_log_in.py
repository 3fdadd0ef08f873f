"""Logging in by the SSH key or certificate that opened the connection, in the place of a password."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

from omnicrm_tui.errors import NotAuthenticated
from omnicrm_tui.identity.schemas import LoginResult
from omnicrm_tui.identity.sessions import Sessions
from omnicrm_tui.needs import Asked, asks_nothing

if TYPE_CHECKING:
    from omnicrm_tui.identity.ssh_keys import SshKey


class SshLogIn(Sessions):
    """Only the door of the terminal calls this, with what sshd told it: no key is ever sent over REST."""

    @asks_nothing(Asked.LOG_IN)
    def login_by_ssh(self, key: SshKey, source: str) -> LoginResult | None:
        """Log in whom `security.ssh_identities` maps a key to; None where that is nobody, and a password is due.

        The second factor is asked for where the user has one, unless `security.ssh_second_factor` is off. Raises
        NotAuthenticated where the key stands for several users, or for one who may not log in; AccountLocked.
        """
        names = self._named_by(key)
        if not names:
            return None
        user = self._by_login(names[0]) if len(names) == 1 else None
        if user is None or user.deleted or not user.active:
            raise NotAuthenticated(_("Your SSH key stands for nobody who may log in here. Log in with a password."))
        self._refuse_locked(user)
        self._refuse_unlinked(user, source)
        asks = self.work.settings.security.ssh_second_factor
        return self._go_on(user, source, False, key.fingerprint, second_factor=asks)

    def _named_by(self, key: SshKey) -> list[str]:
        """Return whom a key stands for: the key's own line comes before those of its certificate's principals."""
        identities = self.work.settings.security.ssh_identities
        by_key = [one.user for one in identities if one.key and one.key == key.fingerprint]
        by_principal = {one.user for one in identities if one.principal and one.principal in key.principals}
        return by_key or sorted(by_principal)
