"""Tables of the stock: templates and items."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, CustomerOwned, Shared, Stamped, Versioned
from omnicrm_tui.database.types import Id, LongText, Money, UtcDateTime, sort_key
from omnicrm_tui.inventory.rules import ITEM_STATES


class InventoryTemplate(Shared, Versioned, Stamped, Base):
    """The kind of an item: its name, prices and the labels of its text fields (PLT-344..353)."""

    __tablename__ = "inventory_template"

    inventory_template_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    item: Mapped[str] = mapped_column(sort_key(120), unique=True)
    icon: Mapped[str] = mapped_column(String(120), default="")
    wholesale_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    retail_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    allow_dropdown_staff: Mapped[bool] = mapped_column(Boolean, default=True)
    allow_dropdown_customer: Mapped[bool] = mapped_column(Boolean, default=False)
    itemtext1_label: Mapped[str] = mapped_column(String(120), default="Model Number")
    itemtext2_label: Mapped[str] = mapped_column(String(120), default="Serial Number")
    itemtext3_label: Mapped[str | None] = mapped_column(String(120))
    itemtext4_label: Mapped[str | None] = mapped_column(String(120))
    itemtext5_label: Mapped[str | None] = mapped_column(String(120))
    itemtext6_label: Mapped[str | None] = mapped_column(String(120))
    itemtext7_label: Mapped[str | None] = mapped_column(String(120))
    itemtext8_label: Mapped[str | None] = mapped_column(String(120))
    itemtext9_label: Mapped[str | None] = mapped_column(String(120))
    itemtext10_label: Mapped[str | None] = mapped_column(String(120))
    itemtext11_label: Mapped[str | None] = mapped_column(String(120))
    itemtext12_label: Mapped[str | None] = mapped_column(String(120))
    itemtext13_label: Mapped[str | None] = mapped_column(String(120))
    itemtext14_label: Mapped[str | None] = mapped_column(String(120))
    itemtext15_label: Mapped[str | None] = mapped_column(String(120))
    itemtext16_label: Mapped[str | None] = mapped_column(String(120))
    itemtext17_label: Mapped[str | None] = mapped_column(String(120))
    itemtext18_label: Mapped[str | None] = mapped_column(String(120))
    itemtext19_label: Mapped[str | None] = mapped_column(String(120))
    itemtext20_label: Mapped[str | None] = mapped_column(String(120))


class InventoryItem(CustomerOwned, Versioned, Stamped, Base):
    """One physical or virtual item (PLT-366..387, CAT-142..152).

    `ki`, `opc` and `management_password` are sealed by the vault (AES-GCM, bound to the row); the plain
    values never reach the database. `text_key` is the folded first text, which lists sort by; `search_text`
    the folded rest of what an item is looked up by.

    `reserved_until` is when a job's hold on an item that waits to be assigned ends. `reserved_by` stays until
    the job is final, together with `reserved_from_state`: what a rollback gives back.
    """

    __tablename__ = "inventory"
    __table_args__ = (
        CheckConstraint("item_state IN ({})".format(", ".join(f"'{s}'" for s in ITEM_STATES)), name="item_state"),
        Index("ix_inventory_pick", "inventory_template_id", "customer_id", "text_key", "inventory_id"),
        Index("ix_inventory_item", "item", "inventory_id"),
        Index("ix_inventory_item_text", "item", "text_key", "inventory_id"),
        Index("ix_inventory_item_location", "item_location", "inventory_id"),
        Index("ix_inventory_created", "created", "inventory_id"),
        Index("ix_inventory_text_key", "text_key", "inventory_id"),
        Index("ix_inventory_item_state", "item_state", "inventory_id"),
    )

    inventory_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    inventory_template_id: Mapped[int] = mapped_column(ForeignKey("inventory_template.inventory_template_id"))
    item: Mapped[str] = mapped_column(sort_key(120))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.customer_id"), index=True)
    service_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer_service.service_id", ondelete="SET NULL"), index=True
    )
    item_state: Mapped[str] = mapped_column(String(20), default="New")
    item_location: Mapped[str] = mapped_column(String(200), default="")
    text_key: Mapped[str] = mapped_column(sort_key(500))
    search_text: Mapped[str] = mapped_column(LongText, default="")
    itemtext1: Mapped[str] = mapped_column(String(500))
    itemtext2: Mapped[str | None] = mapped_column(String(500))
    itemtext3: Mapped[str | None] = mapped_column(String(500))
    itemtext4: Mapped[str | None] = mapped_column(String(500))
    itemtext5: Mapped[str | None] = mapped_column(String(500))
    itemtext6: Mapped[str | None] = mapped_column(String(500))
    itemtext7: Mapped[str | None] = mapped_column(String(500))
    itemtext8: Mapped[str | None] = mapped_column(String(500))
    itemtext9: Mapped[str | None] = mapped_column(String(500))
    itemtext10: Mapped[str | None] = mapped_column(String(500))
    itemtext11: Mapped[str | None] = mapped_column(String(500))
    itemtext12: Mapped[str | None] = mapped_column(String(500))
    itemtext13: Mapped[str | None] = mapped_column(String(500))
    itemtext14: Mapped[str | None] = mapped_column(String(500))
    itemtext15: Mapped[str | None] = mapped_column(String(500))
    itemtext16: Mapped[str | None] = mapped_column(String(500))
    itemtext17: Mapped[str | None] = mapped_column(String(500))
    itemtext18: Mapped[str | None] = mapped_column(String(500))
    itemtext19: Mapped[str | None] = mapped_column(String(500))
    itemtext20: Mapped[str | None] = mapped_column(String(500))
    ki: Mapped[bytes | None] = mapped_column(LargeBinary(512))
    opc: Mapped[bytes | None] = mapped_column(LargeBinary(512))
    wholesale_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    retail_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    sold_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    address_line_1: Mapped[str | None] = mapped_column(String(200))
    address_line_2: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str | None] = mapped_column(String(120))
    state: Mapped[str | None] = mapped_column(String(120))
    zip_code: Mapped[str | None] = mapped_column(String(20))
    country: Mapped[str | None] = mapped_column(String(80))
    google_maps_place_id: Mapped[str | None] = mapped_column(String(300))
    plus_code: Mapped[str | None] = mapped_column(String(40))
    latitude: Mapped[str | None] = mapped_column(String(30))
    longitude: Mapped[str | None] = mapped_column(String(30))
    management_url: Mapped[str | None] = mapped_column(String(500))
    management_username: Mapped[str | None] = mapped_column(String(200))
    management_password: Mapped[bytes | None] = mapped_column(LargeBinary(1024))
    config_content: Mapped[str | None] = mapped_column(LongText)
    config_file_path: Mapped[str | None] = mapped_column(String(500))
    inventory_notes: Mapped[str | None] = mapped_column(Text)
    reserved_by: Mapped[int | None] = mapped_column(
        ForeignKey("provision.provision_id", ondelete="SET NULL"), index=True
    )
    reserved_from_state: Mapped[str | None] = mapped_column(String(20))
    reserved_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
