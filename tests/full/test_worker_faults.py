"""A worker whose disk is full: its duties end, nothing is lost, and it takes them up again by itself."""

from __future__ import annotations

import json
import resource

import pytest

from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.messaging.rules import DUTIES
from tests.fixtures.house import House, wait_for

pytestmark = pytest.mark.full

TEST = system_actor("test")


@pytest.mark.req("PLT-066")
def test_a_worker_outlasts_a_disk_that_is_full(house: House) -> None:
    house.configure()
    worker, _ready = house.start("worker")
    crm = house.crm()

    def led() -> set[str]:
        with crm.reading(TEST) as work:
            return {duty.name for duty in work.messaging.leaders() if duty.led}

    def status(number: int) -> str:
        with crm.reading(TEST) as work:
            return work.messaging.get(number).status

    wait_for(lambda: led() == set(DUTIES), "the leases")
    hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (1, hard))
    with crm.as_actor(TEST) as work:
        waiting = work.messaging.enqueue_email("zoe@mail.example", "S", "T")
    wait_for(lambda: led() == set(), "the leases to run out")
    assert status(waiting) == "waiting"
    assert worker.poll() is None

    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (hard, hard))
    wait_for(lambda: led() == set(DUTIES), "the leases again")
    # There is no mail server: dropped with that reason is as far as a message gets here.
    wait_for(lambda: status(waiting) == "dropped", "the message that waited")
    log = [json.loads(line) for line in (house.home / "logs" / "worker.log").read_text().splitlines()]
    assert any(line["message"].endswith("lines could not be written") for line in log)
    crm.close()
