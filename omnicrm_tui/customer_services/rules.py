"""The life of a service, as states and steps."""

from __future__ import annotations

SERVICE_STATUSES = ("Active", "Inactive", "Suspended", "Pending Cancellation", "Deactivated")
"""Stored states; Expired, Expiring Soon and Overdue are derived from dates (the index's ruling)."""
