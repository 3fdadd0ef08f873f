"""Transactions and invoices over REST (CAT-205, CAT-216..219)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.customers import know_customer
from omnicrm_tui.api.paging import Id, ListingDep
from omnicrm_tui.api.paths import Router, creates
from omnicrm_tui.api.serialize import Answer, Listed, page_answer
from omnicrm_tui.billing.schemas import (
    BillingFigures,
    InvoiceFigures,
    InvoiceInput,
    InvoiceRow,
    InvoiceView,
    TransactionInput,
    TransactionRow,
    TransactionView,
)
from omnicrm_tui.schemas import MAX_ID

router = Router(tags=["Billing"])

OfCustomer = Annotated[int | None, Query(ge=1, le=MAX_ID)]
NEWEST_TRANSACTION = "transaction_date"
NEWEST_INVOICE = "invoice_id"


@router.get("/transaction")
def list_transactions(caller: CallerDep, listing: ListingDep) -> Answer[Listed[TransactionRow]]:
    """List transactions, newest first unless sorted (CAT-216). Needs view_customer_transaction."""
    with caller.reading() as work:
        query = listing.newest_first(NEWEST_TRANSACTION)
        return page_answer(work.billing.page(query, listing.page, listing.per_page))


@router.get("/transaction/statistics")
def transaction_figures(caller: CallerDep, customer_id: OfCustomer = None) -> Answer[BillingFigures]:
    """Return the sums of a customer or of all (BIL-356). Needs view_customer_transaction."""
    with caller.reading() as work:
        if customer_id is not None:
            know_customer(work, customer_id)
        return Answer(work.billing.figures(customer_id))


@router.get("/transaction/customer_id/{customer_id}")
def list_customer_transactions(
    caller: CallerDep, customer_id: Id, listing: ListingDep
) -> Answer[Listed[TransactionRow]]:
    """List a customer's transactions, newest first unless sorted. Needs view_customer_transaction."""
    with caller.reading() as work:
        know_customer(work, customer_id)
        query = listing.newest_first(NEWEST_TRANSACTION)
        return page_answer(work.billing.page(query, listing.page, listing.per_page, customer_id))


@creates(router, "/transaction")
def add_transaction(
    caller: CallerDep, data: Annotated[TransactionInput, Depends(JsonBody(TransactionInput))]
) -> Answer[TransactionView]:
    """Record a charge or a credit (CAT-205, CAT-217). Needs create_customer_transaction."""
    with caller.working() as work:
        added = work.billing.add(data)
    return Answer(added)


@router.get("/transaction/{transaction_id}")
def get_transaction(caller: CallerDep, transaction_id: Id) -> Answer[TransactionView]:
    """Return a transaction (BIL-363). Needs view_customer_transaction."""
    with caller.reading() as work:
        return Answer(work.billing.get(transaction_id))


@router.post("/transaction/{transaction_id}/void")
@router.delete("/transaction/{transaction_id}")
def void_transaction(caller: CallerDep, transaction_id: Id) -> Answer[TransactionView]:
    """Void a transaction; it stays in the books (BIL-368, CAT-569).

    Needs delete_customer_transaction; 409 when it is invoiced or void.
    """
    with caller.working() as work:
        voided = work.billing.void(transaction_id)
    return Answer(voided)


@router.get("/invoice")
def list_invoices(caller: CallerDep, listing: ListingDep) -> Answer[Listed[InvoiceRow]]:
    """List invoices, newest first unless sorted (CAT-218). Needs view_customer_invoice."""
    with caller.reading() as work:
        query = listing.newest_first(NEWEST_INVOICE)
        return page_answer(work.billing.invoice_page(query, listing.page, listing.per_page))


@router.get("/invoice/statistics")
def invoice_figures(caller: CallerDep, customer_id: OfCustomer = None) -> Answer[InvoiceFigures]:
    """Return count and sum of the invoices of a customer or of all (BIL-294..297). Needs view_customer_invoice."""
    with caller.reading() as work:
        if customer_id is not None:
            know_customer(work, customer_id)
        return Answer(work.billing.invoice_figures(customer_id))


@router.get("/invoice/customer_id/{customer_id}")
def list_customer_invoices(caller: CallerDep, customer_id: Id, listing: ListingDep) -> Answer[Listed[InvoiceRow]]:
    """List a customer's invoices, newest first unless sorted. Needs view_customer_invoice."""
    with caller.reading() as work:
        know_customer(work, customer_id)
        query = listing.newest_first(NEWEST_INVOICE)
        return page_answer(work.billing.invoice_page(query, listing.page, listing.per_page, customer_id))


@creates(router, "/invoice")
def add_invoice(
    caller: CallerDep, data: Annotated[InvoiceInput, Depends(JsonBody(InvoiceInput))]
) -> Answer[InvoiceView]:
    """Invoice a customer's open transactions of some days (CAT-219). Needs create_customer_invoice."""
    with caller.working() as work:
        created = work.billing.add_invoice(data)
    return Answer(created)


@router.get("/invoice/{invoice_id}")
def get_invoice(caller: CallerDep, invoice_id: Id) -> Answer[InvoiceView]:
    """Return an invoice with its lines (BIL-318..320). Needs view_customer_invoice."""
    with caller.reading() as work:
        return Answer(work.billing.invoice(invoice_id))
