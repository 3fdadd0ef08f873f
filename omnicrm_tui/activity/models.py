"""The activity log's table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, CustomerOwned, StaffOnly
from omnicrm_tui.database.types import Id, JsonText, UtcDateTime


class ActivityEntry(CustomerOwned, Base):
    """One change: who, what, old and new values, when and from where (SVC-147..153). Never deleted.

    `chain_number` and `chain_hash` are its place in the chain (`chain.py`), written when its transaction commits.
    """

    __tablename__ = "activity_log"
    __table_args__ = (
        Index("ix_activity_log_customer", "customer_id", "activity_id"),
        Index("ix_activity_log_object", "object_type", "object_id", "activity_id"),
    )

    activity_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    timestamp: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.customer_id"))
    service_id: Mapped[int | None] = mapped_column(Id, index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("crm_user.id"), index=True)
    impersonating_user_id: Mapped[int | None] = mapped_column(ForeignKey("crm_user.id"))
    actor_name: Mapped[str] = mapped_column(String(200))
    source_address: Mapped[str] = mapped_column(String(64), default="")
    object_type: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[int | None] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    chain_number: Mapped[int | None] = mapped_column(Id, unique=True, index=True)
    chain_hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class ActivityChain(StaffOnly, Base):
    """The head of the chain: how many entries it has and the last one's hash. One row, locked while it grows."""

    __tablename__ = "activity_chain"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    entries: Mapped[int] = mapped_column(BigInteger)
    last_hash: Mapped[bytes] = mapped_column(LargeBinary)
