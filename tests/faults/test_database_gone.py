"""A database server that is gone for a while: everybody says so, nobody ends, and all goes on when it is back."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.messaging.rules import DUTIES
from tests.faults.proxy import Proxy
from tests.fixtures.house import House, wait_for

TEST = system_actor("test")


@pytest.fixture
def url(every_database_url: dict[str, str]) -> str:
    """A PostgreSQL database, without the proxy."""
    return every_database_url["postgresql"]


@pytest.fixture
def proxy(url: str, house: House) -> Iterator[Proxy]:
    """The proxy through which the house reaches its database."""
    target = make_url(url)
    with Proxy(target.host or "127.0.0.1", target.port or 5432) as proxy:
        through = target.set(host="127.0.0.1", port=proxy.port).update_query_dict({"gssencmode": "disable"})
        house.configure(database={"url": through.render_as_string(hide_password=False)})
        yield proxy


def enqueue(crm: Crm) -> int:
    with crm.as_actor(TEST) as work:
        return work.messaging.enqueue_email("zoe@mail.example", "S", "T")


def status(crm: Crm, number: int) -> str:
    with crm.reading(TEST) as work:
        return work.messaging.get(number).status


def led(crm: Crm) -> set[str]:
    with crm.reading(TEST) as work:
        return {duty.name for duty in work.messaging.leaders() if duty.led}


@pytest.mark.req("PLT-066")
def test_server_worker_outbox_and_leases_outlast_a_database_that_is_gone(house: House, url: str, proxy: Proxy) -> None:
    worker, _ready = house.start("worker")
    server, client = house.serve()
    direct = house.crm(url)
    wait_for(lambda: led(direct) == set(DUTIES), "the leases")
    first = enqueue(direct)
    # There is no mail server: dropped with that reason is as far as a message gets here.
    wait_for(lambda: status(direct, first) == "dropped", "the first message")
    created = client.post("/crm/customer", json={"customer_name": "Before"})
    assert created.status_code == 200

    proxy.cut()
    for path in ("/crm/health", "/crm/health/ready", "/crm/customer"):
        answer = client.get(path)
        assert (path, answer.status_code) == (path, 503)
        assert answer.headers["x-request-id"]
    refused = client.post("/crm/customer", json={"customer_name": "Meanwhile"})
    assert refused.status_code == 503
    assert refused.json()["message"] == "The connection to the database was lost; nothing was changed."
    assert client.get("/crm/health/live").status_code == 200
    waiting = enqueue(direct)
    wait_for(lambda: led(direct) == set(), "the leases to run out")
    assert status(direct, waiting) == "waiting"

    proxy.mend()
    wait_for(lambda: client.get("/crm/health/ready").status_code == 200, "the server")
    wait_for(lambda: led(direct) == set(DUTIES), "the leases again")
    wait_for(lambda: status(direct, waiting) == "dropped", "the message that waited")
    found = client.get("/crm/customer").json()["data"]
    assert [row["customer_name"] for row in found] == ["Before"]
    assert (worker.poll(), server.poll()) == (None, None)
    lines = [json.loads(line) for line in (house.home / "logs" / "worker.log").read_text().splitlines()]
    assert any("waits" in line["message"] and "database" in line["message"] for line in lines)
    direct.close()
