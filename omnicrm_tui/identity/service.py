"""Identity: who may come in, as whom, and what they may do."""

from __future__ import annotations

from omnicrm_tui.identity.users import Users


class IdentityService(Users):
    """Log-in and sessions (`sessions`), actors (`access`), users (`users`), roles and permissions (`roles`).

    Doors log people in and read tokens as `visitor(source_address)`; administration takes an actor with the
    permission admin.
    """
