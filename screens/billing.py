"""The billing room: the transactions of all customers (CAT-270)."""

from __future__ import annotations

from gettext import gettext as _

from textual.app import ComposeResult

from screens.base import CrmScreen
from screens.transactions import Transactions


class BillingScreen(CrmScreen):
    """All transactions, newest first. They are added on a customer's page."""

    TITLE = _("Billing")

    def body(self) -> ComposeResult:
        yield Transactions()

    def on_mount(self) -> None:
        self.query_one(Transactions).table.focus()
