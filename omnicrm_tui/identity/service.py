"""Identity: who may come in, as whom, and what they may do."""

from __future__ import annotations

from omnicrm_tui.identity.api_keys import ApiKeys
from omnicrm_tui.identity.key_rotation import KeyRotation
from omnicrm_tui.identity.own_sessions import OwnSessions
from omnicrm_tui.identity.ssh_log_in import SshLogIn


class IdentityService(OwnSessions, SshLogIn, ApiKeys, KeyRotation):
    """Log-in and sessions (`sessions`, `ssh_log_in`), actors (`access`), users (`users`, `user_care`), roles (`roles`).

    API keys are made and looked at in `api_keys`, and their uses counted in `key_uses`; `key_rotation` renews the key
    that signs tokens.

    Doors log people in and read tokens as `visitor(source_address)`; administration takes an actor with the
    permission admin.
    """
