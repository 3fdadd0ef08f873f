"""A job whose play waits half-way until it is told to go on, and which writes at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.provisioning.rules import RUNNING
from omnicrm_tui.provisioning.schemas import EventView, JobView
from tests.fixtures.house import House, wait_for

CUSTOMER = "Who orders"

_TEST = system_actor("test")
_PLAY = """
- hosts: localhost
  gather_facts: no
  tasks:
    - {name: Begin, ansible.builtin.copy: {content: begun, dest: FOLDER/begun}}
    - {name: Wait, ansible.builtin.wait_for: {path: FOLDER/go, timeout: 300}}
    - {name: End, ansible.builtin.copy: {content: ended, dest: FOLDER/ended}}
"""


@dataclass(frozen=True)
class SlowJob:
    """A job, and the way to let it go on. `crm` has a way of its own to the database."""

    house: House
    crm: Crm
    number: int

    def let_it_go_on(self) -> None:
        """Let the play go on to its last task."""
        (self.house.home / "go").touch()

    @property
    def has_ended_its_play(self) -> bool:
        """Whether the last task has written."""
        ended = self.house.home / "ended"
        return ended.exists() and ended.read_text() == "ended"

    def seen(self) -> tuple[JobView, Sequence[EventView]]:
        """Return what the database says of it."""
        with self.crm.reading(_TEST) as work:
            return work.provisioning.get(self.number), work.provisioning.events(self.number)

    def is_running(self) -> bool:
        """Tell whether the database says that it runs."""
        return self.seen()[0].provisioning_status == RUNNING


def order(house: House, crm: Crm, client: httpx.Client) -> SlowJob:
    """Order it, of a customer of its own, and wait until its play waits."""
    (house.home / "plays").mkdir()
    (house.home / "plays" / "play_slow.yaml").write_text(_PLAY.replace("FOLDER", str(house.home)))
    with crm.as_actor(_TEST) as work:
        customer = work.customers.create(CustomerInput(customer_name=CUSTOMER))
        slow = ProductInput(product_name="Slow", category="standalone", provisioning_play="play_slow")
        product = work.catalog.create(slow)
    asked = {"product_id": product.product_id, "customer_id": customer.customer_id}
    answer = client.put("/crm/provision", json=asked)
    assert answer.status_code == 200, answer.text
    job = SlowJob(house, crm, int(answer.json()["provision_id"]))
    wait_for(lambda: len(job.seen()[1]) == 2, "the play waits")
    return job
