"""What every table shares: the declarative base, who owns a row, versions and time stamps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, MetaData, false
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from omnicrm_tui.database.types import UtcDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table. A table also takes one of the three ownership mixins below; a test holds that."""

    metadata = MetaData(naming_convention=NAMING)


class CustomerOwned:
    """Rows that belong to a customer: a customer's actor sees its own and no others."""

    customer_id: Any

    @classmethod
    def own_rows(cls, customer_id: int) -> ColumnElement[bool]:
        """Return what the session adds to every SELECT of a customer's actor (BIL-378)."""
        condition: ColumnElement[bool] = cls.customer_id == customer_id
        return condition


class Shared:
    """Reference rows that everybody may read, subject to permissions: products, templates."""


class StaffOnly:
    """Rows that no customer's actor may ever read: users, tokens, leases."""

    @classmethod
    def own_rows(cls, customer_id: int) -> ColumnElement[bool]:  # noqa: ARG003 - same shape as CustomerOwned
        """Return a condition that no row meets."""
        return false()


class Versioned:
    """Optimistic locking: a write with a stale version is refused instead of overwriting a colleague's."""

    version: Mapped[int] = mapped_column(Integer, nullable=False, default=1, server_default="1")

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it on the class
        """Let SQLAlchemy count and check the version in every UPDATE and DELETE."""
        return {"version_id_col": cls.version}


class Stamped:
    """When a row was made and last changed; the unit of work fills both from its clock."""

    created: Mapped[datetime] = mapped_column(UtcDateTime)
    last_modified: Mapped[datetime] = mapped_column(UtcDateTime)
