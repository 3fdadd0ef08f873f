"""A small shop for the tests of screens: kinds, items, products and one job writer that needs no Ansible."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, system_actor
from omnicrm_tui.inventory.schemas import ItemInput, TemplateInput
from omnicrm_tui.provisioning.models import Provision
from omnicrm_tui.provisioning.progress import EventRecord, JobEnd, JobProgress
from omnicrm_tui.provisioning.schemas import ProvisionRequest
from tests.fixtures.operator import RecordingDispatcher
from tests.screens.people import add_people

KI = "465B5CE8B199B49FAA5F0A2EE238A6BC"
MOBILE, BUSINESS_LINE, ADDON, PROMO = 1, 2, 3, 4
"""The products' numbers."""


def open_shop(crm: Crm, admin: Actor) -> RecordingDispatcher:
    """Add the people, four products and six items; jobs go to the dispatcher that is returned, and wait."""
    dispatcher = RecordingDispatcher()
    crm.dispatcher = dispatcher
    add_people(crm, admin)
    with crm.as_actor(admin) as work:
        for name, first, second in (("SIM Card", "ICCID", "IMSI"), ("Mobile Number", "Phone Number", "Region")):
            work.inventory.create_template(
                TemplateInput(
                    item=name, itemtext1_label=first, itemtext2_label=second, wholesale_cost="1.50", retail_cost="5"
                )
            )
        for at in range(1, 4):
            work.inventory.create(
                ItemInput(
                    item="SIM Card",
                    itemtext1=f"894400000000000000{at}",
                    itemtext2=f"23410000000000{at}",
                    item_location="Store North",
                    ki=KI,
                )
            )
            work.inventory.create(ItemInput(item="Mobile Number", itemtext1=f"+4477000000{at}", item_state="In Stock"))
        _add_products(work)
    return dispatcher


def _add_products(work: Any) -> None:
    common: dict[str, Any] = {"service_type": "mobile", "provisioning_play": "play_psim_only", "business": False}
    plan = {
        "product_name": "Mobile 20GB",
        "category": "standalone",
        "retail_cost": "15.00",
        "retail_setup_cost": "5.00",
        "tax_percentage": "10",
        "contract_days": 30,
        "auto_renew": "prompt",
        "features_list": "20 GB of data. 1000 minutes. [literal] brackets",
        "terms": "Valid for 30 days.\nNothing is carried over.",
        "inventory_items_list": "['SIM Card', 'Mobile Number']",
    }
    work.catalog.create(ProductInput(**(common | plan)))
    line = {"product_name": "Business Line", "category": "standalone", "business": True, "residential": False}
    work.catalog.create(ProductInput(**(common | line)))
    addon = {"product_name": "Extra 5GB", "category": "addon", "provisioning_play": "play_simple_service"}
    work.catalog.create(ProductInput(**(common | addon | {"retail_cost": "4.00"})))
    promo = {"product_name": "Old Promo", "category": "promo", "enabled": False}
    work.catalog.create(ProductInput(**(common | promo)))


def start_job(crm: Crm, admin: Actor, sim: int = 1, number: int = 2, **variables: object) -> int:
    """Order the mobile plan for the first customer; return the job's number."""
    chosen = {"SIM Card": sim, "Mobile Number": number}
    with crm.as_actor(admin) as work:
        request = ProvisionRequest(product_id=MOBILE, customer_id=1, inventory=chosen, variables=variables)
        return work.provisioning.start(request).provision_id


class FakeJob:
    """Writes what a job's process would, a task at a time; a task takes half a second of the stopped clock."""

    def __init__(self, crm: Crm, provision_id: int) -> None:
        self._crm = crm
        self.progress = JobProgress(crm, provision_id, "test")
        self._number = 0
        assert self.progress.claim(1) is not None
        with crm.as_actor(system_actor("test")) as work:
            named = {"playbook_description": "Mobile service", "task_count": 5}
            work.session.execute(update(Provision).where(Provision.provision_id == provision_id).values(named))

    def begin(self, name: str, phase: str = "main") -> int:
        """Report a task as running; return its number."""
        self._number += 1
        self._write(self._number, name, phase, 1, {})
        return self._number

    def end(self, number: int, name: str, outcome: int = 0, phase: str = "main", **result: object) -> None:
        """Report the end of a task."""
        self._write(number, name, phase, outcome, result)

    def task(self, name: str, outcome: int = 0, phase: str = "main", **result: object) -> None:
        """Report a task from its beginning to its end."""
        self.end(self.begin(name, phase), name, outcome, phase, **result)

    def finish(self, status: int = 0, reason: str = "finished", message: str | None = None) -> None:
        """End the job."""
        self.progress.finish(JobEnd(status, reason, message, {}))

    def _write(self, number: int, name: str, phase: str, status: int, result: dict[str, object]) -> None:
        now = self._crm.clock.now()
        finished = None if status == 1 else now + timedelta(seconds=0.5)
        self.progress.record(EventRecord(number, name, phase, status, result, now, finished))


def failed_job(crm: Crm, admin: Actor) -> int:
    """Order, and let the job fail at its third task and roll back; return its number."""
    number = start_job(crm, admin)
    job = FakeJob(crm, number)
    job.task("Load the configuration")
    job.task("Check the request")
    job.task("Read the product", 2, msg="Status code was 503: the CRM does not answer", status=503)
    job.task("Remove the charging account", phase="rescue")
    job.task("Delete the HSS subscriber", 3, phase="rescue", msg="timed out")
    job.finish(2, "failed", "Read the product: the CRM does not answer")
    return number
