"""A database that is away for a whole minute: all say so, nobody ends, nothing is lost, and all go on by themselves.

A minute is longer than every lease, than a terminal trusts what it knows of its person, and than SQLite waits.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

import httpx
import psutil
import pytest
from sqlalchemy import make_url

from bench.pty_run import PtyProgram
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.messaging.rules import DUTIES
from omnicrm_tui.provisioning.rules import SUCCESS
from tests.crowd.crowd import Place
from tests.crowd.terminals import ANSWER_SECONDS, OMNICRM, add_person, log_in
from tests.faults.proxy import Proxy
from tests.fixtures.house import House, wait_for
from tests.full.slow_job import CUSTOMER, order

pytestmark = [pytest.mark.full, pytest.mark.terminal, pytest.mark.ansible]

TEST = system_actor("test")
OUTAGE_SECONDS = 60.0
LONGEST_ANSWER_SECONDS = 30.0
PORTS = {"postgresql": 5432, "mariadb": 3306}
TROUBLE = re.compile(r"[Nn]othing was changed|cannot be reached")
_never = threading.Event()


def troubled(text: str) -> bool:
    """Tell whether a sentence, or a screen with a box around one, says that the database is away."""
    return bool(TROUBLE.search(re.sub(r"[\s│]+", " ", text)))


class Database(Protocol):
    """A database that can be taken away from everybody but the test."""

    reads: int
    """What the server answers to who only reads, while nobody can write."""

    def take_away(self) -> None:
        """Let nobody change anything."""

    def give_back(self) -> None:
        """Let everybody go on."""


@dataclass
class Server:
    """PostgreSQL or MariaDB behind a proxy: every connection breaks, and none can be made."""

    proxy: Proxy
    reads: int = 503

    def take_away(self) -> None:
        self.proxy.cut()

    def give_back(self) -> None:
        self.proxy.mend()


@dataclass
class File:
    """SQLite whose file another program has locked: who reads goes on, who writes waits, and then does not."""

    connection: sqlite3.Connection
    reads: int = 200

    def take_away(self) -> None:
        self.connection.execute("BEGIN EXCLUSIVE")

    def give_back(self) -> None:
        self.connection.execute("ROLLBACK")


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def database(request: pytest.FixtureRequest, house: House) -> Iterator[tuple[Database, Crm]]:
    """The configured house's database, and a Crm that has its own way to it."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            house.configure()
            connection = sqlite3.connect(house.home / "omnicrm.sqlite", timeout=30, isolation_level=None)
            stack.callback(connection.close)
            crm = house.crm()
            stack.callback(crm.close)
            yield File(connection), crm
            return
        url = request.getfixturevalue("every_database_url")[request.param]
        target = make_url(url)
        proxy = stack.enter_context(Proxy(target.host or "127.0.0.1", target.port or PORTS[request.param]))
        through = target.set(host="127.0.0.1", port=proxy.port)
        if request.param == "postgresql":
            through = through.update_query_dict({"gssencmode": "disable"})
        house.configure(database={"url": through.render_as_string(hide_password=False)})
        crm = house.crm(url)
        stack.callback(crm.close)
        yield Server(proxy), crm


def led(crm: Crm) -> set[str]:
    with crm.reading(TEST) as work:
        return {duty.name for duty in work.messaging.leaders() if duty.led}


@contextmanager
def terminal(place: Place) -> Iterator[PtyProgram]:
    """Somebody who is logged in."""
    with PtyProgram([OMNICRM], columns=100, rows=30, env=place.env) as program:
        log_in(program, "ada")
        yield program


@pytest.mark.req("PLT-066")
def test_terminals_server_worker_and_job_outlast_a_minute(house: House, database: tuple[Database, Crm]) -> None:
    outage, crm = database
    worker, _ready = house.start("worker")
    server, client = house.serve()
    wait_for(lambda: led(crm) == set(DUTIES), "the leases")
    job = order(house, crm, client)
    place = Place(house.home)
    add_person(place, "ada")
    with terminal(place) as writer, terminal(place) as watcher:
        watcher.write(b"gw")
        watcher.wait_for("Latest", "Sessions", timeout=ANSWER_SECONDS)
        writer.write(b"n")
        writer.wait_for("New customer", timeout=ANSWER_SECONDS)
        writer.write(b"Zoe Terminal")
        writer.wait_for("Zoe Terminal", timeout=ANSWER_SECONDS)

        outage.take_away()
        since = time.monotonic()
        writer.write(b"\x13")
        writer.wait_until(lambda: troubled(writer.text), timeout=ANSWER_SECONDS)
        job.let_it_go_on()
        wait_for(lambda: job.has_ended_its_play, "the play goes on without the database")
        while time.monotonic() - since < OUTAGE_SECONDS:
            assert asked(client, "POST", "/crm/customer", {"customer_name": "Meanwhile"}) == 503
            assert asked(client, "GET", "/crm/customer") == outage.reads
            assert asked(client, "GET", "/crm/health/ready") == outage.reads
            assert asked(client, "GET", "/crm/health/live") == 200
            writer.take()
            watcher.take()
            _never.wait(0.5)
        assert led(crm) == set()
        assert job.is_running()
        assert "Zoe Terminal" in writer.text
        outage.give_back()

        wait_for(lambda: asked(client, "GET", "/crm/health/ready") == 200, "the server")
        wait_for(lambda: led(crm) == set(DUTIES), "the leases again")
        wait_for(lambda: not job.is_running(), "the job's end")
        seen, events = job.seen()
        assert (seen.provisioning_status, seen.status_reason, seen.error_message) == (SUCCESS, "finished", None)
        assert [event.provisioning_status for event in events] == [SUCCESS] * 3
        writer.write(b"\x13")
        writer.wait_for("Zoe Terminal #", timeout=ANSWER_SECONDS)
        watcher.write(b"r")
        watcher.wait_until(lambda: not troubled(watcher.text) and "Sessions" in watcher.text, timeout=ANSWER_SECONDS)
        assert all(psutil.pid_exists(program.pid) for program in (writer, watcher))
    assert (worker.poll(), server.poll()) == (None, None)
    names = [row["customer_name"] for row in client.get("/crm/customer").json()["data"]]
    assert sorted(names) == [CUSTOMER, "Zoe Terminal"]


def asked(client: httpx.Client, method: str, path: str, body: dict[str, str] | None = None) -> int:
    """Ask the server, and return the status of an answer that came in time and is a sentence where it is no."""
    begun = time.monotonic()
    answer = client.request(method, path, json=body)
    assert time.monotonic() - begun < LONGEST_ANSWER_SECONDS
    told = answer.json()
    if answer.status_code == 503:
        assert troubled(told.get("message") or told["database"]), told
    return answer.status_code
