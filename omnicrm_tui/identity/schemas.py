"""Inputs and read models of identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from gettext import gettext as _
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.messaging.rules import is_email
from omnicrm_tui.schemas import MAX_ID, Input


def _names(value: Any) -> Any:
    """Accept one name, a comma list or a list (BIL-390)."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _email(text: str) -> str:
    if not is_email(text):
        raise ValueError(_("is not an e-mail address"))
    return text


def _unstripped(value: Any) -> Any:
    return SecretStr(value) if isinstance(value, str) else value


Password = Annotated[SecretStr, BeforeValidator(_unstripped)]
"""A password as it was typed: blanks around it are part of it."""
RoleNames = Annotated[list[str], BeforeValidator(_names)]
EmailText = Annotated[str, Field(max_length=254), AfterValidator(_email)]
PersonName = Annotated[str, Field(min_length=1, max_length=100)]
MiddleName = Annotated[str, Field(max_length=100)]
PhoneText = Annotated[str, Field(max_length=40)]
PermissionNames = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=1000)]
Note = Annotated[str, Field(max_length=16_000)]


class UserInput(Input):
    """A new user (BIL-379, BIL-383, BIL-390). `role` names one role or more; a contact's user needs none.

    Without a password it gets a temporary one. `welcome_email` writes to it at once.
    """

    username: Annotated[str, Field(min_length=1, max_length=150)]
    email: EmailText
    password: Password | None = None
    first_name: PersonName
    last_name: PersonName
    middle_name: MiddleName | None = None
    phone_number: PhoneText | None = None
    role: RoleNames = []
    contact_id: int | None = None
    force_password_change: bool = False
    welcome_email: bool = False


class UserChange(Input):
    """A change of a user: only the fields that are given (BIL-394). `deleted: false` restores (BIL-432).

    `is_customer: false` makes a user that has no contact (any more) a user of staff.
    """

    version: int | None = None
    first_name: PersonName | None = None
    middle_name: MiddleName | None = None
    last_name: PersonName | None = None
    phone_number: PhoneText | None = None
    email: EmailText | None = None
    role: RoleNames | None = None
    active: bool | None = None
    deleted: bool | None = None
    contact_id: int | None = None
    is_customer: bool | None = None


class ReasonInput(Input):
    """Why something is done to a user's account: it goes into the activity log (PLT-216, BIL-434)."""

    reason: Annotated[str, Field(min_length=3, max_length=300)]


class RoleInput(Input):
    """A new role (BIL-400); it starts with no permissions, or with those of the shipped role that `design` names."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    description: Note = ""
    design: Annotated[str, Field(max_length=100)] = ""


class RoleChange(Input):
    """A change of a role's name or description (BIL-402)."""

    version: int | None = None
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    description: Note | None = None


class RolePermissions(Input):
    """What a role gets and what is taken from it, by name; what is not named stays as it is."""

    add: PermissionNames = []
    remove: PermissionNames = []


