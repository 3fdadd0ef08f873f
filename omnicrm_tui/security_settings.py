"""The part of the configuration that says who gets in, and the base of all its parts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from omnicrm_tui.languages import spoken as _

FINGERPRINT = "^$|^SHA256:[A-Za-z0-9+/]{43}$"

Often = Annotated[int, Field(ge=0, le=1_000_000)]


class Section(BaseModel):
    """One part of the configuration; an unknown key is a mistake, not a surprise later."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, coerce_numbers_to_str=True)


class LimitsSection(Section):
    """How often something may be done (PLT-051, PLT-179); `identity.limits` says within which time. 0 is no limit."""

    login_per_account: Often = 20
    login_per_address: Often = 300
    code_per_account: Often = 20
    code_per_address: Often = 300
    reset_per_account: Often = 10
    reset_per_address: Often = 60
    refresh_per_account: Often = 120
    refresh_per_address: Often = 3000
    api_per_caller: Often = 6000
    api_per_address: Often = 12_000


def _one_of_two(principal: str, info: ValidationInfo) -> str:
    # Where the key has a mistake of its own, that is told instead.
    if "key" in info.data and bool(principal) == bool(info.data["key"]):
        raise ValueError(_("a key or a principal is allowed, one of the two"))
    return principal


class SshIdentity(Section):
    """Whom a key (its fingerprint) or a certificate with that principal stands for: a user's e-mail address or name."""

    key: str = Field(default="", pattern=FINGERPRINT)
    principal: Annotated[str, AfterValidator(_one_of_two)] = Field(default="", validate_default=True)
    user: Annotated[str, Field(min_length=1)]


def _each_once(identities: list[SshIdentity]) -> list[SshIdentity]:
    seen: set[tuple[str, str]] = set()
    for one in identities:
        if (one.key, one.principal) in seen:
            words = _("{name} is there twice; each key and each principal is allowed once")
            raise ValueError(words.format(name=one.key or one.principal))
        seen.add((one.key, one.principal))
    return identities


class SecuritySection(Section):
    """Log-in rules and token lives. Customers are never asked for a second factor (PLT-163).

    Who acts as another user is back after `impersonation_minutes`, or after `impersonation_idle_minutes` without a key
    (SVC-376, BIL-503); `impersonation_purpose` asks why. A terminal locks after `lock_minutes` without a key; 0 is
    never.
    """

    access_token_minutes: int = Field(default=15, ge=1, le=120)
    refresh_token_days: int = Field(default=30, ge=1, le=365)
    session_hours: int = Field(default=12, ge=1, le=720)
    lockout_failures: int = Field(default=5, ge=1, le=100)
    lockout_minutes: int = Field(default=30, ge=1, le=10_080)
    signing_key_days: int = Field(default=365, ge=0, le=3650)
    password_history: int = Field(default=5, ge=0, le=24)
    email_verification_hours: int = Field(default=24, ge=1, le=720)
    impersonation_minutes: int = Field(default=60, ge=1, le=1440)
    impersonation_idle_minutes: int = Field(default=15, ge=1, le=1440)
    impersonation_purpose: bool = False
    impersonate_administrators: bool = False
    lock_minutes: int = Field(default=15, ge=0, le=1440)
    second_factor_for_staff: bool = False
    second_factor_roles: list[str] = []
    second_factor_reminder: bool = True
    tell_unknown_email: bool = False
    ssh_identities: Annotated[list[SshIdentity], AfterValidator(_each_once)] = []
    ssh_second_factor: bool = True
    limits: LimitsSection = LimitsSection()
