"""Inputs and read models of the product catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from omnicrm_tui.catalog.rules import parse_list, stored_vars
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.schemas import Amount, Input, UtcInput


def _as_text(value: Any) -> Any:
    """Take a list or an object as it is, not only as the text that the table keeps."""
    if isinstance(value, (list, dict)):
        import json

        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value


def _list_text(value: str) -> str:
    return _checked(parse_list, value)


def _vars_text(value: str) -> str:
    return _checked(stored_vars, value)


def _checked(read: Any, value: str) -> str:
    try:
        read(value)
    except InvalidInput as error:
        raise ValueError(error.message) from None
    return value


Name = Annotated[str, Field(min_length=1, max_length=200)]
Short = Annotated[str, Field(max_length=120)]
Long = Annotated[str, Field(max_length=16_000)]
ListText = Annotated[str, Field(max_length=16_000), BeforeValidator(_as_text), AfterValidator(_list_text)]
VarsText = Annotated[str, Field(max_length=16_000), BeforeValidator(_as_text), AfterValidator(_vars_text)]
FeaturesText = Annotated[str, Field(max_length=16_000), BeforeValidator(_as_text)]
PlayName = Annotated[str, Field(max_length=200, pattern=r"^$|^[A-Za-z0-9_][A-Za-z0-9_-]*$")]
Percentage = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=4, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=0, le=36_500)]
AutoRenew = Annotated[
    Literal["prompt", "true", "false"],
    BeforeValidator(lambda value: str(value).lower() if isinstance(value, bool) else value),
]
Category = Literal["standalone", "addon", "bundle", "promo"]


class ProductInput(Input):
    """A new product (CAT-076..102, BIL-097). Without a slug it gets one made from its name."""

    product_name: Name
    product_slug: Annotated[str, Field(max_length=200)] = ""
    category: Category
    service_type: Annotated[str, Field(max_length=60)] = ""
    comment: Long = ""
    icon: Short = ""
    retail_cost: Amount = Decimal(0)
    wholesale_cost: Amount = Decimal(0)
    retail_setup_cost: Amount = Decimal(0)
    wholesale_setup_cost: Amount = Decimal(0)
    tax_percentage: Percentage = Decimal(0)
    enabled: bool = True
    residential: bool = True
    business: bool = True
    customer_can_purchase: bool = False
    available_from: UtcInput = None
    available_until: UtcInput = None
    contract_days: Days = 0
    auto_renew: AutoRenew = "false"
    allow_auto_renew: bool = False
    terms: Long = ""
    features_list: FeaturesText = ""
    provisioning_play: PlayName = ""
    provisioning_json_vars: VarsText = ""
    inventory_items_list: ListText = ""
    relies_on_list: ListText = ""


class ProductChange(Input):
    """A change of a product: only the fields that are given."""

    version: int | None = None
    product_name: Name | None = None
    product_slug: Annotated[str, Field(max_length=200)] | None = None
    category: Category | None = None
    service_type: Annotated[str, Field(max_length=60)] | None = None
    comment: Long | None = None
    icon: Short | None = None
    retail_cost: Amount | None = None
    wholesale_cost: Amount | None = None
    retail_setup_cost: Amount | None = None
    wholesale_setup_cost: Amount | None = None
    tax_percentage: Percentage | None = None
    enabled: bool | None = None
    residential: bool | None = None
    business: bool | None = None
    customer_can_purchase: bool | None = None
    available_from: UtcInput = None
    available_until: UtcInput = None
    contract_days: Days | None = None
    auto_renew: AutoRenew | None = None
    allow_auto_renew: bool | None = None
    terms: Long | None = None
    features_list: FeaturesText | None = None
    provisioning_play: PlayName | None = None
    provisioning_json_vars: VarsText | None = None
    inventory_items_list: ListText | None = None
    relies_on_list: ListText | None = None


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product as the management list shows it."""

    product_id: int
    product_name: str
    product_slug: str
    category: str
    service_type: str
    icon: str
    retail_cost: Decimal
    retail_setup_cost: Decimal
    contract_days: int
    enabled: bool
    residential: bool
    business: bool
    customer_can_purchase: bool
    available_from: datetime | None
    available_until: datetime | None
    created: datetime


@dataclass(frozen=True, slots=True)
class Earnings:
    """What a price leaves us (BIL-067): profit in money, markup and margin in percent, None where undefined."""

    profit: Decimal
    markup: Decimal | None
    margin: Decimal | None


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product, whole.

    `features`, `inventory_items` and `relies_on` are the operator's texts, read; a list that cannot be read
    is empty there and named in `warnings`. For a customer's user `comment` is empty and what we pay
    (wholesale costs, earnings) is None.
    """

    product_id: int
    product_name: str
    product_slug: str
    category: str
    service_type: str
    comment: str
    icon: str
    retail_cost: Decimal
    wholesale_cost: Decimal | None
    retail_setup_cost: Decimal
    wholesale_setup_cost: Decimal | None
    tax_percentage: Decimal
    enabled: bool
    residential: bool
    business: bool
    customer_can_purchase: bool
    available_from: datetime | None
    available_until: datetime | None
    contract_days: int
    auto_renew: str
    allow_auto_renew: bool
    terms: str
    features_list: str
    provisioning_play: str
    provisioning_json_vars: str
    inventory_items_list: str
    relies_on_list: str
    features: tuple[str, ...]
    inventory_items: tuple[str, ...]
    relies_on: tuple[str, ...]
    earnings: Earnings | None
    setup_earnings: Earnings | None
    version: int
    created: datetime
    last_modified: datetime
    warnings: tuple[str, ...] = ()
