"""Tables of identity: users, their codes and old passwords, roles, permissions, tokens, who acted as whom, API keys.

And rate limits.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, StaffOnly, Stamped, Versioned
from omnicrm_tui.database.types import Id, JsonText, UtcDateTime, sort_key


class User(StaffOnly, Versioned, Stamped, Base):
    """A person who logs in: staff, or a customer's user through its contact (BIL-379, PLT-141..152).

    `is_customer` outlives the contact: who was a customer's user is never taken for staff because a row is gone.
    """

    __tablename__ = "crm_user"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    username: Mapped[str] = mapped_column(sort_key(150), unique=True)
    email: Mapped[str] = mapped_column(sort_key(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    first_name: Mapped[str] = mapped_column(String(100))
    middle_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    phone_number: Mapped[str | None] = mapped_column(String(40))
    contact_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer_contact.contact_id", ondelete="SET NULL"), index=True
    )
    is_customer: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    email_verified: Mapped[bool] = mapped_column(Boolean, default=False)
    pending_email: Mapped[str | None] = mapped_column(String(254))
    is_2fa_enabled: Mapped[bool] = mapped_column(Boolean, default=False)
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary(512))
    totp_last_step: Mapped[int | None] = mapped_column(Id)
    force_password_change: Mapped[bool] = mapped_column(Boolean, default=False)
    failed_logins: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    login_count: Mapped[int] = mapped_column(Integer, default=0)
    last_login: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted: Mapped[bool] = mapped_column(Boolean, default=False)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def is_unlinked(self) -> bool:
        """Whether it is a customer's user that belongs to no customer now: it may do nothing until it is linked."""
        return self.is_customer and self.contact_id is None

    @property
    def may_log_in(self) -> bool:
        """Whether the account as such is open; a lock after failed attempts is another matter."""
        return self.active and not self.deleted and not self.is_unlinked


