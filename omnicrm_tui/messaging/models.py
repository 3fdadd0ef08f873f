"""The outbox's table, and the leases that say which process delivers it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    and_,
    or_,
)
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, CustomerOwned, StaffOnly
from omnicrm_tui.database.types import Id, JsonText, UtcDateTime

SEALED_TEXT = "outbox.sealed_text"
SECRET, UNTIL = "secret", "until"
"""Keys of a mail's payload: that it was sealed, and from when on it is of no use."""


class OutboxMessage(CustomerOwned, Base):
    """An e-mail or SMS that a committed change caused; delivered afterwards, with retries.

    A customer's actor sees what was written to its customer (`to_customer`), not what is about it, nor to others.
    Where there is something in the text that only its reader may see, `sealed_text` holds it, until it is
    sent, given up or dropped.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("channel IN ('email', 'sms')", name="channel"),
        CheckConstraint("status IN ('waiting', 'sent', 'failed', 'dropped')", name="status"),
        Index("ix_outbox_due", "status", "next_attempt", "outbox_id"),
    )

    outbox_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(300), default="")
    payload: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    sealed_text: Mapped[bytes | None] = mapped_column(LargeBinary(16_384))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.customer_id"), index=True)
    to_customer: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    status: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)

    @classmethod
    def own_rows(cls, customer_id: int) -> ColumnElement[bool]:
        """Return what the session adds to every SELECT of a customer's actor (BIL-378, BIL-446)."""
        return and_(super().own_rows(customer_id), cls.to_customer.is_(True))


def is_due(now: datetime) -> ColumnElement[bool]:
    """What makes a waiting message due at `now`; one that was never tried is, even if the clock was put back since."""
    return or_(OutboxMessage.next_attempt <= now, OutboxMessage.attempts == 0)


class Lease(StaffOnly, Base):
    """A named duty (`outbox`, `schedule`, `jobs`): one process holds it, until `until_ms` (Unix milliseconds)."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    until_ms: Mapped[int] = mapped_column(BigInteger)
