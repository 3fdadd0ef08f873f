"""Inputs and read models of what customers have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from gettext import gettext as _
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from omnicrm_tui.catalog.rules import parse_vars, stored_vars
from omnicrm_tui.customer_services.rules import SERVICE_STATUSES
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.schemas import BLANK, MAX_ID, Amount, Input, UtcInput, blank_is_none


def _as_text(value: Any) -> Any:
    """Take variables as an object too, not only as the JSON text that the table keeps."""
    if isinstance(value, (dict, list)):
        import json

        return json.dumps(value, ensure_ascii=False)
    return blank_is_none(value)


def _without_secrets(value: str | None) -> str | None:
    """Refuse variables with secrets in them, and keep a text that is no JSON as it is: no play gets that."""
    try:
        parse_vars(value)
    except InvalidInput:
        return value
    try:
        stored_vars(value)
    except InvalidInput as error:
        raise ValueError(error.message) from None
    return value


def _known_status(value: str) -> str:
    if value not in SERVICE_STATUSES:
        raise ValueError(_("one of {allowed}").format(allowed=", ".join(SERVICE_STATUSES)))
    return value


Id = Annotated[int, Field(ge=1, le=MAX_ID)]
OptionalId = Annotated[Id | None, BLANK]
Name = Annotated[str, Field(min_length=1, max_length=200)]
ServiceType = Annotated[str, Field(max_length=60)]
Status = Annotated[str, AfterValidator(_known_status)]
Uuid = Annotated[Annotated[str, Field(max_length=120, pattern=r"^[\x21-\x7e]+$")] | None, BLANK]
Short = Annotated[Annotated[str, Field(max_length=120)] | None, BLANK]
PromoCode = Annotated[Annotated[str, Field(max_length=60)] | None, BLANK]
Play = Annotated[Annotated[str, Field(max_length=200)] | None, BLANK]
Variables = Annotated[
    Annotated[str, Field(max_length=16_000)] | None, BeforeValidator(_as_text), AfterValidator(_without_secrets)
]
Notes = Annotated[Annotated[str, Field(max_length=16_000)] | None, BLANK]


class ServiceInput(Input):
    """A new service: the body of a play's PUT (CAT-198, SVC-109), and the rest of the fields.

    What is left out comes from the product: type, icon, costs, play and variables, auto-renewal. Without a
    `service_uuid` one is made.
    """

    customer_id: Id
    product_id: OptionalId = None
    service_name: Name
    service_type: ServiceType | None = None
    service_uuid: Uuid = None
    icon: Short = None
    service_status: Status = "Active"
    service_provisioned_date: UtcInput = None
    service_active_date: UtcInput = None
    service_deactivate_date: UtcInput = None
    contract_end_date: UtcInput = None
    retail_cost: Amount | None = None
    wholesale_cost: Amount | None = None
    service_billed: bool = True
    service_taxable: bool = True
    promo_code: PromoCode = None
    service_visible_to_customer: bool = True
    service_usage_visible_to_customer: bool = True
    provisioning_play: Play = None
    provisioning_json_vars: Variables = None
    deprovisioning_play: Play = None
    deprovisioning_json_vars: Variables = None
    bundled_parent: OptionalId = None
    site_id: OptionalId = None
    auto_renew: bool | None = None
    service_notes: Notes = None


class ServiceChange(Input):
    """A change of a service: the 16 fields of CAT-073, only those that are given."""

    version: int | None = None
    service_name: Name | None = None
    service_type: ServiceType | None = None
    service_status: Status | None = None
    service_notes: Notes = None
    retail_cost: Amount | None = None
    wholesale_cost: Amount | None = None
    service_billed: bool | None = None
    service_taxable: bool | None = None
    service_visible_to_customer: bool | None = None
    service_usage_visible_to_customer: bool | None = None
    service_active_date: UtcInput = None
    service_deactivate_date: UtcInput = None
    contract_end_date: UtcInput = None
    icon: Short = None
    promo_code: PromoCode = None
    site_id: OptionalId = None


READ_ONLY = frozenset(
    {
        "service_id",
        "customer_id",
        "product_id",
        "service_uuid",
        "service_provisioned_date",
        "provisioning_play",
        "provisioning_json_vars",
        "deprovisioning_play",
        "deprovisioning_json_vars",
        "bundled_parent",
        "invoiced",
        "created",
        "last_modified",
    }
)
"""What a PATCH may carry and never changes (CAT-074, CAT-202)."""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as lists show it (SVC-229). `end_date` is None where no end is known."""

    service_id: int
    service_name: str
    customer_id: int
    product_id: int | None
    service_type: str
    service_uuid: str
    service_status: str
    start_date: datetime
    end_date: datetime | None
    retail_cost: Decimal
    auto_renew: bool
    icon: str | None
    created: datetime
    customer_name: str | None = None
    end_notice: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service, whole. Notes and what we pay are for staff: None for a customer's user (CAT-070).

    `end_notice` is Expired, Expiring Soon or None (SVC-240).
    """

    service_id: int
    customer_id: int
    customer_name: str | None
    product_id: int | None
    product_name: str | None
    site_id: int | None
    bundled_parent: int | None
    service_name: str
    service_type: str
    service_uuid: str
    icon: str | None
    service_status: str
    service_provisioned_date: datetime | None
    service_active_date: datetime | None
    service_deactivate_date: datetime | None
    contract_end_date: datetime | None
    start_date: datetime
    end_date: datetime | None
    end_notice: str | None
    retail_cost: Decimal
    wholesale_cost: Decimal | None
    service_billed: bool
    service_taxable: bool
    invoiced: bool
    promo_code: str | None
    service_visible_to_customer: bool
    service_usage_visible_to_customer: bool
    provisioning_play: str | None
    provisioning_json_vars: str | None
    deprovisioning_play: str | None
    deprovisioning_json_vars: str | None
    auto_renew: bool
    service_notes: str | None
    version: int
    created: datetime
    last_modified: datetime
