"""Inputs and read models of the stock: templates and items."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from gettext import gettext as _
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from omnicrm_tui.inventory.rules import ITEM_STATES
from omnicrm_tui.schemas import BLANK, MAX_ID, Amount, Input, UtcInput


def _known_state(value: str) -> str:
    if value not in ITEM_STATES:
        raise ValueError(_("one of {allowed}").format(allowed=", ".join(ITEM_STATES)))
    return value


def _degrees(limit: int) -> AfterValidator:
    def within(value: str) -> str:
        try:
            degrees = Decimal(value)
        except InvalidOperation:
            degrees = Decimal("Infinity")
        if degrees.is_nan() or abs(degrees) > limit:
            raise ValueError(_("decimal degrees between -{limit} and {limit}").format(limit=limit))
        return value

    return AfterValidator(within)


OptionalId = Annotated[Annotated[int, Field(ge=1, le=MAX_ID)] | None, BLANK]
ItemState = Annotated[str, AfterValidator(_known_state)]
Label = Annotated[str, Field(min_length=1, max_length=120)]
OptionalLabel = Annotated[Annotated[str, Field(max_length=120)] | None, BLANK]
Text = Annotated[str, Field(min_length=1, max_length=500)]
OptionalText = Annotated[Annotated[str, Field(max_length=500)] | None, BLANK]
Line = Annotated[Annotated[str, Field(max_length=200)] | None, BLANK]
Long = Annotated[Annotated[str, Field(max_length=1_000_000)] | None, BLANK]
Note = Annotated[Annotated[str, Field(max_length=16_000)] | None, BLANK]
Key = Annotated[Annotated[SecretStr, Field(max_length=128)] | None, BLANK]
Password = Annotated[Annotated[SecretStr, Field(max_length=200)] | None, BLANK]


class _Labels(Input):
    """The labels that a template may leave out (PLT-351)."""

    itemtext3_label: OptionalLabel = None
    itemtext4_label: OptionalLabel = None
    itemtext5_label: OptionalLabel = None
    itemtext6_label: OptionalLabel = None
    itemtext7_label: OptionalLabel = None
    itemtext8_label: OptionalLabel = None
    itemtext9_label: OptionalLabel = None
    itemtext10_label: OptionalLabel = None
    itemtext11_label: OptionalLabel = None
    itemtext12_label: OptionalLabel = None
    itemtext13_label: OptionalLabel = None
    itemtext14_label: OptionalLabel = None
    itemtext15_label: OptionalLabel = None
    itemtext16_label: OptionalLabel = None
    itemtext17_label: OptionalLabel = None
    itemtext18_label: OptionalLabel = None
    itemtext19_label: OptionalLabel = None
    itemtext20_label: OptionalLabel = None


class TemplateInput(_Labels):
    """A new kind of item (PLT-344..353). `item` is case-sensitive: products name it to the letter."""

    item: Label
    icon: Annotated[str, Field(max_length=120)] = ""
    wholesale_cost: Amount = Decimal(0)
    retail_cost: Amount = Decimal(0)
    allow_dropdown_staff: bool = True
    allow_dropdown_customer: bool = False
    itemtext1_label: Label = "Model Number"
    itemtext2_label: Label = "Serial Number"


class TemplateChange(_Labels):
    """A change of a kind: only the fields that are given."""

    version: int | None = None
    item: Label | None = None
    icon: Annotated[str, Field(max_length=120)] | None = None
    wholesale_cost: Amount | None = None
    retail_cost: Amount | None = None
    allow_dropdown_staff: bool | None = None
    allow_dropdown_customer: bool | None = None
    itemtext1_label: Label | None = None
    itemtext2_label: Label | None = None


class _ItemFields(Input):
    """What an item may have and need not (PLT-374..385)."""

    customer_id: OptionalId = None
    service_id: OptionalId = None
    sold_date: UtcInput = None
    itemtext2: OptionalText = None
    itemtext3: OptionalText = None
    itemtext4: OptionalText = None
    itemtext5: OptionalText = None
    itemtext6: OptionalText = None
    itemtext7: OptionalText = None
    itemtext8: OptionalText = None
    itemtext9: OptionalText = None
    itemtext10: OptionalText = None
    itemtext11: OptionalText = None
    itemtext12: OptionalText = None
    itemtext13: OptionalText = None
    itemtext14: OptionalText = None
    itemtext15: OptionalText = None
    itemtext16: OptionalText = None
    itemtext17: OptionalText = None
    itemtext18: OptionalText = None
    itemtext19: OptionalText = None
    itemtext20: OptionalText = None
    ki: Key = None
    opc: Key = None
    address_line_1: Line = None
    address_line_2: Line = None
    city: Annotated[Annotated[str, Field(max_length=120)] | None, BLANK] = None
    state: Annotated[Annotated[str, Field(max_length=120)] | None, BLANK] = None
    zip_code: Annotated[Annotated[str, Field(max_length=20)] | None, BLANK] = None
    country: Annotated[Annotated[str, Field(max_length=80)] | None, BLANK] = None
    google_maps_place_id: Annotated[Annotated[str, Field(max_length=300)] | None, BLANK] = None
    plus_code: Annotated[Annotated[str, Field(max_length=40)] | None, BLANK] = None
    latitude: Annotated[Annotated[str, Field(max_length=30), _degrees(90)] | None, BLANK] = None
    longitude: Annotated[Annotated[str, Field(max_length=30), _degrees(180)] | None, BLANK] = None
    management_url: OptionalText = None
    management_username: Line = None
    management_password: Password = None
    config_content: Long = None
    config_file_path: OptionalText = None
    inventory_notes: Note = None


class ItemInput(_ItemFields):
    """A new item; its kind is given by name (`item`) or by number. Costs left out are the kind's (PLT-357)."""

    item: Annotated[str, Field(max_length=120)] = ""
    inventory_template_id: OptionalId = None
    item_state: ItemState = "New"
    item_location: Annotated[str, Field(max_length=200)] = ""
    itemtext1: Text
    wholesale_cost: Amount | None = None
    retail_cost: Amount | None = None


