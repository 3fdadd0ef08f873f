"""Tables of customers: customers, contacts and sites."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Double, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, CustomerOwned, Stamped, Versioned
from omnicrm_tui.database.types import Id, JsonText, UtcDateTime, sort_key

_FILTERED = ("customer_status", "customer_account_type", "customer_payment_type", "archived_at")
"""Behind the sort's columns in each index, so that any filter is answered in list order without reading the table.

An index that began with a filter would win the planner for lists in another order, and make it sort.
"""


class Customer(CustomerOwned, Versioned, Stamped, Base):
    """A company or an individual that we invoice (PLT-071..078, CAT-019..024).

    `name_key` is the folded name that lists sort by; `search_text` holds what a caller is looked up by.
    """

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("customer_account_type IN ('Individual', 'Business')", name="account_type"),
        CheckConstraint("customer_payment_type IN ('prepaid', 'postpaid')", name="payment_type"),
        Index("ix_customer_name_key", "name_key", "customer_id", *_FILTERED),
        Index("ix_customer_created", "created", "customer_id", *_FILTERED),
    )

    customer_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    customer_name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(sort_key(200))
    search_text: Mapped[str] = mapped_column(Text, default="")
    customer_account_type: Mapped[str] = mapped_column(String(20))
    customer_status: Mapped[str] = mapped_column(String(40), default="Open")
    customer_payment_type: Mapped[str] = mapped_column(String(20), default="prepaid")
    customer_enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    customer_phone: Mapped[str | None] = mapped_column(String(40))
    customer_email: Mapped[str | None] = mapped_column(String(254))
    customer_notes: Mapped[str | None] = mapped_column(Text)
    tax_identifier: Mapped[str | None] = mapped_column(String(60))
    currency: Mapped[str | None] = mapped_column(String(3))
    contract_start_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    contract_end_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    custom_fields: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Contact(CustomerOwned, Versioned, Stamped, Base):
    """A person linked to a customer; `contact_types` is a comma list such as `Billing,Technical`."""

    __tablename__ = "customer_contact"

    contact_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.customer_id"), index=True)
    contact_firstname: Mapped[str] = mapped_column(String(100))
    contact_lastname: Mapped[str] = mapped_column(String(100), default="")
    contact_email: Mapped[str | None] = mapped_column(String(254), index=True)
    contact_phone: Mapped[str | None] = mapped_column(String(40))
    contact_types: Mapped[str] = mapped_column(String(200), default="")


class Site(CustomerOwned, Versioned, Stamped, Base):
    """A place where services are delivered (PLT-084..090, CAT-030..042)."""

    __tablename__ = "customer_site"
    __table_args__ = (
        CheckConstraint("latitude IS NULL OR latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude IS NULL OR longitude BETWEEN -180 AND 180", name="longitude"),
    )

    site_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.customer_id"), index=True)
    site_name: Mapped[str] = mapped_column(String(200))
    address_line_1: Mapped[str] = mapped_column(String(200), default="")
    address_line_2: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(120), default="")
    state: Mapped[str | None] = mapped_column(String(120))
    zip_code: Mapped[str | None] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(80))
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)
    plus_code: Mapped[str | None] = mapped_column(String(20))
    google_maps_place_id: Mapped[str | None] = mapped_column(String(300))
    address_note: Mapped[str | None] = mapped_column(Text)
