"""Orders of a mobile service in a demo, each for a new customer with a free SIM and number."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.homes import Home

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.identity.actor import Actor
    from omnicrm_tui.provisioning.schemas import EventView, JobView

SLUG = "mobile-sim-only"
"""A product of the demo that `play_psim_only` provisions."""


@dataclass
class NoDispatcher:
    """Starts no job: somebody else runs the play."""

    dispatched: list[int] = field(default_factory=list)

    def dispatch(self, provision_id: int) -> None:
        """Note the job."""
        self.dispatched.append(provision_id)


class Shop:
    """Orders in `home` as the demo's administrator. With `dispatch=False` no job runs by itself."""

    def __init__(self, home: Home, *, dispatch: bool = True) -> None:
        from omnicrm_tui.config_file import load_settings
        from omnicrm_tui.crm import Crm
        from omnicrm_tui.identity.actor import system_actor
        from omnicrm_tui.listing import ListQuery

        os.environ.update(home.env)  # the job's process is told by it where its home is
        self.crm: Crm = Crm.open(load_settings())
        if not dispatch:
            self.crm.dispatcher = NoDispatcher()
        with self.crm.reading(system_actor("bench")) as work:
            self.actor: Actor = work.identity.actor_of_user(work.identity.first_admin_id() or 0, "127.0.0.1")
            found = work.catalog.page(ListQuery(search="Mobile SIM"), 1, 100).rows
            self._product_id = next(row.product_id for row in found if row.product_slug == SLUG)

    def order(self) -> int:
        """Order for a new customer; return the job's number."""
        from omnicrm_tui.customers.schemas import ContactInput, CustomerInput
        from omnicrm_tui.listing import FIRST, ListQuery
        from omnicrm_tui.provisioning.schemas import ProvisionRequest

        with self.crm.as_actor(self.actor) as work:
            made = work.customers.create(CustomerInput(customer_name="Bench"))
            contact = ContactInput(contact_firstname="Bench", contact_email="bench@mail.example")
            work.customers.add_contact(made.customer_id, contact)
        with self.crm.as_actor(self.actor) as work:
            kinds = work.catalog.get(self._product_id).inventory_items
            free = {kind: work.inventory.pickable(kind, ListQuery(), FIRST, 1).rows[0].inventory_id for kind in kinds}
            request = ProvisionRequest(product_id=self._product_id, customer_id=made.customer_id, inventory=free)
            return work.provisioning.start(request).provision_id

    def job(self, provision_id: int) -> JobView:
        """Read a job."""
        with self.crm.reading(self.actor) as work:
            return work.provisioning.get(provision_id)

    def events(self, provision_id: int) -> list[EventView]:
        """Read a job's events."""
        with self.crm.reading(self.actor) as work:
            return list(work.provisioning.events(provision_id))

    def wait(self, provision_id: int, timeout: float = 120.0) -> JobView:
        """Wait until a job is final; it must have succeeded."""
        deadline = time.monotonic() + timeout
        while (job := self.job(provision_id)).provisioning_status == 1:
            if time.monotonic() > deadline:
                raise TimeoutError(f"job {provision_id} does not end")
            time.sleep(0.2)  # the job's own note of its end is what counts: looking must not slow it
        if job.provisioning_status != 0:
            raise RuntimeError(f"job {provision_id} failed: {job.error_message}")
        return job
