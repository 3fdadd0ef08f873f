"""The product catalogue's table."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from omnicrm_tui.database.base import Base, Shared, Stamped, Versioned
from omnicrm_tui.database.types import Id, LongText, Money, UtcDateTime, sort_key


class Product(Shared, Versioned, Stamped, Base):
    """A template of what can be sold (CAT-076..103, BIL-069..092).

    `inventory_items_list`, `relies_on_list` and `features_list` keep the operator's text; `rules.py` reads
    both spellings of a list (Python literal and JSON). `search_text` is the folded text that a product is
    looked up by, features included (BIL-130).
    """

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("category IN ('standalone', 'addon', 'bundle', 'promo')", name="category"),
        CheckConstraint("auto_renew IN ('prompt', 'true', 'false')", name="auto_renew"),
        CheckConstraint("contract_days >= 0", name="contract_days"),
        Index("ix_product_name_key", "name_key", "product_id"),
        Index("ix_product_retail_cost", "retail_cost", "product_id"),
        Index("ix_product_created", "created", "product_id"),
        Index("ix_product_category_name", "category", "name_key", "product_id"),
    )

    product_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    product_name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(sort_key(200))
    search_text: Mapped[str] = mapped_column(LongText, default="")
    product_slug: Mapped[str] = mapped_column(sort_key(200), unique=True)
    category: Mapped[str] = mapped_column(String(20))
    service_type: Mapped[str] = mapped_column(String(60), default="")
    comment: Mapped[str] = mapped_column(Text, default="")
    icon: Mapped[str] = mapped_column(String(120), default="")
    retail_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    wholesale_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    retail_setup_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    wholesale_setup_cost: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    tax_percentage: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    residential: Mapped[bool] = mapped_column(Boolean, default=True)
    business: Mapped[bool] = mapped_column(Boolean, default=True)
    customer_can_purchase: Mapped[bool] = mapped_column(Boolean, default=False)
    available_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    available_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    contract_days: Mapped[int] = mapped_column(Integer, default=0)
    auto_renew: Mapped[str] = mapped_column(String(10), default="false")
    allow_auto_renew: Mapped[bool] = mapped_column(Boolean, default=False)
    terms: Mapped[str] = mapped_column(Text, default="")
    features_list: Mapped[str] = mapped_column(Text, default="")
    provisioning_play: Mapped[str] = mapped_column(String(200), default="")
    provisioning_json_vars: Mapped[str] = mapped_column(Text, default="")
    inventory_items_list: Mapped[str] = mapped_column(Text, default="")
    relies_on_list: Mapped[str] = mapped_column(Text, default="")
