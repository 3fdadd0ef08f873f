"""A machine whose clock is put back by an hour below a worker, a server, a job and a terminal: all of them go on.

libfaketime tells them the time that a file says. What each part does is in tests/faults/test_clock_put_back.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.pty_run import PtyProgram
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.messaging.rules import DUTIES
from omnicrm_tui.provisioning.rules import RUNNING, SUCCESS
from tests.crowd.crowd import Place
from tests.crowd.terminals import ANSWER_SECONDS, OMNICRM, PASSWORD, add_person, log_in
from tests.fixtures.house import House, wait_for
from tests.full.slow_job import CUSTOMER, order

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
HOUR = timedelta(hours=1)
TEST = system_actor("test")

pytestmark = [
    pytest.mark.full,
    pytest.mark.terminal,
    pytest.mark.ansible,
    pytest.mark.skipif(LIBRARY is None, reason="needs libfaketime, which is not installed (faketime)"),
]


@dataclass
class Machine:
    """The clock of a machine, for the test itself and for the programs with `variables` in their environment."""

    file: Path
    put: timedelta = timedelta(0)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            # What passes is time; only what the clock says of it was set.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, put: timedelta) -> None:
        """Let the clock be ahead of the world's, or (negative) behind."""
        self.put = put
        written = self.file.with_suffix(".new")
        written.write_text(f"{int(put.total_seconds()):+d}\n")
        written.replace(self.file)

    def now(self) -> datetime:
        """Return what the clock says."""
        return datetime.now(UTC) + self.put


@pytest.mark.req("PLT-066")
def test_nobody_waits_for_the_hour_to_pass_again(house: House, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "clock")
    machine.set(timedelta(0))
    house.more = machine.variables
    house.configure()
    place = Place(house.home)
    add_person(place, "ada")
    worker, _ready = house.start("worker")
    server, client = house.serve()
    crm = Crm.open(load_settings(house.env), clock=machine)
    wait_for(lambda: led(crm) == set(DUTIES), "the leases")
    job = order(house, crm, client)
    tokens = client.post("/crm/auth/login", json={"email": "ada@mail.example", "password": PASSWORD}).json()
    bearer = {"authorization": f"Bearer {tokens['token']}"}
    with PtyProgram([OMNICRM], columns=100, rows=30, env={**place.env, **machine.variables}) as program:
        log_in(program, "ada")
        program.write(b"n")
        program.wait_for("New customer", timeout=ANSWER_SECONDS)
        waiting = [enqueue(crm)]

        machine.set(-HOUR)
        waiting.append(enqueue(crm))
        wait_for(lambda: led(crm) == set(DUTIES), "the leases by the clock as it is now")
        # There is no mail server: dropped with that reason is as far as a message gets here.
        wait_for(lambda: {status(crm, number) for number in waiting} == {"dropped"}, "messages of before and after")
        wait_for(lambda: any("clock was put back" in line for line in said_by(house, "worker")), "the worker's word")
        program.wait_for("put back by 60 min", timeout=ANSWER_SECONDS)
        program.write(b"Zoe Later")
        program.wait_for("Zoe Later", timeout=ANSWER_SECONDS)
        program.write(b"\x13")
        program.wait_for("Zoe Later #", timeout=ANSWER_SECONDS)

    assert client.get("/crm/customer", headers=bearer).status_code == 200
    assert client.post("/crm/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 200
    assert job.seen()[0].provisioning_status == RUNNING
    job.let_it_go_on()
    wait_for(lambda: not job.is_running(), "the job's end")
    seen, events = job.seen()
    assert (seen.provisioning_status, seen.status_reason, seen.error_message) == (SUCCESS, "finished", None)
    assert [event.provisioning_status for event in events] == [SUCCESS] * 3
    assert seen.finished < seen.created - HOUR / 2, "the job's process has the clock that was put back"
    assert (worker.poll(), server.poll()) == (None, None)
    names = [row["customer_name"] for row in client.get("/crm/customer").json()["data"]]
    assert sorted(names) == [CUSTOMER, "Zoe Later"]
    crm.close()


def led(crm: Crm) -> set[str]:
    """Return the duties that somebody leads."""
    with crm.reading(TEST) as work:
        return {duty.name for duty in work.messaging.leaders() if duty.led}


def enqueue(crm: Crm) -> int:
    with crm.as_actor(TEST) as work:
        return work.messaging.enqueue_email("zoe@mail.example", "S", "T")


def status(crm: Crm, number: int) -> str:
    with crm.reading(TEST) as work:
        return work.messaging.get(number).status


def said_by(house: House, program: str) -> list[str]:
    lines = (house.home / "logs" / f"{program}.log").read_text().splitlines()
    return [json.loads(line)["message"] for line in lines]