class PermissionInput(Input):
    """A permission of the operator's own (BIL-409), named like the catalogue's: `action_resource` (PLT-604)."""

    name: Annotated[str, Field(max_length=100, pattern="^[a-z0-9]+(_[a-z0-9]+)+$")]
    description: Note = ""


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as the list shows it; `roles` are the names of its roles.

    A customer's user without a `contact_id` may not log in.
    """

    id: int
    username: str
    email: str
    first_name: str
    last_name: str
    phone_number: str | None
    contact_id: int | None
    is_customer: bool
    active: bool
    deleted: bool
    is_2fa_enabled: bool
    locked_until: datetime | None
    login_count: int
    last_login: datetime | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserView:
    """A user, whole, without secrets, with roles and effective permissions (BIL-393).

    A customer's user without a `contact_id` may not log in, and has none of the permissions of its roles.
    """

    id: int
    username: str
    email: str
    first_name: str
    middle_name: str | None
    last_name: str
    phone_number: str | None
    contact_id: int | None
    is_customer: bool
    active: bool
    email_verified: bool
    pending_email: str | None
    is_2fa_enabled: bool
    force_password_change: bool
    locked_until: datetime | None
    login_count: int
    last_login: datetime | None
    deleted: bool
    deleted_at: datetime | None
    version: int
    created: datetime
    last_modified: datetime
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatedUser(UserView):
    """A user that was just made, with the password that was made for it, if one was: shown once, stored nowhere."""

    temporary_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Right:
    """Something that a user may do, and the names of the roles that it may do it through (BIL-374)."""

    permission: str
    description: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionView:
    """An open session of a user.

    `last_used` is when its tokens were last given out, `ends` when it is over at the latest; `current` tells whether
    the actor who asks sits at it. `real_name` is who sits there in truth, where somebody acts as the user.
    """

    session_id: str
    started: datetime
    last_used: datetime | None
    ends: datetime
    remembered: bool
    source_address: str
    current: bool
    real_name: str = ""


class Purpose(Input):
    """Why somebody acts as another user: that is told to the customer (SVC-381)."""

    purpose: Annotated[str, Field(max_length=300)] = ""


class ImpersonationInput(Purpose):
    """Whom to act as, and why (SVC-363)."""

    user_id: Annotated[int, Field(ge=1, le=MAX_ID)]


@dataclass(frozen=True, slots=True)
class LoginOfContact:
    """The user through whom a contact logs in."""

    user_id: int
    username: str


@dataclass(frozen=True, slots=True)
class Impersonation:
    """That somebody acts as another user from now on, at most until `ends` (SVC-363); the actor, and its tokens."""

    impersonating_user_id: int
    target_user_id: int
    impersonation_start: datetime
    ends: datetime
    actor: Actor
    tokens: Tokens = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImpersonationEnd:
    """That somebody is back, after so many seconds (SVC-364): who it is, and new tokens of the own session."""

    impersonation_end: datetime
    duration_seconds: int
    actor: Actor
    tokens: Tokens = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImpersonationRow:
    """An entry of the log of who acted as whom (SVC-361); no end and no duration (seconds) while it lasts.

    `customer_id` is the customer whose user it was. `end_reason` is "stopped", "time limit" or "session over".
    """

    impersonation_id: int
    impersonating_user_id: int
    impersonating_name: str
    target_user_id: int
    target_name: str
    customer_id: int | None
    impersonation_start: datetime
    impersonation_end: datetime | None
    impersonation_duration: int | None
    purpose: str
    end_reason: str
    source_address: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs tokens, or did. `needed_until` is when the last of what a former one signed is over."""

    number: int
    made: datetime
    signs: bool
    needed_until: datetime | None


@dataclass(frozen=True, slots=True)
class PermissionView:
    """A permission of the catalogue (BIL-381)."""

    id: int
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role with the names of its permissions and of the users that hold it (BIL-380)."""

    id: int
    name: str
    description: str
    version: int
    permissions: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role as the list shows it: how many permissions it bundles, and how many living users hold it."""

    id: int
    name: str
    description: str
    permissions: int
    users: int


@dataclass(frozen=True, slots=True)
class RoleLoss:
    """What deleting a role costs: how many living users hold it, and how many of them hold no other."""

    users: int
    left_without: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token, the refresh token that renews it once, and when the access token ends (UTC)."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class LoginResult:
    """What a log-in leads to: exactly one of three.

    A session: `tokens`, `actor`, `roles` and sorted `permissions`. Or the second factor: `requires_2fa` and a
    `challenge_token` that opens nothing but `second_factor.verify`. Or `must_change_password`: there are no
    tokens until `change_temporary_password` was called with the challenge and the user logged in again (PLT-178).

    A session of an `actor` that `must_enable_2fa` opens nothing else; `advise_2fa` is a reminder (PLT-196).
    """

    user_id: int
    tokens: Tokens | None = None
    actor: Actor | None = None
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    requires_2fa: bool = False
    challenge_token: str = field(default="", repr=False)
    must_change_password: bool = False
    advise_2fa: bool = False


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator and its owner need, to be shown once: base32 `secret`, the same as a URI, backup codes."""

    user_id: int
    secret: str = field(repr=False)
    uri: str = field(repr=False)
    backup_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactorState:
    """Whether a user's second factor is `enabled`, or issued and not confirmed yet, and how many codes are unused."""

    enabled: bool
    pending: bool
    unused_codes: int
