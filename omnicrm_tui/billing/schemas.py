"""Inputs and read models of billing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from omnicrm_tui.schemas import MAX_ID, Input, UtcInput

MOST = Decimal(10) ** 12

Amount = Annotated[Decimal, Field(ge=-MOST, le=MOST, allow_inf_nan=False)]
Percentage = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=4, allow_inf_nan=False)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Note = Annotated[str, Field(max_length=16_000)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(9998, 12, 31))]
"""Any day whose beginning and end are moments in every time zone."""


class TransactionInput(Input):
    """A new charge or credit (BIL-351, BIL-364, BIL-182, CAT-205); amounts may come as numeric strings (CAT-128).

    With a `transaction_type` the retail cost is entered positive, for a credit too. Without one, as plays send
    it, the sign decides: a negative retail cost is a credit. Without a `tax_percentage` the product's applies.
    """

    customer_id: int
    title: Title
    retail_cost: Amount
    wholesale_cost: Amount = Decimal(0)
    description: Note = ""
    transaction_type: Literal["Debit", "Credit"] | None = None
    credit_type: Annotated[str, Field(max_length=40)] | None = None
    tax_percentage: Percentage | None = None
    service_id: int | None = None
    site_id: int | None = None
    invoice_id: None = None
    transaction_date: UtcInput = None


class InvoiceInput(Input):
    """What to invoice (BIL-308, CAT-288): days in the operator's zone, both included.

    `filter_text` takes only transactions that contain it in title or description (CAT-138), `exclude` leaves
    single ones out (BIL-309).
    """

    customer_id: int
    start_date: Day
    end_date: Day
    due_date: Day | None = None
    title: Annotated[str, Field(max_length=200)] = ""
    filter_text: Annotated[str, Field(max_length=500)] = ""
    exclude: Annotated[list[Annotated[int, Field(ge=1, le=MAX_ID)]], Field(max_length=10_000)] = []


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A transaction as lists show it; credits are negative."""

    transaction_id: int
    customer_id: int
    service_id: int | None
    invoice_id: int | None
    transaction_type: str
    credit_type: str | None
    title: str
    description: str
    transaction_date: datetime
    currency: str
    retail_cost: Decimal
    tax_percentage: Decimal
    tax_amount: Decimal
    void: bool


@dataclass(frozen=True, slots=True)
class TransactionView:
    """A transaction, whole; `wholesale_cost` is None for a customer's eyes."""

    transaction_id: int
    customer_id: int
    service_id: int | None
    site_id: int | None
    invoice_id: int | None
    provision_id: int | None
    transaction_type: str
    credit_type: str | None
    title: str
    description: str
    transaction_date: datetime
    currency: str
    retail_cost: Decimal
    wholesale_cost: Decimal | None
    tax_percentage: Decimal
    tax_amount: Decimal
    void: bool
    version: int
    created: datetime
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class BillingFigures:
    """Sums of retail cost in `currency`, void ones left out (BIL-356, BIL-361); months of the operator's zone."""

    currency: str
    total: Decimal
    uninvoiced: Decimal
    this_month: Decimal
    last_month: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice as lists show it; `retail_cost` is the total with tax, `status` one of `rules.invoice_status`."""

    invoice_id: int
    invoice_number: str
    customer_id: int
    title: str
    start_date: date | None
    end_date: date | None
    due_date: date | None
    created: datetime
    currency: str
    retail_cost: Decimal
    paid: bool
    void: bool
    status: str


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice, whole, with its lines (BIL-318..320)."""

    invoice_id: int
    invoice_number: str
    customer_id: int
    title: str
    start_date: date | None
    end_date: date | None
    due_date: date | None
    currency: str
    subtotal: Decimal
    tax_amount: Decimal
    retail_cost: Decimal
    paid: bool
    paid_date: datetime | None
    void: bool
    payment_method: str | None
    payment_reference: str | None
    refund_reference: str | None
    status: str
    version: int
    created: datetime
    last_modified: datetime
    transactions: tuple[TransactionRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """How many, and their sum."""

    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceFigures:
    """Invoices in `currency`, void ones left out (BIL-294..297, CAT-286)."""

    currency: str
    total: Tally
    unpaid: Tally
    this_month: Tally
    last_month: Tally
