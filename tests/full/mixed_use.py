"""A desk in mixed use, as a process of its own that may be killed: `python -m tests.full.mixed_use SEED`.

Prints a line of JSON for each use case after it has committed: what it promised to keep.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from decimal import Decimal

from omnicrm_tui.billing.schemas import InvoiceInput, TransactionInput
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import ContactInput, CustomerChange, CustomerInput
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.opening import open_crm

ADMIN = Actor(ActorKind.STAFF, "mixed use", permissions=frozenset({"admin"}))


class Desk:
    """Does one thing after the other, by chance."""

    def __init__(self, crm: Crm, seed: int) -> None:
        self._crm = crm
        self._chance = random.Random(seed)
        self._seed = seed
        self._number = 0

    def go_on(self) -> None:
        """Do one thing and say what is now to be kept."""
        self._number += 1
        token = f"{self._seed}-{self._number}"
        use: Callable[[str], dict[str, object] | None] = self._chance.choice(
            [self._customer, self._charge, self._charge, self._contact, self._rename, self._invoice, self._message]
        )
        kept = use(token)
        if kept is not None:
            print(json.dumps(kept), flush=True)

    def _anybody(self) -> int:
        return self._chance.randint(1, 20)

    def _customer(self, token: str) -> dict[str, object]:
        data = CustomerInput(customer_name=f"Kept {token}", customer_account_type="Individual")
        with self._crm.as_actor(ADMIN) as work:
            made = work.customers.create(data)
        return {"customer": made.customer_id, "name": f"Kept {token}"}

    def _charge(self, token: str) -> dict[str, object]:
        data = TransactionInput(customer_id=self._anybody(), title=f"Kept {token}", retail_cost=Decimal("12.34"))
        with self._crm.as_actor(ADMIN) as work:
            made = work.billing.add(data)
        return {"transaction": made.transaction_id, "name": f"Kept {token}"}

    def _contact(self, token: str) -> dict[str, object]:
        data = ContactInput(contact_firstname="Kept", contact_lastname=token, contact_types="Billing")
        with self._crm.as_actor(ADMIN) as work:
            made = work.customers.add_contact(self._anybody(), data)
        return {"contact": made.contact_id, "name": token}

    def _rename(self, token: str) -> None:
        with self._crm.as_actor(ADMIN) as work:
            work.customers.update(self._anybody(), CustomerChange(customer_notes=f"Noted {token}"))

    def _invoice(self, token: str) -> dict[str, object] | None:
        today = self._crm.clock.now().date()
        data = InvoiceInput(customer_id=self._anybody(), start_date=today, end_date=today, title=f"Kept {token}")
        try:
            with self._crm.as_actor(ADMIN) as work:
                made = work.billing.add_invoice(data)
        except InvalidInput:
            return None  # nothing to invoice
        return {"invoice": made.invoice_id, "name": f"Kept {token}"}

    def _message(self, token: str) -> dict[str, object]:
        with self._crm.as_actor(ADMIN) as work:
            made = work.messaging.enqueue_sms("+441234567890", f"Kept {token}")
        return {"message": made, "name": f"Kept {token}"}


def main() -> None:
    """Go on until somebody ends this process."""
    crm = open_crm(load_settings())
    desk = Desk(crm, int(sys.argv[1]))
    for _warming_up in range(5):  # the first uses import what they need, and nothing happens meanwhile
        desk.go_on()
    print("ready", flush=True)
    while True:
        desk.go_on()


if __name__ == "__main__":
    main()
