"""The table of what customers have."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, ColumnElement, ForeignKey, Index, String, Text, and_
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.customer_services.rules import SERVICE_STATUSES
from omnicrm_tui.database.base import Base, CustomerOwned, Stamped, Versioned
from omnicrm_tui.database.types import Id, LongText, Money, UtcDateTime, sort_key


class CustomerService(CustomerOwned, Versioned, Stamped, Base):
    """A live instance of a product for one customer (PLT-091..101, CAT-044..072).

    `service_uuid` is the account's name in the charging system. `start_date` and `end_date` are what lists show
    and sort by: the first and last day, the end of time (`rules.NO_END`) where no end is known.
    `search_text` holds what a service is looked up by, the numbers of its items included (SVC-227, SVC-233).
    `provision_id` is the job that made it: no foreign key, because a job points back at its service.
    """

    __tablename__ = "customer_service"
    __table_args__ = (
        CheckConstraint(
            "service_status IN ({})".format(", ".join(f"'{s}'" for s in SERVICE_STATUSES)),
            name="service_status",
        ),
        Index("ix_customer_service_name_key", "name_key", "service_id"),
        Index("ix_customer_service_customer", "customer_id", "name_key", "service_id"),
        Index("ix_customer_service_type", "service_type", "service_id"),
        Index("ix_customer_service_start_date", "start_date", "service_id"),
        Index("ix_customer_service_end_date", "end_date", "service_id"),
        Index("ix_customer_service_retail_cost", "retail_cost", "service_id"),
        Index("ix_customer_service_customer_id", "customer_id", "service_id"),
        Index("ix_customer_service_status", "service_status", "service_id"),
        Index("ix_customer_service_status_name", "service_status", "name_key", "service_id"),
    )

    service_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.customer_id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.product_id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("customer_site.site_id", ondelete="SET NULL"), index=True)
    bundled_parent: Mapped[int | None] = mapped_column(
        ForeignKey("customer_service.service_id", ondelete="SET NULL"), index=True
    )
    service_name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(sort_key(200))
    search_text: Mapped[str] = mapped_column(LongText, default="")
    service_type: Mapped[str] = mapped_column(String(60), default="")
    service_uuid: Mapped[str] = mapped_column(sort_key(120), unique=True)
    icon: Mapped[str | None] = mapped_column(String(120))
    service_status: Mapped[str] = mapped_column(String(40), default="Active")
    service_provisioned_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    service_active_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    service_deactivate_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    contract_end_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    start_date: Mapped[datetime] = mapped_column(UtcDateTime)
    end_date: Mapped[datetime] = mapped_column(UtcDateTime)
    retail_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    wholesale_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    service_billed: Mapped[bool] = mapped_column(Boolean, default=True)
    service_taxable: Mapped[bool] = mapped_column(Boolean, default=True)
    invoiced: Mapped[bool] = mapped_column(Boolean, default=False)
    promo_code: Mapped[str | None] = mapped_column(String(60))
    service_visible_to_customer: Mapped[bool] = mapped_column(Boolean, default=True)
    service_usage_visible_to_customer: Mapped[bool] = mapped_column(Boolean, default=True)
    provisioning_play: Mapped[str | None] = mapped_column(String(200))
    provisioning_json_vars: Mapped[str | None] = mapped_column(Text)
    deprovisioning_play: Mapped[str | None] = mapped_column(String(200))
    deprovisioning_json_vars: Mapped[str | None] = mapped_column(Text)
    auto_renew: Mapped[bool] = mapped_column(Boolean, default=False)
    service_notes: Mapped[str | None] = mapped_column(Text)
    provision_id: Mapped[int | None] = mapped_column(Id)

    @classmethod
    def own_rows(cls, customer_id: int) -> ColumnElement[bool]:
        """A customer's user sees its own services, except the hidden ones (CAT-062, CAT-380)."""
        return and_(cls.customer_id == customer_id, cls.service_visible_to_customer.is_(True))
