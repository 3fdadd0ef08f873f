"""Tables of provisioning: jobs and their events."""

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
    String,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, CustomerOwned, Stamped, Versioned
from omnicrm_tui.database.types import Id, JsonText, LongBinary, LongText, UtcDateTime


class Provision(CustomerOwned, Versioned, Stamped, Base):
    """One run of one play (SVC-013..026, CAT-106..113).

    `provisioning_status` is 0 success, 1 running, 2 failed; `status_reason` says more (`queued`, `running`,
    `cancelled`, `timed_out`, `interrupted`, `fatal`, `clean_up`, ...). `clean_ups` counts the attempts to undo what a
    process had done that died; `facts` are what its tasks have set so far. `provisioning_json_vars` holds the merged
    variables with their secrets masked (SVC-017); where there are any, `sealed_vars` holds them all, sealed by the
    vault, for the play and another attempt (`provisioning/variables.py`). The lease names the process that runs the
    job; its heartbeat is the lease's end.
    """

    __tablename__ = "provision"
    __table_args__ = (
        CheckConstraint("provisioning_status IN (0, 1, 2)", name="provisioning_status"),
        Index("ix_provision_status", "provisioning_status", "provision_id"),
        Index("ix_provision_customer", "customer_id", "provision_id"),
    )

    provision_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.customer_id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.product_id"), index=True)
    service_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer_service.service_id", ondelete="SET NULL"), index=True
    )
    service_uuid: Mapped[str | None] = mapped_column(String(120))
    provisioning_play: Mapped[str] = mapped_column(String(200))
    playbook_description: Mapped[str] = mapped_column(String(300), default="")
    action: Mapped[str | None] = mapped_column(String(40))
    provisioning_json_vars: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    sealed_vars: Mapped[bytes | None] = mapped_column(LongBinary)
    inventory_choices: Mapped[dict[str, int]] = mapped_column(JsonText, default=dict)
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    provisioning_status: Mapped[int] = mapped_column(Integer, default=1)
    status_reason: Mapped[str] = mapped_column(String(40), default="queued")
    error_message: Mapped[str | None] = mapped_column(LongText)
    task_count: Mapped[int] = mapped_column(Integer, default=0)
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    initiating_user: Mapped[int | None] = mapped_column(ForeignKey("crm_user.id"), index=True)
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("provision.provision_id", ondelete="SET NULL"))
    started: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    process_id: Mapped[int | None] = mapped_column(Integer)
    clean_ups: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class ProvisionEvent(CustomerOwned, Base):
    """One task of a job (SVC-027..033): status 0 done, 1 running, 2 failed, 3 failed but ignored."""

    __tablename__ = "provision_event"
    __table_args__ = (
        UniqueConstraint("provision_id", "event_number"),
        CheckConstraint("provisioning_status IN (0, 1, 2, 3)", name="provisioning_status"),
    )

    provision_event_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    provision_id: Mapped[int] = mapped_column(ForeignKey("provision.provision_id", ondelete="CASCADE"))
    event_number: Mapped[int] = mapped_column(Integer)
    event_name: Mapped[str] = mapped_column(String(500))
    phase: Mapped[str] = mapped_column(String(10), default="main")
    provisioning_status: Mapped[int] = mapped_column(Integer)
    provisioning_result_json: Mapped[str] = mapped_column(LongText, default="{}")
    timestamp: Mapped[datetime] = mapped_column(UtcDateTime)
    finished: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @classmethod
    def own_rows(cls, customer_id: int) -> ColumnElement[bool]:
        """An event belongs to the customer of its job."""
        jobs = select(Provision.provision_id).where(Provision.customer_id == customer_id)
        return cls.provision_id.in_(jobs)
