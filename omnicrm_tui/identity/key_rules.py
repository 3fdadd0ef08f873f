"""Rules of API keys that need no database: how a key looks, when it ends, what to think twice about, presets."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from gettext import gettext as _

from omnicrm_tui.identity.permissions import ADMIN, VIEW_STATUS
from omnicrm_tui.languages import N_

PREFIX = "sk_live_"
RANDOM_CHARACTERS = 40
"""With 62 letters and digits to choose from, 238 random bits (PLT-273)."""

START, END = len(PREFIX) + 4, 4
"""How much of either end is kept, for people to tell keys apart: 190 bits stay unknown."""

NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
SOON = timedelta(days=30)
LONGEST_ADVISED = timedelta(days=365)

ACTIVE, EXPIRING, EXPIRED, REVOKED = "active", "expiring_soon", "expired", "revoked"
STATUSES = (ACTIVE, EXPIRING, EXPIRED, REVOKED)

_ALPHABET = string.ascii_letters + string.digits


def new_key() -> str:
    """Return a new key: the prefix and 40 random letters and digits."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_CHARACTERS))


def hash_of(key: str) -> str:
    """Return what is stored of a key. It is random enough that a plain SHA-256 tells nobody anything."""
    return hashlib.sha256(key.encode()).hexdigest()


def masked(start: str, end: str) -> str:
    """Return a key as lists show it: `sk_live_Ab12...WXyz` (PLT-243)."""
    return f"{start}...{end}"


def status_of(expires: datetime, revoked: datetime | None, now: datetime) -> str:
    """Return the state of a key (PLT-268..271), in words of the API."""
    if revoked is not None:
        return REVOKED
    if expires <= now:
        return EXPIRED
    return EXPIRING if expires <= now + SOON else ACTIVE


def expiry_of(given: date | datetime | None, zone: str) -> datetime:
    """Return when a key ends: a day ends with its last second in `zone` (PLT-244), None is `NEVER`.

    Raises OverflowError for a moment that cannot be told in UTC.
    """
    if given is None:
        return NEVER
    if not isinstance(given, datetime):
        from zoneinfo import ZoneInfo

        given = datetime.combine(given, time(23, 59, 59), ZoneInfo(zone))
    return given.astimezone(UTC)


def last_day(now: datetime, days: int, zone: str) -> date:
    """Return the day on which a key ends that is valid for `days` from now on."""
    from zoneinfo import ZoneInfo

    return (now.astimezone(ZoneInfo(zone)) + timedelta(days=days)).date()


def shown_expiry(expires: datetime) -> datetime | None:
    """Return an expiry as people and programs see it: None for a key that never ends."""
    return None if expires >= NEVER else expires


def warnings(permissions: Iterable[str], expires: datetime, now: datetime, customer_id: int | None) -> Iterator[str]:
    """Yield a sentence for each thing about a key to think about again (PLT-274)."""
    held = list(permissions)
    if expires >= NEVER:
        yield _("It never expires: 90 days to a year is advised.")
    elif expires > now + LONGEST_ADVISED + timedelta(days=1):
        yield _("It is valid for more than a year: 90 days to a year is advised.")
    if ADMIN in held:
        yield _("It may do everything: name the few permissions that its system needs.")
    if not held:
        yield _("It has no permissions: it may do nothing.")
    if customer_id is None and any(name.startswith("view_own_") for name in held):
        yield _("Permissions to view one's own need a customer whose they are.")


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of key that is often needed (PLT-280..283); `days` is None for a key that never expires."""

    slug: str
    name: str
    description: str
    permissions: tuple[str, ...]
    days: int | None


PRESETS = (
    Preset(
        "ansible",
        "Ansible Provisioning Server",
        N_("Used by provisioning automation"),
        (
            *("create_provision", "view_provision", "view_customer_service", "create_customer_service"),
            *("view_inventory", "update_inventory"),
        ),
        365,
    ),
    Preset(
        "billing",
        "Billing Sync QuickBooks",
        N_("Read-only export of customers and money"),
        ("view_customer", "view_customer_transaction", "view_customer_invoice"),
        90,
    ),
    Preset(
        "monitoring",
        "Monitoring Grafana",
        N_("Reads figures for Prometheus and Grafana"),
        ("view_customer_service", "view_provision", VIEW_STATUS),
        None,
    ),
    Preset(
        "portal",
        "Customer Portal Backend",
        N_("Shows one customer its own data and takes its payments"),
        ("view_own_customer", "view_own_customer_service", "create_customer_transaction"),
        180,
    ),
)

SHORT_LIST = (
    ("view_customer", N_("View customers")),
    ("create_customer", N_("Create customers")),
    ("view_customer_service", N_("View services of customers")),
    ("create_customer_service", N_("Create services of customers")),
    ("create_provision", N_("Create provisioning jobs")),
    ("view_inventory", N_("View inventory items")),
    (ADMIN, N_("Do everything")),
)
"""What a key's form offers first (PLT-259); all others follow."""
