"""Billing: transactions, invoices and their figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from omnicrm_tui.billing import rules
from omnicrm_tui.billing.lists import (
    TRANSACTION_COLUMNS,
    TRANSACTION_LIST,
    invoice_list,
    invoice_scope,
    transaction_scope,
)
from omnicrm_tui.billing.models import Invoice, InvoiceCounter, Transaction
from omnicrm_tui.billing.rules import CREDIT, DEBIT, Period
from omnicrm_tui.billing.schemas import (
    BillingFigures,
    InvoiceFigures,
    InvoiceInput,
    InvoiceRow,
    InvoiceView,
    Tally,
    TransactionInput,
    TransactionRow,
    TransactionView,
)
from omnicrm_tui.database.lists import contains
from omnicrm_tui.database.views import view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.languages import N_, catalogue_of
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_itself, asks_nothing, needs
from omnicrm_tui.work import Service

if TYPE_CHECKING:
    from omnicrm_tui.customer_services.schemas import ServiceView

_NOTHING = Decimal(0)


_RECORDED = {rules.DEBIT: N_("Debit recorded"), rules.CREDIT: N_("Credit recorded")}


class BillingService(Service):
    """Record what customers owe, and show it. Amounts are exact, in the customer's currency."""

    # --- transactions

    @needs("view_customer_transaction")
    def window(
        self, query: ListQuery, anchor: Anchor, limit: int, customer_id: int | None = None
    ) -> Window[TransactionRow]:
        """Return a window of transactions, of a customer or of all (BIL-356..362). Needs view_customer_transaction."""
        return TRANSACTION_LIST.window(self.session, query, anchor, limit, *transaction_scope(query, customer_id))

    @needs("view_customer_transaction")
    def count(self, query: ListQuery, cap: int = COUNT_CAP, customer_id: int | None = None) -> Count:
        """Count the matching transactions, up to `cap`. Needs view_customer_transaction."""
        return TRANSACTION_LIST.count(self.session, query, cap, *transaction_scope(query, customer_id))

    @needs("view_customer_transaction")
    def page(self, query: ListQuery, page: int, per_page: int, customer_id: int | None = None) -> Page[TransactionRow]:
        """Return a numbered page of transactions (CAT-216). Needs view_customer_transaction."""
        return TRANSACTION_LIST.page(self.session, query, page, per_page, *transaction_scope(query, customer_id))

    @needs("view_customer_transaction")
    def get(self, transaction_id: int) -> TransactionView:
        """Return a transaction (BIL-363). Needs view_customer_transaction; raises NotFound."""
        return self._view(self._transaction(transaction_id))

    @needs("create_customer_transaction")
    def add(self, data: TransactionInput) -> TransactionView:
        """Record a charge or a credit (BIL-364..371, CAT-409, CAT-411). Needs create_customer_transaction.

        A job's transaction is linked to the job. Raises InvalidInput, and NotFound for an unknown customer.
        """
        currency = self.work.customers.currency_of(data.customer_id)
        kind, retail_cost = _entered(data)
        self._check_credit_type(data, kind)
        self._check_site(data)
        percentage = self._percentage(data, kind, self._service_of(data))
        values = data.model_dump(exclude={"invoice_id"}) | {
            "transaction_type": kind,
            "retail_cost": rules.rounded(retail_cost, currency),
            "wholesale_cost": rules.rounded(data.wholesale_cost, currency),
            "tax_percentage": percentage,
            "transaction_date": data.transaction_date or self.work.clock.now(),
            "currency": currency,
            "provision_id": self.actor.provision_id,
        }
        values["tax_amount"] = rules.tax_of(values["retail_cost"], percentage, currency)
        transaction = Transaction(**values, void=False)
        self.session.add(transaction)
        self.session.flush()
        self._log(transaction, _RECORDED[kind], new=values)
        return self._view(transaction)

    @asks_itself("delete_customer_transaction", unless="this job recorded it: a rollback takes it back")
    def void(self, transaction_id: int) -> TransactionView:
        """Cancel a transaction that is not on an invoice (BIL-368, CAT-284).

        Needs delete_customer_transaction, except for the job that recorded it: its rollback may take it back
        (SVC-097). Raises NotFound, and Conflict when it is invoiced or void: what is invoiced is corrected with
        a credit.
        """
        found = self.session.get(Transaction, transaction_id)
        if found is None or not self._recorded_by_this_job(found):
            self.actor.require("delete_customer_transaction")
        transaction = self._transaction(transaction_id)
        if transaction.invoice_id is not None:
            raise Conflict(_("This transaction is on an invoice: record a credit instead of voiding it."))
        if transaction.void:
            raise Conflict(_("This transaction is void already."))
        transaction.void = True
        self._log(transaction, "Transaction voided", old={"void": False}, new={"void": True})
        return self._view(transaction)

    @asks_nothing(Asked.ROOMS)
    def discard_service(self, service_id: int) -> None:
        """Delete the transactions of a service that is itself deleted, as if they had never been (SVC-097).

        Asks for no permission: it is part of deleting the service. Raises Conflict when one is invoiced.
        """
        found = self.session.scalars(select(Transaction).where(Transaction.service_id == service_id)).all()
        if any(transaction.invoice_id is not None for transaction in found):
            raise Conflict(_("This service is on an invoice: deactivate it instead of deleting it."))
        for transaction in found:
            self._log(
                transaction,
                "Transaction deleted",
                old={"title": transaction.title, "retail_cost": transaction.retail_cost},
            )
            self.session.delete(transaction)
        self.session.flush()

    @needs("view_customer_transaction")
    def figures(self, customer_id: int | None = None) -> BillingFigures:
        """Return the sums of the four widgets, of one customer or of all (BIL-356). Needs view_customer_transaction."""
        currency = self._currency(customer_id)
        conditions = (
            true(),
            Transaction.invoice_id.is_(None),
            _within(Transaction.transaction_date, self._month(0)),
            _within(Transaction.transaction_date, self._month(1)),
        )
        sums = [func.sum(case((each, Transaction.retail_cost), else_=_NOTHING)) for each in conditions]
        scope = [Transaction.void.is_(False), Transaction.currency == currency]
        if customer_id is not None:
            scope.append(Transaction.customer_id == customer_id)
        found = self.session.execute(select(*sums).where(*scope)).one()
        return BillingFigures(currency, *(amount or _NOTHING for amount in found))

    # --- invoices

    @needs("view_customer_invoice")
    def invoice_window(
        self, query: ListQuery, anchor: Anchor, limit: int, customer_id: int | None = None
    ) -> Window[InvoiceRow]:
        """Return a window of invoices, of one customer or of all (BIL-300..304). Needs view_customer_invoice."""
        scope = invoice_scope(query, customer_id)
        return invoice_list(self._today()).window(self.session, query, anchor, limit, *scope)

    @needs("view_customer_invoice")
    def invoice_count(self, query: ListQuery, cap: int = COUNT_CAP, customer_id: int | None = None) -> Count:
        """Count the matching invoices, up to `cap`. Needs view_customer_invoice."""
        return invoice_list(self._today()).count(self.session, query, cap, *invoice_scope(query, customer_id))

    @needs("view_customer_invoice")
    def invoice_page(
        self, query: ListQuery, page: int, per_page: int, customer_id: int | None = None
    ) -> Page[InvoiceRow]:
        """Return a numbered page of invoices (CAT-218). Needs view_customer_invoice."""
        scope = invoice_scope(query, customer_id)
        return invoice_list(self._today()).page(self.session, query, page, per_page, *scope)

    @needs("view_customer_invoice")
    def invoice(self, invoice_id: int) -> InvoiceView:
        """Return an invoice with its lines (BIL-318..320). Needs view_customer_invoice; raises NotFound."""
        invoice = self.session.get(Invoice, invoice_id)
        if invoice is None:
            raise NotFound(_("There is no invoice {invoice_id}.").format(invoice_id=invoice_id))
        return self._invoice_view(invoice)

    @needs("view_customer_invoice")
    def invoice_figures(self, customer_id: int | None = None) -> InvoiceFigures:
        """Return count and sum of the four widgets (BIL-294..297). Needs view_customer_invoice."""
        currency = self._currency(customer_id)
        conditions = (
            true(),
            Invoice.paid.is_(False),
            _within(Invoice.created, self._month(0)),
            _within(Invoice.created, self._month(1)),
        )
        columns: list[Any] = []
        for each in conditions:
            columns += [func.sum(case((each, 1), else_=0)), func.sum(case((each, Invoice.retail_cost), else_=_NOTHING))]
        scope = [Invoice.void.is_(False), Invoice.currency == currency]
        if customer_id is not None:
            scope.append(Invoice.customer_id == customer_id)
        found = list(self.session.execute(select(*columns).where(*scope)).one())
        tallies = [Tally(int(found[i] or 0), found[i + 1] or _NOTHING) for i in range(0, len(found), 2)]
        return InvoiceFigures(currency, *tallies)

    @needs("create_customer_invoice")
    def add_invoice(self, data: InvoiceInput) -> InvoiceView:
        """Invoice a customer's open transactions of some days; totals are frozen (BIL-308..316, CAT-410).

        Needs create_customer_invoice. The number is the next of its year, without gaps, however many invoice at
        once. Raises InvalidInput when there is nothing to invoice or the days are in the wrong order, NotFound.
        """
        if data.start_date > data.end_date:
            raise InvalidInput(_("Some fields are not right."), {"end_date": _("is before the start date")})
        currency = self.work.customers.currency_of(data.customer_id)
        invoice = Invoice(
            invoice_number=self._next_number(),
            customer_id=data.customer_id,
            title=data.title or self._title_of(data),
            start_date=data.start_date,
            end_date=data.end_date,
            due_date=data.due_date or self._today(),
            currency=currency,
            subtotal=_NOTHING,
            tax_amount=_NOTHING,
            retail_cost=_NOTHING,
            paid=False,
            void=False,
        )
        self.session.add(invoice)
        self.session.flush()
        self._take_lines(invoice, data)
        self.session.flush()
        new = {"invoice_number": invoice.invoice_number, "retail_cost": invoice.retail_cost, "title": invoice.title}
        self.work.activity.record(
            "invoice", invoice.invoice_id, "Invoice generated", customer_id=data.customer_id, new=new
        )
        return self._invoice_view(invoice)

    # --- how

    def _take_lines(self, invoice: Invoice, data: InvoiceInput) -> None:
        """Link what is to be invoiced in one statement, then add up what was linked: nobody can slip in between."""
        period = rules.days(data.start_date, data.end_date, self.work.settings.crm.timezone)
        conditions = [
            Transaction.customer_id == invoice.customer_id,
            Transaction.invoice_id.is_(None),
            Transaction.void.is_(False),
            Transaction.currency == invoice.currency,
            _within(Transaction.transaction_date, period),
        ]
        if data.filter_text:
            columns = (Transaction.title, Transaction.description)
            conditions.append(or_(*(contains(column, data.filter_text) for column in columns)))
        if data.exclude:
            conditions.append(Transaction.transaction_id.not_in(data.exclude))
        values = {"invoice_id": invoice.invoice_id, "version": Transaction.version + 1}
        self.session.execute(update(Transaction).where(*conditions).values(values))
        sums = select(func.count(), func.sum(Transaction.retail_cost), func.sum(Transaction.tax_amount))
        lines, subtotal, tax = self.session.execute(sums.where(Transaction.invoice_id == invoice.invoice_id)).one()
        if not lines:
            raise InvalidInput(
                _("No transactions found: adjust the dates or the filter."), {"start_date": _("nothing found")}
            )
        invoice.subtotal, invoice.tax_amount, invoice.retail_cost = subtotal, tax, subtotal + tax

    def _title_of(self, data: InvoiceInput) -> str:
        """Return an invoice's title where none is given: in the operator's language, since the customer reads it."""
        _ = catalogue_of(self.work.settings.crm.language).gettext
        return _("Invoice for {start} - {end}").format(start=data.start_date, end=data.end_date)

    def _next_number(self) -> str:
        """Take the next number of this year (INV-YYYY-NNNNNN); it is given back when the transaction fails."""
        year = self._today().year
        if self.session.get(InvoiceCounter, year, with_for_update=True, populate_existing=True) is None:
            try:
                with self.session.begin_nested():
                    self.session.add(InvoiceCounter(year=year, last=0))
            except IntegrityError:
                # Another first invoice of the year was quicker; its counter is there now.
                pass
        counter = self.session.get_one(InvoiceCounter, year, with_for_update=True, populate_existing=True)
        counter.last += 1
        return f"INV-{year}-{counter.last:06}"

    def _percentage(self, data: TransactionInput, kind: str, service: ServiceView | None) -> Decimal:
        """Return the tax that applies: none on credits (BIL-370), else what was given, else the product's."""
        if kind == CREDIT:
            return _NOTHING
        if data.tax_percentage is not None:
            return data.tax_percentage
        if service is None or service.product_id is None or not service.service_taxable:
            return _NOTHING
        return self.work.catalog.get(service.product_id).tax_percentage

    def _service_of(self, data: TransactionInput) -> ServiceView | None:
        if data.service_id is None:
            return None
        service = self.work.customer_services.get(data.service_id)
        if service.customer_id != data.customer_id:
            raise InvalidInput(_("Some fields are not right."), {"service_id": _("is not this customer's")})
        return service

    def _check_site(self, data: TransactionInput) -> None:
        if data.site_id is None:
            return
        if data.site_id not in {site.site_id for site in self.work.customers.sites(data.customer_id)}:
            raise InvalidInput(_("Some fields are not right."), {"site_id": _("is not this customer's")})

    def _check_credit_type(self, data: TransactionInput, kind: str) -> None:
        allowed = self.work.settings.crm.credit_types
        wrong = data.credit_type is not None and data.credit_type not in allowed
        if (data.transaction_type == CREDIT and data.credit_type is None) or wrong:
            raise InvalidInput(
                _("Some fields are not right."),
                {"credit_type": _("one of {allowed}").format(allowed=", ".join(allowed))},
            )
        if kind == DEBIT and data.credit_type is not None:
            raise InvalidInput(_("Some fields are not right."), {"credit_type": _("belongs to credits only")})

    def _recorded_by_this_job(self, transaction: Transaction) -> bool:
        job = self.actor.provision_id
        return self.actor.kind is ActorKind.JOB and job is not None and transaction.provision_id == job

    def _transaction(self, transaction_id: int) -> Transaction:
        transaction = self.session.get(Transaction, transaction_id)
        if transaction is None:
            raise NotFound(_("There is no transaction {transaction_id}.").format(transaction_id=transaction_id))
        return transaction

    def _view(self, transaction: Transaction) -> TransactionView:
        if self.actor.own_customer_id is not None:
            return view_of(transaction, TransactionView, wholesale_cost=None)
        return view_of(transaction, TransactionView)

    def _invoice_view(self, invoice: Invoice) -> InvoiceView:
        lines = select(*TRANSACTION_COLUMNS).where(Transaction.invoice_id == invoice.invoice_id)
        found = self.session.execute(lines.order_by(Transaction.transaction_date, Transaction.transaction_id))
        status = rules.invoice_status(
            paid=invoice.paid,
            void=invoice.void,
            refunded=invoice.refund_reference is not None,
            due_date=invoice.due_date,
            on=self._today(),
        )
        return view_of(
            invoice, InvoiceView, status=status, transactions=tuple(TransactionRow(*tuple(row)) for row in found)
        )

    def _log(self, transaction: Transaction, action: str, **values: Any) -> None:
        self.work.activity.record(
            "transaction",
            transaction.transaction_id,
            action,
            customer_id=transaction.customer_id,
            service_id=transaction.service_id,
            **values,
        )
        self.session.flush()

    def _currency(self, customer_id: int | None) -> str:
        own = self.actor.own_customer_id
        customer_id = own if customer_id is None else customer_id
        return self.work.settings.crm.currency if customer_id is None else self.work.customers.currency_of(customer_id)

    def _month(self, back: int) -> Period:
        return rules.month_of(self.work.clock.now(), self.work.settings.crm.timezone, back)

    def _today(self) -> date:
        return rules.today(self.work.clock.now(), self.work.settings.crm.timezone)


def _entered(data: TransactionInput) -> tuple[str, Decimal]:
    """Return type and signed amount: credits are entered positive and kept negative (BIL-365, CAT-411)."""
    if data.transaction_type is None:
        return (CREDIT if data.retail_cost < 0 else DEBIT), data.retail_cost
    if data.retail_cost <= 0:
        raise InvalidInput(_("Some fields are not right."), {"retail_cost": _("is a positive amount")})
    return data.transaction_type, (-data.retail_cost if data.transaction_type == CREDIT else data.retail_cost)


def _within(column: Any, period: Period) -> ColumnElement[bool]:
    return and_(column >= period.start, column < period.end)
