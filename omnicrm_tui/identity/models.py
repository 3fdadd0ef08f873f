"""Tables of identity: users, backup codes, roles, permissions and refresh tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, StaffOnly, Stamped, Versioned
from omnicrm_tui.database.types import Id, JsonText, UtcDateTime, sort_key


class User(StaffOnly, Versioned, Stamped, Base):
    """A person who logs in: staff, or a customer's user through its contact (BIL-379, PLT-141..152)."""

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


class BackupCode(StaffOnly, Base):
    """A code that stands in for the second factor once (PLT-149); only its hash is stored."""

    __tablename__ = "crm_backup_code"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("crm_user.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(255))
    used: Mapped[datetime | None] = mapped_column(UtcDateTime)


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
    """

    __tablename__ = "crm_token_family"
    __table_args__ = (CheckConstraint("purpose IN ('session', 'job')", name="purpose"),)

    family_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("crm_user.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(10))
    remembered: Mapped[bool] = mapped_column(Boolean, default=False)
    provision_id: Mapped[int | None] = mapped_column(
        ForeignKey("provision.provision_id", ondelete="CASCADE"), index=True
    )
    own_customer_id: Mapped[int | None] = mapped_column(Id)
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
