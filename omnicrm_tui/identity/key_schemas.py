"""Inputs and read models of API keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from gettext import gettext as _
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from omnicrm_tui.identity.schemas import Note, RoleNames
from omnicrm_tui.schemas import BLANK, MAX_ID, Input, blank_is_none


def _end(value: Any) -> Any:
    """Read a day as such, because it ends with its last second, and anything else as an instant."""
    value = blank_is_none(value)
    if value is None or isinstance(value, date):
        return value
    try:
        text = value.strip()
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (AttributeError, ValueError, OverflowError):
        raise ValueError(_("write a day such as 2027-01-31")) from None


KeyName = Annotated[str, Field(min_length=1, max_length=100)]
Expiry = Annotated[date | datetime | None, BeforeValidator(_end)]
"""A day (YYYY-MM-DD), an instant, or None for never."""
CustomerId = Annotated[Annotated[int, Field(ge=1, le=MAX_ID)] | None, BLANK]


class ApiKeyInput(Input):
    """A new key (PLT-259, PLT-285). `permissions` may name roles too; `customer_id` confines it to one customer."""

    name: KeyName
    description: Note = ""
    expiry_date: Expiry = None
    permissions: RoleNames = []
    customer_id: CustomerId = None
    protected: bool = False


class ApiKeyChange(Input):
    """A change of a key (PLT-263, PLT-286): only the fields that are given; `expiry_date: null` is never."""

    version: int | None = None
    name: KeyName | None = None
    description: Note | None = None
    expiry_date: Expiry = None
    permissions: RoleNames | None = None
    protected: bool | None = None


class ExtensionInput(Input):
    """A later end of a key (PLT-270)."""

    expiry_date: Expiry = None


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """A key as the list shows it: `api_key` is masked, `status` one of active, expiring_soon, expired, revoked."""

    api_key_id: int
    name: str
    description: str
    created_by: str
    api_key: str
    status: str
    created: datetime
    expiry_date: datetime | None
    permissions: tuple[str, ...]
    customer_id: int | None
    protected: bool
    use_count: int
    last_used: datetime | None
    last_used_address: str
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class KeyUseRow:
    """What a credential was used for on one day (UTC) from one address."""

    day: date
    address: str
    uses: int
    refused: int
    first_use: datetime
    last_use: datetime


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """A key, whole, without the key itself (PLT-262); `uses` are the latest days and addresses, newest first."""

    api_key_id: int
    name: str
    description: str
    created_by: str
    api_key: str
    status: str
    created: datetime
    expiry_date: datetime | None
    permissions: tuple[str, ...]
    customer_id: int | None
    protected: bool
    use_count: int
    last_used: datetime | None
    last_used_address: str
    revoked: datetime | None
    revoked_by: str
    version: int
    warnings: tuple[str, ...] = ()
    uses: tuple[KeyUseRow, ...] = ()


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made: `api_key` is the whole key, for this once (PLT-260, PLT-285)."""

    api_key_id: int
    name: str
    api_key: str = field(repr=False)
    status: str
    created: datetime
    expiry_date: datetime | None
    permissions: tuple[str, ...]
    customer_id: int | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """The figures above the list (PLT-255): `total` has revoked keys too, `active` is all that open the door now."""

    total: int
    active: int
    expiring_soon: int
    expired: int
    revoked: int


@dataclass(frozen=True, slots=True)
class ConfiguredAccess:
    """A key or an address of the configuration file, with what it was used for in the days that are kept.

    `kind` is "key" or "address"; `name` is an address or range, or the two ends of a key; `problems` are sentences.
    """

    number: int
    kind: str
    name: str
    description: str
    roles: tuple[str, ...]
    ips: tuple[str, ...]
    use_count: int
    last_used: datetime | None
    last_used_address: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """Uses of one credential from one address that were counted together; `last` is when the latest was."""

    credential: str
    address: str
    first: datetime
    last: datetime
    uses: int = 0
    refused: int = 0
