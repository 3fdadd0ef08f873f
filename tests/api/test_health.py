"""Health when the database is not well: in time, and in words that a stranger may read."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from omnicrm_tui.api import probe
from omnicrm_tui.api.app import create_app
from omnicrm_tui.api.server import listen
from omnicrm_tui.crm import Crm
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.migrate import HEAD

CRM_ON = Callable[[str], Crm]
OWN_PATIENCE = probe.PATIENCE_SECONDS
"""The product's, which other tests lengthen: their machine may be busy."""
BOTH = ["/crm/health", "/crm/health/ready"]


@pytest.fixture
def crm_on(crm: Crm) -> Iterator[CRM_ON]:
    """Make a Crm on the database at a URL, which need not answer."""
    made: list[Crm] = []

    def make(url: str) -> Crm:
        made.append(Crm(crm.settings, make_engine(url), crm.clock, crm.vault))
        return made[-1]

    yield make
    for other in made:
        other.close()


def test_ready_asks_over_the_connections_that_are_open(any_crm: Crm) -> None:
    client = TestClient(create_app(any_crm))
    assert client.get("/crm/health/ready").status_code == 200
    opened: list[object] = []
    event.listen(any_crm.engine, "connect", lambda connection, _record: opened.append(connection))
    answer = client.get("/crm/health/ready")
    assert (answer.status_code, answer.json()["schema"], answer.json()["schema_state"]) == (200, HEAD, "current")
    assert opened == []


@pytest.mark.req("CAT-192")
@pytest.mark.parametrize("path", BOTH)
def test_a_server_that_cannot_be_reached_is_told_in_our_words(crm_on: CRM_ON, path: str) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    answer = TestClient(create_app(crm_on(f"postgresql+psycopg://keeper:hunter2@127.0.0.1:{port}/ledger"))).get(path)
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["database"] == "The database server cannot be reached: connection refused."
    for secret in ("keeper", "hunter2", "127.0.0.1", str(port), "ledger"):
        assert secret not in answer.text


@pytest.mark.parametrize("path", BOTH)
def test_what_a_driver_says_is_for_the_log(
    crm_on: CRM_ON, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crm = crm_on("mysql+pymysql://keeper@db.example/ledger")

    def refuse(**_: Any) -> None:
        raise pymysql.err.OperationalError(1049, "Unknown database 'ledger' for 'keeper'@'desk-7.example'")

    monkeypatch.setattr(crm.engine.dialect, "connect", refuse)
    answer = TestClient(create_app(crm)).get(path)
    assert answer.status_code == 503
    assert answer.json()["database"] == "The database cannot be used. The log says why."
    for secret in ("ledger", "keeper", "example", "1049"):
        assert secret not in answer.text
    assert "desk-7.example" in caplog.text
    login = TestClient(create_app(crm)).post("/crm/auth/login", json={"email": "a@mail.example", "password": "x"})
    assert login.status_code == 503
    assert login.json()["message"] == "The database cannot be used. The log says why."


@pytest.mark.parametrize("path", BOTH)
def test_a_program_without_a_connection_left_says_so(crm: Crm, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> None:
        raise NoConnectionLeft("QueuePool limit of size 5 overflow 10 reached")

    monkeypatch.setattr(crm.engine.pool, "connect", none_left)
    answer = TestClient(create_app(crm)).get(path)
    assert answer.status_code == 503
    assert answer.json()["database"] == "This program has no connection to the database left; try again."


@pytest.mark.req("CAT-192")
def test_a_database_that_hangs_is_told_before_its_connection_is_given_up(
    crm_on: CRM_ON, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PATIENCE_SECONDS", OWN_PATIENCE)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        crm = crm_on(f"postgresql+psycopg://keeper@127.0.0.1:{silent.getsockname()[1]}/ledger")
        begun = time.monotonic()
        answer = TestClient(create_app(crm)).get("/crm/health/ready")
        # The engine would wait for five seconds.
        assert time.monotonic() - begun < 4
    assert (answer.status_code, answer.json()["database"]) == (503, "The database does not answer in time.")
