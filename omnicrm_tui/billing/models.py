"""Tables of billing: transactions and invoices."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, CustomerOwned, StaffOnly, Stamped, Versioned
from omnicrm_tui.database.types import Id, Money, UtcDateTime, sort_key


class Invoice(CustomerOwned, Versioned, Stamped, Base):
    """Grouped transactions with totals frozen at generation (PLT-122..129, BIL-273 and the index's ruling)."""

    __tablename__ = "customer_invoice"
    __table_args__ = (
        Index("ix_customer_invoice_customer", "customer_id", "invoice_id"),
        Index("ix_customer_invoice_created", "created", "invoice_id"),
        Index("ix_customer_invoice_title", "title", "invoice_id"),
        Index("ix_customer_invoice_retail_cost", "retail_cost", "invoice_id"),
    )

    invoice_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    invoice_number: Mapped[str] = mapped_column(sort_key(40), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.customer_id"))
    title: Mapped[str] = mapped_column(String(200), default="")
    start_date: Mapped[date | None] = mapped_column(Date)
    end_date: Mapped[date | None] = mapped_column(Date)
    due_date: Mapped[date | None] = mapped_column(Date, index=True)
    currency: Mapped[str] = mapped_column(String(3))
    subtotal: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    tax_amount: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    retail_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    paid: Mapped[bool] = mapped_column(Boolean, default=False)
    paid_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    void: Mapped[bool] = mapped_column(Boolean, default=False)
    payment_method: Mapped[str | None] = mapped_column(String(40))
    payment_reference: Mapped[str | None] = mapped_column(String(200))
    refund_reference: Mapped[str | None] = mapped_column(String(200))


class Transaction(CustomerOwned, Versioned, Stamped, Base):
    """One charge (positive) or credit (negative) (PLT-112..121, CAT-122..132, BIL-351)."""

    __tablename__ = "customer_transaction"
    __table_args__ = (
        CheckConstraint("transaction_type IN ('Debit', 'Credit')", name="transaction_type"),
        Index("ix_customer_transaction_customer", "customer_id", "transaction_date", "transaction_id"),
        Index("ix_customer_transaction_date", "transaction_date", "transaction_id"),
        Index("ix_customer_transaction_title", "title", "transaction_id"),
        Index("ix_customer_transaction_retail_cost", "retail_cost", "transaction_id"),
    )

    transaction_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.customer_id"))
    service_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer_service.service_id", ondelete="SET NULL"), index=True
    )
    site_id: Mapped[int | None] = mapped_column(ForeignKey("customer_site.site_id", ondelete="SET NULL"), index=True)
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("customer_invoice.invoice_id"), index=True)
    provision_id: Mapped[int | None] = mapped_column(
        ForeignKey("provision.provision_id", ondelete="SET NULL"), index=True
    )
    transaction_type: Mapped[str] = mapped_column(String(10), default="Debit")
    credit_type: Mapped[str | None] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    transaction_date: Mapped[datetime] = mapped_column(UtcDateTime)
    currency: Mapped[str] = mapped_column(String(3))
    retail_cost: Mapped[Decimal] = mapped_column(Money)
    wholesale_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    tax_percentage: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    tax_amount: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    void: Mapped[bool] = mapped_column(Boolean, default=False)


class InvoiceCounter(StaffOnly, Base):
    """The last invoice number of a year. Its row is locked while a number is taken, so that none is lost."""

    __tablename__ = "invoice_counter"

    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(Integer, default=0)
