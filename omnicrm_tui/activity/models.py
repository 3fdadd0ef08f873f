"""The activity log's table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, CustomerOwned
from omnicrm_tui.database.types import Id, JsonText, UtcDateTime


class ActivityEntry(CustomerOwned, Base):
    """One change: who, what, old and new values, when and from where (SVC-147..153). Never deleted."""

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
