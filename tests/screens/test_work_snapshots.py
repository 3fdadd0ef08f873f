"""How ordering, jobs, stock, products and the lab look, small and large, in the three themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import ServiceInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.lab.store import Store
from tests.fixtures.pictures import Compare
from tests.screens.harness import press, screen_text, settled, signed_in_app, until
from tests.screens.shop import FakeJob, failed_job, open_shop, start_job
from tests.screens.test_snapshots import SIZES, in_each_look

Way = Callable[[Pilot[None]], Awaitable[None]]


def place(name: str, identity: int, *pressed: str) -> Way:
    """Return the way to what is opened by number, then keys."""

    async def go(pilot: Pilot[None]) -> None:
        pilot.app.open_place(name, identity)  # type: ignore[attr-defined]
        await settled(pilot)
        await press(pilot, *pressed)

    return go


def room(name: str, *pressed: str) -> Way:
    """Return the way to a room, then keys."""

    async def go(pilot: Pilot[None]) -> None:
        pilot.app.go(name)  # type: ignore[attr-defined]
        await settled(pilot)
        await press(pilot, *pressed)

    return go


PICKER = (("enter",), ("8944000000000000003", "1 of 3", "2 to choose"))
SECOND = (("enter",), ("+44770000003", "1 of 3", "1 to choose"))
RENEWAL = (("enter", "enter"), ("auto-renewal",))
REVIEW = (("y",), ("( Confirm & Provision )",))
ACCEPTED = (("space",), ("[ Confirm & Provision ]",))
WHICH = (("enter",), ("Which service should receive this add-on?", "Tablet"))
ADDON = (("down", "enter"), ("Tablet (ID: 2)", "Confirm & Provision"))
DETAILS = (("enter",), ("Details of the order", "Installation date"))


def asking(way: Way, *steps: tuple[tuple[str, ...], tuple[str, ...]]) -> Way:
    """Return the way to a dialog: from where `way` leads, keys, and all that they lead to, for each step."""

    async def go(pilot: Pilot[None]) -> None:
        await way(pilot)
        for pressed, shown in steps:
            await pilot.press(*pressed)
            await until(pilot, lambda shown=shown: all(text in screen_text(pilot.app) for text in shown))  # type: ignore[misc]

    return go


PLANS, ADDONS = place("catalogue", 1, "1"), place("catalogue", 1, "2")
DIALOGS: dict[str, Way] = {
    "order-details": asking(place("catalogue", 2, "1"), DETAILS),
    "picker": asking(PLANS, PICKER),
    "picker-second": asking(PLANS, PICKER, SECOND),
    "renewal": asking(PLANS, PICKER, SECOND, RENEWAL),
    "review": asking(PLANS, PICKER, SECOND, RENEWAL, REVIEW),
    "review-accepted": asking(PLANS, PICKER, SECOND, RENEWAL, REVIEW, ACCEPTED),
    "choose-service": asking(ADDONS, WHICH),
    "review-addon": asking(ADDONS, WHICH, ADDON),
    "choose-customer": asking(place("catalogue", 0), (("a", *"person"), ("Matching customers:", "Åse Ünlü"))),
    "choose-kind": asking(room("inventory"), (("n",), ("Mobile Number",))),
    "item-new": asking(room("inventory"), (("n",), ("Mobile Number",)), (("down", "enter"), ("New SIM Card",))),
    "job-cancel": asking(place("job", 1), (("x",), ("Cancel job 1?",))),
}
"""These wait for an answer in a worker, so the three looks are compared without waiting for it to end."""

WAYS: dict[str, Way] = {
    "catalogue": place("catalogue", 1),
    "catalogue-terms": place("catalogue", 1, "t"),
    "catalogue-none": place("catalogue", 0, "3"),
    "job-failed": place("job", 1),
    "job-detail": place("job", 1, "right", "enter"),
    "job-output": place("job", 1, "right", "enter", "o"),
    "job-running": place("job", 2),
    "jobs": room("jobs"),
    "inventory": room("inventory"),
    "item": place("item", 1),
    "item-edit": place("item", 1, "e"),
    "products": room("products"),
    "product": place("product", 1),
    "product-pricing": place("product", 1, "2"),
    "product-configuration": place("product", 1, "3"),
    "lab": room("lab", "2"),
    "lab-message": room("lab", "2", "enter"),
    "lab-switch": room("lab", "2", "w"),
}


@pytest.fixture
def busy_shop(crm: Crm, admin: Actor, clock: FrozenClock) -> Crm:
    """A shop with a failed job, a running one, and a lab that received something."""
    open_shop(crm, admin)
    failed_job(crm, admin)
    running = FakeJob(crm, start_job(crm, admin, 3, 4))
    running.task("Load the configuration")
    running.begin("Check the request")
    store = Store(crm.settings.lab_folder, clock)
    store.record("hss", "PUT", "PUT /subscriber/234100000000001", {"body": {"imsi": "234100000000001"}}, "200 OK")
    store.close()
    return crm


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", WAYS)
async def test_a_screen_looks_as_it_did(
    busy_shop: Crm, admin: Actor, same_picture: Compare, name: str, size: str
) -> None:
    async with signed_in_app(busy_shop, admin, SIZES[size]) as pilot:
        await WAYS[name](pilot)
        await in_each_look(pilot, same_picture, f"{name}-{size}")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DIALOGS)
async def test_what_is_asked_looks_as_it_did(
    crm: Crm, admin: Actor, same_picture: Compare, name: str, size: str
) -> None:
    open_shop(crm, admin)
    if name.startswith("job"):
        FakeJob(crm, start_job(crm, admin)).begin("Load the configuration")
    with crm.as_actor(admin) as work:
        tablet = ServiceInput(customer_id=1, service_name="Tablet", service_type="mobile", service_uuid="Mobile_2")
        work.customer_services.create(tablet)
    async with signed_in_app(crm, admin, SIZES[size]) as pilot:
        await DIALOGS[name](pilot)
        await in_each_look(pilot, same_picture, f"{name}-{size}", dialog=True)


@pytest.mark.parametrize("size", SIZES)
async def test_a_job_that_ended_well_looks_as_it_did(crm: Crm, admin: Actor, same_picture: Compare, size: str) -> None:
    open_shop(crm, admin)
    number = start_job(crm, admin)
    job = FakeJob(crm, number)
    for name in ("Load the configuration", "Create the charging account", "Create the HSS subscriber"):
        job.task(name)
    job.task("Look for an earlier service", skipped=True)
    job.task("Send the welcome SMS", 3, msg="the SMS centre does not answer")
    with crm.as_actor(admin) as work:
        made = ServiceInput(
            customer_id=1, service_name="Mobile 20GB - +44770000001", service_type="mobile", service_uuid="Mobile_SIM_9"
        )
        service = work.customer_services.create(made)
        work.provisioning.attach_service(number, service.service_id, "Mobile_SIM_9")
    job.finish()
    async with signed_in_app(crm, admin, SIZES[size]) as pilot:
        await place("job", number)(pilot)
        await until(pilot, lambda: "Service successfully provisioned" in screen_text(pilot.app))
        await in_each_look(pilot, same_picture, f"job-succeeded-{size}")
