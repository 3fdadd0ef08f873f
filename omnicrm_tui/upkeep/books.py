"""The books: what can be added up again from the rows alone, and must come out the same everywhere.

Amounts are in ten-thousandths, as in the portable form of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from gettext import gettext as _
from typing import Any

from omnicrm_tui.database.rows import Row
from omnicrm_tui.upkeep.archive import TableHead

MOST_TOLD = 20
"""Problems of one kind that are told one by one; nobody reads the thousandth."""


class Books:
    """Sees every row once, and says what does not add up."""

    def __init__(self) -> None:
        self.balances: dict[tuple[int, str], int] = defaultdict(int)
        """What each customer was charged, less credits, by currency; void transactions left out."""
        self.invoiced: dict[tuple[int, str], int] = defaultdict(int)
        """What each customer was invoiced, by currency; void invoices left out."""
        self.reserved = 0
        """Items that jobs hold or have touched."""
        self._lines: dict[int, int] = defaultdict(int)
        self._taxes: dict[int, int] = defaultdict(int)
        self._line_owners: dict[int, set[int]] = defaultdict(set)
        self._invoices: dict[int, tuple[Any, ...]] = {}
        self._owners: dict[int, int] = {}
        self._problems: list[str] = []
        self._looks: dict[str, Callable[[dict[str, int], Row], None]] = {
            "customer_service": self._service,
            "customer_invoice": self._invoice,
            "customer_transaction": self._transaction,
            "inventory": self._item,
        }

    def see(self, head: TableHead, batch: Sequence[Row]) -> None:
        """Take some rows of a table into account."""
        if look := self._looks.get(head.name):
            at = {name: place for place, name in enumerate(head.columns)}
            for row in batch:
                look(at, row)

    def problems(self) -> list[str]:
        """Return, one sentence each, what does not add up."""
        found = list(self._problems)
        for invoice_id, (customer_id, subtotal, tax, total) in self._invoices.items():
            if subtotal + tax != total:
                found.append(_("Invoice {number}: subtotal and tax are not its total.").format(number=invoice_id))
            # A payment is a credit on the invoice that it settles; it is not one of the lines that were added up.
            if self._lines[invoice_id] not in (subtotal, subtotal - total) or self._taxes[invoice_id] != tax:
                found.append(_("Invoice {number}: its lines do not add up to it.").format(number=invoice_id))
            if self._line_owners[invoice_id] - {customer_id}:
                found.append(_("Invoice {number} has lines of another customer.").format(number=invoice_id))
        if len(found) > MOST_TOLD:
            found[MOST_TOLD:] = [_("and {number} more").format(number=len(found) - MOST_TOLD)]
        return found

    def totals(self) -> dict[str, tuple[int, int]]:
        """Return for each currency the sum of all balances and of all invoices."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for place, amounts in enumerate((self.balances, self.invoiced)):
            for (_customer, currency), amount in amounts.items():
                sums[currency][place] += amount
        return {currency: (charged, invoiced) for currency, (charged, invoiced) in sorted(sums.items())}

    def _service(self, at: dict[str, int], row: Row) -> None:
        self._owners[row[at["service_id"]]] = row[at["customer_id"]]

    def _invoice(self, at: dict[str, int], row: Row) -> None:
        if row[at["void"]]:
            return
        customer_id, total = row[at["customer_id"]], row[at["retail_cost"]]
        self.invoiced[customer_id, row[at["currency"]]] += total
        self._invoices[row[at["invoice_id"]]] = customer_id, row[at["subtotal"]], row[at["tax_amount"]], total

    def _transaction(self, at: dict[str, int], row: Row) -> None:
        customer_id, invoice_id = row[at["customer_id"]], row[at["invoice_id"]]
        if not row[at["void"]]:
            self.balances[customer_id, row[at["currency"]]] += row[at["retail_cost"]] + row[at["tax_amount"]]
        if invoice_id is not None:
            self._lines[invoice_id] += row[at["retail_cost"]]
            self._taxes[invoice_id] += row[at["tax_amount"]]
            self._line_owners[invoice_id].add(customer_id)

    def _item(self, at: dict[str, int], row: Row) -> None:
        number, service_id, held_by = row[at["inventory_id"]], row[at["service_id"]], row[at["reserved_by"]]
        self.reserved += held_by is not None
        if held_by is None and (row[at["reserved_until"]] is not None or row[at["reserved_from_state"]] is not None):
            self._problems.append(_("Item {number} is held, and no job holds it.").format(number=number))
        if service_id is not None and self._owners.get(service_id) != row[at["customer_id"]]:
            self._problems.append(_("Item {number} is in a service of another customer.").format(number=number))
