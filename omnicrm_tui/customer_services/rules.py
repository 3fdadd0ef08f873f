"""The life of a service, as states and dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from gettext import gettext as _
from typing import Protocol

from omnicrm_tui.languages import N_

SERVICE_STATUSES = (N_("Active"), N_("Inactive"), N_("Suspended"), N_("Pending Cancellation"), N_("Deactivated"))
"""Stored states; Expired, Expiring Soon and Overdue are derived from dates (the index's ruling)."""

ACTIVE, DEACTIVATED = "Active", "Deactivated"
ENDED = ("Inactive", DEACTIVATED)

NO_END = datetime(9999, 1, 1, tzinfo=UTC)
"""What stands in `end_date` where no end is known, so that such services sort last."""

SOON = timedelta(days=7)


class Receiver(Protocol):
    """What the rules need to know of a service that something is added to."""

    @property
    def service_name(self) -> str: ...
    @property
    def service_type(self) -> str: ...
    @property
    def service_status(self) -> str: ...


def addon_problem(service: Receiver, addon_type: str) -> str | None:
    """Return in a sentence why an add-on of that type does not go to the service (CAT-367), or None when it does."""
    if service.service_type != addon_type:
        return _("{service_name} is of the type {service_type}; the add-on is for {addon_type}.").format(
            service_name=service.service_name, service_type=service.service_type, addon_type=addon_type
        )
    if service.service_status in ENDED:
        return _("{service_name} is {service_status}: nothing can be added to it.").format(
            service_name=service.service_name, service_status=service.service_status
        )
    return None


def first_day(active: datetime | None, provisioned: datetime | None, created: datetime) -> datetime:
    """Return the day a service starts: made active, else provisioned, else entered (SVC-222)."""
    return active or provisioned or created


def last_day(deactivates: datetime | None, contract_ends: datetime | None) -> datetime:
    """Return the day a service ends: deactivation, else the end of the contract, else NO_END (SVC-222)."""
    return deactivates or contract_ends or NO_END


def end_notice(status: str, end: datetime, now: datetime) -> str | None:
    """Return Expired or Expiring Soon (within 7 days, SVC-240) for a service that is not over, else None."""
    if status in ENDED or end == NO_END:
        return None
    if end <= now:
        return N_("Expired")
    return N_("Expiring Soon") if end - now <= SOON else None


def search_text(parts: Iterable[str | None]) -> str:
    """Return the lines that a service is looked up by."""
    return "\n".join(part for part in parts if part)
