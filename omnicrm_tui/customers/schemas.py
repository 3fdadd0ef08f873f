"""Inputs and read models of customers, contacts and sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from omnicrm_tui.customers.rules import checked_plus_code
from omnicrm_tui.schemas import Input, UtcInput

Text200 = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Note = Annotated[str, Field(max_length=16_000)]
PlusCode = Annotated[str, Field(max_length=20), AfterValidator(checked_plus_code)]


class CustomerInput(Input):
    """A new customer (PLT-071..078)."""

    customer_name: Name
    customer_account_type: Literal["Individual", "Business"] = "Individual"
    customer_status: str = "Open"
    customer_payment_type: Literal["prepaid", "postpaid"] = "prepaid"
    customer_enabled: bool = True
    customer_phone: Annotated[str, Field(max_length=40)] | None = None
    customer_email: Annotated[str, Field(max_length=254)] | None = None
    customer_notes: Note | None = None
    tax_identifier: Annotated[str, Field(max_length=60)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    contract_start_date: UtcInput = None
    contract_end_date: UtcInput = None
    custom_fields: dict[str, str] | None = None


class CustomerChange(Input):
    """A change of a customer: only the fields that are given; `version` guards against a lost update."""

    version: int | None = None
    customer_name: Name | None = None
    customer_account_type: Literal["Individual", "Business"] | None = None
    customer_status: str | None = None
    customer_payment_type: Literal["prepaid", "postpaid"] | None = None
    customer_enabled: bool | None = None
    customer_phone: Annotated[str, Field(max_length=40)] | None = None
    customer_email: Annotated[str, Field(max_length=254)] | None = None
    customer_notes: Note | None = None
    tax_identifier: Annotated[str, Field(max_length=60)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    contract_start_date: UtcInput = None
    contract_end_date: UtcInput = None
    custom_fields: dict[str, str] | None = None


class ContactInput(Input):
    """A new contact (PLT-079..083); `contact_types` may hold several, separated by commas."""

    contact_firstname: Annotated[str, Field(min_length=1, max_length=100)]
    contact_lastname: Annotated[str, Field(max_length=100)] = ""
    contact_email: Annotated[str, Field(max_length=254)] | None = None
    contact_phone: Annotated[str, Field(max_length=40)] | None = None
    contact_types: Text200 = ""


class ContactChange(Input):
    """A change of a contact: only the fields that are given; `version` guards against a lost update."""

    version: int | None = None
    contact_firstname: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    contact_lastname: Annotated[str, Field(max_length=100)] | None = None
    contact_email: Annotated[str, Field(max_length=254)] | None = None
    contact_phone: Annotated[str, Field(max_length=40)] | None = None
    contact_types: Text200 | None = None


class SiteInput(Input):
    """A new site (PLT-084..090, CAT-030..042)."""

    site_name: Name
    address_line_1: Text200 = ""
    address_line_2: Text200 | None = None
    city: Annotated[str, Field(max_length=120)] = ""
    state: Annotated[str, Field(max_length=120)] | None = None
    zip_code: Annotated[str, Field(max_length=20)] | None = None
    country: Annotated[str, Field(max_length=80)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    plus_code: PlusCode | None = None
    google_maps_place_id: Annotated[str, Field(max_length=300)] | None = None
    address_note: Note | None = None


class SiteChange(Input):
    """A change of a site: only the fields that are given; `version` guards against a lost update."""

    version: int | None = None
    site_name: Name | None = None
    address_line_1: Text200 | None = None
    address_line_2: Text200 | None = None
    city: Annotated[str, Field(max_length=120)] | None = None
    state: Annotated[str, Field(max_length=120)] | None = None
    zip_code: Annotated[str, Field(max_length=20)] | None = None
    country: Annotated[str, Field(max_length=80)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    plus_code: PlusCode | None = None
    google_maps_place_id: Annotated[str, Field(max_length=300)] | None = None
    address_note: Note | None = None


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer as lists show it."""

    customer_id: int
    customer_name: str
    customer_account_type: str
    customer_status: str
    customer_payment_type: str
    customer_phone: str | None
    customer_email: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact, whole."""

    contact_id: int
    customer_id: int
    contact_firstname: str
    contact_lastname: str
    contact_email: str | None
    contact_phone: str | None
    contact_types: str
    version: int
    created: datetime
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site, whole."""

    site_id: int
    customer_id: int
    site_name: str
    address_line_1: str
    address_line_2: str | None
    city: str
    state: str | None
    zip_code: str | None
    country: str
    latitude: float | None
    longitude: float | None
    plus_code: str | None
    google_maps_place_id: str | None
    address_note: str | None
    version: int
    created: datetime
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A customer, whole, with contacts and sites (CAT-023)."""

    customer_id: int
    customer_name: str
    customer_account_type: str
    customer_status: str
    customer_payment_type: str
    customer_enabled: bool
    customer_phone: str | None
    customer_email: str | None
    customer_notes: str | None
    tax_identifier: str | None
    currency: str | None
    contract_start_date: datetime | None
    contract_end_date: datetime | None
    custom_fields: dict[str, str] | None
    archived_at: datetime | None
    version: int
    created: datetime
    last_modified: datetime
    contacts: tuple[ContactView, ...] = ()
    sites: tuple[SiteView, ...] = ()
