"""Who may order, and Open Location Codes ("plus codes") of places (CAT-040, CAT-540)."""

from __future__ import annotations

from collections.abc import Collection
from gettext import gettext as _
from typing import Protocol


class Buyer(Protocol):
    """What the rules need to know of a customer."""

    @property
    def customer_name(self) -> str: ...
    @property
    def customer_status(self) -> str: ...
    @property
    def customer_enabled(self) -> bool: ...


def sale_problem(customer: Buyer, statuses: Collection[str]) -> str | None:
    """Return in a sentence why the customer cannot order, or None: `statuses` are those open for sale (PLT-076)."""
    if customer.customer_status not in statuses:
        return _("{customer_name} is {customer_status}: nothing can be ordered with that status.").format(
            customer_name=customer.customer_name, customer_status=customer.customer_status
        )
    if not customer.customer_enabled:
        return _("{customer_name} is disabled: nothing can be ordered until the account is enabled.").format(
            customer_name=customer.customer_name
        )
    return None


def plus_code(latitude: float | None, longitude: float | None) -> str | None:
    """Return the 11-character code of a place in decimal degrees, such as 8C3MFJV8+2F; None where one is missing."""
    if latitude is None or longitude is None:
        return None
    from openlocationcode import openlocationcode

    code: str = openlocationcode.encode(latitude, longitude)
    return code


def checked_plus_code(text: str) -> str:
    """Return a full code in capitals, or an empty text as it is; raises ValueError for anything else."""
    from openlocationcode import openlocationcode

    if text and not openlocationcode.isFull(text):
        raise ValueError(_("a full plus code such as 8C3MFJV8+2F"))
    return text.upper()