class BackupCode(StaffOnly, Base):
    """A code that stands in for the second factor once (PLT-149); only its hash is stored."""

    __tablename__ = "crm_backup_code"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("crm_user.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(255))
    used: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OldPassword(StaffOnly, Base):
    """A password that a user had before: it is not chosen again (BIL-422). Only its hash is stored."""

    __tablename__ = "crm_old_password"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("crm_user.id", ondelete="CASCADE"), index=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    replaced: Mapped[datetime] = mapped_column(UtcDateTime)


class PasswordReset(StaffOnly, Base):
    """A code that was mailed to somebody who forgot the password (PLT-201, PLT-231); only its keyed hash is stored."""

    __tablename__ = "crm_password_reset"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("crm_user.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EmailVerification(StaffOnly, Base):
    """The code that was mailed to an address to verify it (BIL-430), one for a user; only its keyed hash is stored."""

    __tablename__ = "crm_email_verification"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("crm_user.id", ondelete="CASCADE"), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)


class Role(StaffOnly, Versioned, Stamped, Base):
    """A named set of permissions (BIL-380)."""

    __tablename__ = "crm_role"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(sort_key(100), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")


class Permission(StaffOnly, Base):
    """One of the 84 catalogued permissions, or one that the operator added (BIL-381, BIL-453)."""

    __tablename__ = "crm_permission"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(sort_key(100), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")


user_role = Table(
    "crm_user_role",
    Base.metadata,
    Column("user_id", ForeignKey("crm_user.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("crm_role.id", ondelete="CASCADE"), primary_key=True, index=True),
)

role_permission = Table(
    "crm_role_permission",
    Base.metadata,
    Column("role_id", ForeignKey("crm_role.id", ondelete="CASCADE"), primary_key=True),
    Column("permission_id", ForeignKey("crm_permission.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class TokenFamily(StaffOnly, Base):
    """What one log-in, or one job, was given: refresh tokens that follow each other (the contracts page).

    `purpose` is `session` for people and `job` for provisioning jobs. A job's family holds the initiator's
    permissions as they were when the job was started, and no user where nobody in the user table stands
    behind it. The row is locked to rotate or end the family, so that no token outlives its end.

    Where somebody acts as another user, that is `user_id`, and `real_user_id` who really sits there; such a session
    ends with `real_session_id`, the one that it was begun from.
    """

    __tablename__ = "crm_token_family"
    __table_args__ = (CheckConstraint("purpose IN ('session', 'job')", name="purpose"),)

    family_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("crm_user.id", ondelete="CASCADE"), index=True)
    real_user_id: Mapped[int | None] = mapped_column(Id)
    real_session_id: Mapped[str | None] = mapped_column(String(32))
    purpose: Mapped[str] = mapped_column(String(10))
    remembered: Mapped[bool] = mapped_column(Boolean, default=False)
    provision_id: Mapped[int | None] = mapped_column(
        ForeignKey("provision.provision_id", ondelete="CASCADE"), index=True
    )
    own_customer_id: Mapped[int | None] = mapped_column(Id)
    api_key_id: Mapped[int | None] = mapped_column(Id)
    permissions: Mapped[list[str] | None] = mapped_column(JsonText)
    started: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source_address: Mapped[str] = mapped_column(String(64), default="")


class RefreshToken(StaffOnly, Base):
    """One refresh token of a family; it is used once, and a second use ends the whole family.

    Only a keyed SHA-256 of the token is stored.
    """

    __tablename__ = "crm_refresh_token"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    family_id: Mapped[str] = mapped_column(ForeignKey("crm_token_family.family_id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    issued: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source_address: Mapped[str] = mapped_column(String(64), default="")


class ImpersonationLog(StaffOnly, Base):
    """That somebody of staff acted as another user, from when to when, for how many seconds (SVC-361). Never deleted.

    `open_for` is who acts while it lasts, and unique: nobody acts as two at a time (SVC-373).
    """

    __tablename__ = "impersonation_log"

    impersonation_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    impersonating_user_id: Mapped[int] = mapped_column(ForeignKey("crm_user.id"), index=True)
    impersonating_name: Mapped[str] = mapped_column(String(150))
    target_user_id: Mapped[int] = mapped_column(ForeignKey("crm_user.id"), index=True)
    target_name: Mapped[str] = mapped_column(String(150))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.customer_id"), index=True)
    impersonation_start: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    impersonation_end: Mapped[datetime | None] = mapped_column(UtcDateTime)
    impersonation_duration: Mapped[int | None] = mapped_column(Integer)
    purpose: Mapped[str] = mapped_column(String(300), default="")
    end_reason: Mapped[str] = mapped_column(String(40), default="")
    source_address: Mapped[str] = mapped_column(String(64), default="")
    session_id: Mapped[str] = mapped_column(String(32), unique=True)
    open_for: Mapped[int | None] = mapped_column(Id, unique=True)


class ApiKey(StaffOnly, Versioned, Stamped, Base):
    """A key of a machine (PLT-239..251): its SHA-256 and its two ends are kept, the key itself is shown once.

    `customer_id` confines it to one customer, with whom it goes. `expires` of a key that never does is `NEVER`, so
    that the list can be sorted by it. A revoked key's row stays for those who ask later (PLT-606).
    """

    __tablename__ = "crm_api_key"

    api_key_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(sort_key(100), index=True)
    description: Mapped[str] = mapped_column(Text, default="")
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    key_start: Mapped[str] = mapped_column(String(16))
    key_end: Mapped[str] = mapped_column(String(8))
    permissions: Mapped[list[str]] = mapped_column(JsonText)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.customer_id", ondelete="CASCADE"), index=True)
    protected: Mapped[bool] = mapped_column(Boolean, default=False)
    created_by: Mapped[str] = mapped_column(sort_key(150), index=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    revoked: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str] = mapped_column(String(150), default="")
    use_count: Mapped[int] = mapped_column(BigInteger, default=0)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_address: Mapped[str] = mapped_column(String(64), default="")


class KeyUse(StaffOnly, Base):
    """What one credential of a machine was used for on one day (UTC) from one address: how often, first and last.

    `credential` is an actor's: a key of the database or of the configuration, or a whitelisted address. `refused`
    counts what an expired or revoked key tried.
    """

    __tablename__ = "crm_key_use"
    __table_args__ = (UniqueConstraint("credential", "day", "address"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    credential: Mapped[str] = mapped_column(sort_key(80))
    day: Mapped[date] = mapped_column(Date, index=True)
    address: Mapped[str] = mapped_column(sort_key(64))
    uses: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
    first_use: Mapped[datetime] = mapped_column(UtcDateTime)
    last_use: Mapped[datetime] = mapped_column(UtcDateTime)


class RateLimit(StaffOnly, Base):
    """How full somebody's bucket is (`identity.limits`): `subject` is a keyed hash of whose it is and of which limit.

    `empty_at` is when it will have leaked away, in microseconds since 1970.
    """

    __tablename__ = "crm_rate_limit"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    empty_at: Mapped[int] = mapped_column(BigInteger, index=True)
