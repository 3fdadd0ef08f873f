"""Charges, credits, invoices and payments of the demo, in every state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from omnicrm_tui.billing.rules import CREDIT, DEBIT, tax_of
from omnicrm_tui.demo.people import TODAY, Person, Row
from omnicrm_tui.demo.sales import Sale

_MONTH_START = TODAY.replace(day=1, hour=2, minute=0)
_DUE = timedelta(days=14)
_LONG_HISTORIES = 2_000
"""Customers beyond this number are there for their number: they have a month of charges."""
_METHODS = ("Card", "Bank Transfer", "Cash")


@dataclass(slots=True)
class Money:
    """Collects charges and invoices; ids and invoice numbers are given at the end, in the order of time."""

    currency: str
    charges: list[tuple[Row, Row | None]] = field(default_factory=list)
    invoices: list[Row] = field(default_factory=list)

    def of(self, person: Person, sales: list[Sale], random: Random) -> None:
        """Make the charges of a customer's services, invoice them, and settle the invoices."""
        by_month: dict[datetime, list[Row]] = {}
        for sale in sales:
            for charge in self._charges(person, sale, random):
                by_month.setdefault(_month(charge["transaction_date"]), []).append(charge)
        for month, charges in sorted(by_month.items()):
            if month >= _month(TODAY):
                self.charges += [(charge, None) for charge in charges]
            else:
                self._invoice(person, month, charges, random)
        if sales and random.random() < 0.06:
            self._credit(person, sales[0], random)

    def finished(self) -> tuple[list[Row], list[Row], dict[int, int]]:
        """Return transactions, invoices and each year's last invoice number."""
        last: Counter[int] = Counter()
        self.invoices.sort(key=lambda row: (row["created"], row["customer_id"]))
        for number, invoice in enumerate(self.invoices, 1):
            year = invoice["created"].year
            last[year] += 1
            invoice["invoice_id"] = number
            invoice["invoice_number"] = f"INV-{year}-{last[year]:06d}"
        self.charges.sort(key=lambda pair: (pair[0]["transaction_date"], pair[0]["customer_id"], pair[0]["title"]))
        for number, (charge, owner) in enumerate(self.charges, 1):
            charge["transaction_id"] = number
            charge["invoice_id"] = owner["invoice_id"] if owner else None
            if owner and charge["transaction_type"] == CREDIT:
                charge["title"] = f"Payment for Invoice #{owner['invoice_id']}"
        return [charge for charge, _ in self.charges], self.invoices, dict(last)

    def _charges(self, person: Person, sale: Sale, random: Random) -> list[Row]:
        sold, service = sale.sold, sale.row
        charges = []
        if sold.setup_cost:
            title = f"{sold.name} - Setup Costs"
            charges.append(self._charge(person, sale, title, sold.setup_cost, service["created"]))
        end = service["last_modified"] if not sale.is_live else TODAY
        months = random.randint(1, 4) if person.number <= _LONG_HISTORIES else 1
        for back in range(months if sold.retail_cost else 0):
            moment = _months_back(back) + timedelta(hours=1)
            if service["created"] < moment < end:
                title = f"{sold.name} - {moment:%B %Y}"
                charges.append(self._charge(person, sale, title, sold.retail_cost, moment, sold.wholesale_cost))
        return charges

    def _charge(
        self, person: Person, sale: Sale, title: str, cost: Decimal, moment: datetime, wholesale: Decimal = Decimal(0)
    ) -> Row:
        percentage = sale.sold.tax_percentage
        return {
            "customer_id": person.number,
            "service_id": sale.row["service_id"],
            "transaction_type": DEBIT,
            "credit_type": None,
            "title": title,
            "description": sale.row["service_name"],
            "transaction_date": moment,
            "currency": self.currency,
            "retail_cost": cost,
            "wholesale_cost": wholesale,
            "tax_percentage": percentage,
            "tax_amount": tax_of(cost, percentage, self.currency),
            "void": False,
            "created": moment,
            "last_modified": moment,
        }

    def _credit(self, person: Person, sale: Sale, random: Random) -> None:
        moment = TODAY - timedelta(days=random.randint(0, 15), hours=3)
        credit = self._charge(person, sale, "Goodwill for a slow week", Decimal("-10.00"), moment)
        credit |= {"transaction_type": CREDIT, "credit_type": "Goodwill", "void": random.random() < 0.25}
        credit |= {"tax_percentage": Decimal(0), "tax_amount": Decimal(0)}
        self.charges.append((credit, None))

    def _invoice(self, person: Person, month: datetime, charges: list[Row], random: Random) -> None:
        made = _next_month(month) + timedelta(hours=2)
        subtotal = sum((charge["retail_cost"] for charge in charges), Decimal(0))
        tax = sum((charge["tax_amount"] for charge in charges), Decimal(0))
        last_day = (_next_month(month) - timedelta(days=1)).date()
        invoice: Row = {
            "customer_id": person.number,
            "title": f"Invoice for {month.date()} - {last_day}",
            "start_date": month.date(),
            "end_date": last_day,
            "due_date": (made + _DUE).date(),
            "currency": self.currency,
            "subtotal": subtotal,
            "tax_amount": tax,
            "retail_cost": subtotal + tax,
            "paid": False,
            "paid_date": None,
            "void": random.random() < 0.02,
            "payment_method": None,
            "payment_reference": None,
            "refund_reference": None,
            "created": made,
            "last_modified": made,
        }
        self.invoices.append(invoice)
        # The charges of a voided invoice are open again.
        self.charges += [(charge, None if invoice["void"] else invoice) for charge in charges]
        if not invoice["void"] and random.random() < (0.9 if made < _MONTH_START - _DUE else 0.5):
            self._pay(invoice, charges[0], random)

    def _pay(self, invoice: Row, line: Row, random: Random) -> None:
        paid = min(invoice["created"] + timedelta(days=random.randint(1, 20), hours=5), TODAY - timedelta(hours=1))
        number = len(self.invoices)
        invoice |= {
            "paid": True,
            "paid_date": paid,
            "payment_method": random.choice(_METHODS),
            "payment_reference": f"demo-{number:06d}",
            "refund_reference": f"demo-refund-{number:06d}" if random.random() < 0.01 else None,
            "last_modified": paid,
        }
        payment = {
            **line,
            "service_id": None,
            "transaction_type": CREDIT,
            "credit_type": "Card" if invoice["payment_method"] == "Card" else "Bank Transfer",
            "title": "Payment for Invoice",
            "description": f"Paid by {invoice['payment_method']}",
            "transaction_date": paid,
            "retail_cost": -invoice["retail_cost"],
            "wholesale_cost": Decimal(0),
            "tax_percentage": Decimal(0),
            "tax_amount": Decimal(0),
            "created": paid,
            "last_modified": paid,
        }
        self.charges.append((payment, invoice))


def _month(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def _next_month(month: datetime) -> datetime:
    return _month(month + timedelta(days=31))


def _months_back(back: int) -> datetime:
    number = TODAY.year * 12 + TODAY.month - 1 - back
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
