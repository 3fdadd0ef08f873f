"""How transactions and invoices are listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, or_

from omnicrm_tui.billing.models import Invoice, Transaction
from omnicrm_tui.billing.rules import invoice_status
from omnicrm_tui.billing.schemas import InvoiceRow, TransactionRow
from omnicrm_tui.database.lists import ListSpec, contains
from omnicrm_tui.listing import ListQuery

TRANSACTION_COLUMNS = (
    Transaction.transaction_id,
    Transaction.customer_id,
    Transaction.service_id,
    Transaction.invoice_id,
    Transaction.transaction_type,
    Transaction.credit_type,
    Transaction.title,
    Transaction.description,
    Transaction.transaction_date,
    Transaction.currency,
    Transaction.retail_cost,
    Transaction.tax_percentage,
    Transaction.tax_amount,
    Transaction.void,
)
_INVOICE_COLUMNS = (
    Invoice.invoice_id,
    Invoice.invoice_number,
    Invoice.customer_id,
    Invoice.title,
    Invoice.start_date,
    Invoice.end_date,
    Invoice.due_date,
    Invoice.created,
    Invoice.currency,
    Invoice.retail_cost,
    Invoice.paid,
    Invoice.void,
)


def _numbered(words: str, *columns: Any) -> list[ColumnElement[bool]]:
    digits = words.removeprefix("#")
    return [column == int(digits) for column in columns] if digits.isdecimal() and len(digits) <= 18 else []


def _search_transactions(words: str) -> ColumnElement[bool]:
    texts = [contains(Transaction.title, words), contains(Transaction.description, words)]
    return or_(*texts, *_numbered(words, Transaction.transaction_id, Transaction.invoice_id))


def _search_invoices(words: str) -> ColumnElement[bool]:
    texts = [contains(Invoice.title, words), contains(Invoice.invoice_number, words.removeprefix("#"))]
    return or_(*texts, *_numbered(words, Invoice.invoice_id))


def _flag(condition: ColumnElement[bool]) -> Callable[[Sequence[str]], ColumnElement[bool]]:
    """Return a filter that takes `true`, `false` or both."""

    def chosen(values: Sequence[str]) -> ColumnElement[bool]:
        wanted = {str(value).lower() in ("true", "1", "yes") for value in values}
        return or_(*(condition if value else ~condition for value in wanted))

    return chosen


TRANSACTION_LIST: ListSpec[TransactionRow] = ListSpec(
    entities=TRANSACTION_COLUMNS,
    build=lambda row: TransactionRow(*row[: len(TRANSACTION_COLUMNS)]),
    primary_key=Transaction.transaction_id,
    sorts={
        "transaction_date": Transaction.transaction_date,
        "transaction_id": Transaction.transaction_id,
        "title": Transaction.title,
        "retail_cost": Transaction.retail_cost,
    },
    search=_search_transactions,
    filters={
        "void": _flag(Transaction.void.is_(True)),
        "invoiced": _flag(Transaction.invoice_id.is_not(None)),
        "transaction_type": Transaction.transaction_type.in_,
    },
)
"""BIL-357..362: void transactions appear only where the filter `void` asks for them."""


def invoice_list(on: date) -> ListSpec[InvoiceRow]:
    """Return the list of invoices as of a day, which decides what is overdue (BIL-300..304)."""

    def build(row: Any) -> InvoiceRow:
        values = row[: len(_INVOICE_COLUMNS)]
        paid, void, due_date = values[-2], values[-1], values[6]
        status = invoice_status(paid=paid, void=void, refunded=row[-3] is not None, due_date=due_date, on=on)
        return InvoiceRow(*(*values, status))

    return ListSpec(
        entities=(*_INVOICE_COLUMNS, Invoice.refund_reference),
        build=build,
        primary_key=Invoice.invoice_id,
        sorts={
            "invoice_id": Invoice.invoice_id,
            "created": Invoice.created,
            "title": Invoice.title,
            "retail_cost": Invoice.retail_cost,
        },
        search=_search_invoices,
        filters={"void": _flag(Invoice.void.is_(True)), "paid": _flag(Invoice.paid.is_(True))},
    )


def transaction_scope(query: ListQuery, customer_id: int | None) -> list[ColumnElement[bool]]:
    """Return what narrows a list of transactions before its filters do."""
    scope: list[ColumnElement[bool]] = [] if query.filters.get("void") else [Transaction.void.is_(False)]
    if customer_id is not None:
        scope.append(Transaction.customer_id == customer_id)
    return scope


def invoice_scope(query: ListQuery, customer_id: int | None) -> list[ColumnElement[bool]]:
    """Return what narrows a list of invoices before its filters do."""
    scope: list[ColumnElement[bool]] = [] if query.filters.get("void") else [Invoice.void.is_(False)]
    if customer_id is not None:
        scope.append(Invoice.customer_id == customer_id)
    return scope
