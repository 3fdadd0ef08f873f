"""Renewing the key that signs tokens, so that nobody is logged out by it (the contracts page)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from gettext import gettext as _
from itertools import pairwise

from sqlalchemy import func, select

from omnicrm_tui.errors import Conflict
from omnicrm_tui.identity import signing_keys
from omnicrm_tui.identity.access import Access
from omnicrm_tui.identity.models import RefreshToken, TokenFamily
from omnicrm_tui.identity.permissions import ADMIN
from omnicrm_tui.identity.schemas import SigningKey
from omnicrm_tui.needs import needs

LONGEST = timedelta(hours=2)
"""Access tokens, challenges and mailed codes: none is good for longer, whatever is configured."""

_UNAWARE = timedelta(minutes=5)
"""How long a unit of work that had read the keys before may go on signing with the former one."""


class KeyRotation(Access):
    """Manages the signing keys of the home. Everything here needs admin."""

    @needs(ADMIN)
    def signing_keys(self) -> Sequence[SigningKey]:
        """Return the keys of the home, the oldest first; none where the configuration's `jwt_secret` signs."""
        if self.work.settings.jwt_secret is not None:
            return []
        found = signing_keys.files(self.work.settings.keys_folder)
        former = [
            SigningKey(key.number, key.made, signs=False, needed_until=self._needed_until(after.made))
            for key, after in pairwise(found)
        ]
        return [*former, SigningKey(found[-1].number, found[-1].made, signs=True, needed_until=None)]

    @needs(ADMIN)
    def rotate_signing_key(self) -> SigningKey:
        """Make the next key, which signs from now on, and return it; former ones go on opening what they signed.

        Raises Conflict where the configuration's `jwt_secret` signs: only its owner can replace that (PLT-227).
        """
        if self.work.settings.jwt_secret is not None:
            raise Conflict(
                _(
                    "jwt_secret in the configuration signs, and only one at a time. Replace it there by a new one "
                    "(openssl rand -hex 32) and start the programs again: that ends all sessions."
                )
            )
        self.session.connection()  # where nothing can be written down, no key is made
        now = self.work.clock.now()
        number = signing_keys.add(self.work.settings.keys_folder, now)
        self.work.activity.record("signing_key", number, "Signing key made")
        return SigningKey(number, now, signs=True, needed_until=None)

    @needs(ADMIN)
    def remove_signing_keys(self) -> Sequence[int]:
        """Remove the keys of which all that they signed is over; return their numbers. A duty of the schedule."""
        now = self.work.clock.now()
        over = [key.number for key in self.signing_keys() if key.needed_until is not None and key.needed_until <= now]
        for number in over:
            self.work.activity.record("signing_key", number, "Signing key removed: nothing that it signed is left")
            self.work.after_commit(partial(signing_keys.remove, self.work.settings.keys_folder, number))
        return over

    def _needed_until(self, retired: datetime) -> datetime:
        """Return when the last token of a key is over that was retired then.

        Used refresh tokens count too: to know one again, which somebody has stolen, takes the key.
        """
        last = (
            select(func.max(RefreshToken.expires))
            .join(TokenFamily, TokenFamily.family_id == RefreshToken.family_id)
            .where(RefreshToken.issued < retired + _UNAWARE, TokenFamily.ended.is_(None))
        )
        return max(retired + LONGEST, self.session.scalar(last) or retired)