class ItemChange(_ItemFields):
    """A change of an item: only the fields that are given.

    `reason` is needed for a step of the state that is not a matter of course; the activity log keeps it.
    """

    version: int | None = None
    reason: Annotated[str, Field(max_length=500)] = ""
    item_state: ItemState | None = None
    item_location: Annotated[str, Field(max_length=200)] | None = None
    itemtext1: Text | None = None
    wholesale_cost: Amount | None = None
    retail_cost: Amount | None = None


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A kind of item, whole; `wholesale_cost` is None for a customer's eyes.

    `warnings` are sentences about what a change did to others (PLT-358, PLT-359).
    """

    inventory_template_id: int
    item: str
    icon: str
    wholesale_cost: Decimal | None
    retail_cost: Decimal
    allow_dropdown_staff: bool
    allow_dropdown_customer: bool
    labels: tuple[str | None, ...]
    version: int
    created: datetime
    last_modified: datetime
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as lists and the picker show it (BIL-104). `reserved_by` is the job that holds it, if any."""

    inventory_id: int
    item: str
    itemtext1: str
    itemtext2: str | None
    itemtext3: str | None
    item_state: str
    item_location: str
    customer_id: int | None
    service_id: int | None
    reserved_by: int | None
    reserved_until: datetime | None
    retail_cost: Decimal
    sold_date: datetime | None
    created: datetime
    customer_name: str | None = None


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item, whole (CAT-206).

    `labels[i]` is the label of the text number i + 1, None where the kind has none. `ki`, `opc` and
    `management_password` are `(hidden)` unless they were asked for and may be seen, None where there is none.
    """

    inventory_id: int
    inventory_template_id: int
    item: str
    customer_id: int | None
    customer_name: str | None
    service_id: int | None
    item_state: str
    item_location: str
    labels: tuple[str | None, ...]
    itemtext1: str
    itemtext2: str | None
    itemtext3: str | None
    itemtext4: str | None
    itemtext5: str | None
    itemtext6: str | None
    itemtext7: str | None
    itemtext8: str | None
    itemtext9: str | None
    itemtext10: str | None
    itemtext11: str | None
    itemtext12: str | None
    itemtext13: str | None
    itemtext14: str | None
    itemtext15: str | None
    itemtext16: str | None
    itemtext17: str | None
    itemtext18: str | None
    itemtext19: str | None
    itemtext20: str | None
    iccid: str | None
    imsi: str | None
    msisdn: str | None
    ki: str | None = field(repr=False)
    opc: str | None = field(repr=False)
    wholesale_cost: Decimal | None
    retail_cost: Decimal
    sold_date: datetime | None
    address_line_1: str | None
    address_line_2: str | None
    city: str | None
    state: str | None
    zip_code: str | None
    country: str | None
    google_maps_place_id: str | None
    plus_code: str | None
    latitude: str | None
    longitude: str | None
    management_url: str | None
    management_username: str | None
    management_password: str | None = field(repr=False)
    config_content: str | None = field(repr=False)
    config_file_path: str | None
    inventory_notes: str | None
    reserved_by: int | None
    reserved_until: datetime | None
    version: int
    created: datetime
    last_modified: datetime
