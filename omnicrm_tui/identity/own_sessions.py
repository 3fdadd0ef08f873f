"""One's own open sessions, and the end of those that one does not want any more."""

from __future__ import annotations

from gettext import gettext as _

from omnicrm_tui.errors import NotFound
from omnicrm_tui.identity.models import TokenFamily
from omnicrm_tui.identity.own_account import own_account
from omnicrm_tui.identity.user_care import UserCare
from omnicrm_tui.needs import Asked, asks_nothing


class OwnSessions(UserCare):
    """`sessions_of` lists them; ending them asks for the password, or who has stolen one could end the others."""

    @asks_nothing(Asked.OWN)
    @own_account
    def end_own_sessions(self, user_id: int, password: str, session_id: str = "") -> int:
        """End a session of one's own at once, or all but this one where none is named; return how many.

        Raises NotFound when there is no such session open, InvalidInput for a wrong password, AccountLocked.
        """
        user = self._own(user_id)
        mine = self.sessions_of(user_id)
        ended = [one for one in mine if (one.session_id == session_id if session_id else not one.current)]
        if session_id and not ended:
            raise NotFound(_("This session is over already."))
        self._check_own_password(user, password)
        self._end_families(TokenFamily.family_id.in_([one.session_id for one in ended]))
        if session_id:
            self._log(user, "Own session ended", self.actor.source_address, **{"from": ended[0].source_address})
        else:
            self._log(user, "Own other sessions ended", self.actor.source_address, sessions=str(len(ended)))
        return len(ended)
