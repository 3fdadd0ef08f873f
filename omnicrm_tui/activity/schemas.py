"""What the activity log shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One entry of the log; `details` maps a field to its old and new value.

    `impersonating_user_id` is who really did it, where somebody acted as `user_id`; `actor_name` then names both.
    """

    activity_id: int
    timestamp: datetime
    customer_id: int | None
    service_id: int | None
    user_id: int | None
    impersonating_user_id: int | None
    actor_name: str
    source_address: str
    object_type: str
    object_id: int | None
    action: str
    details: dict[str, Any]
