"""The API on a real socket."""

from __future__ import annotations

import json
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy.pool import QueuePool

from omnicrm_tui import logs
from omnicrm_tui.api.server import THREADS, ApiServer, listen
from omnicrm_tui.crm import Crm
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput


@pytest.mark.req("CAT-192")
def test_it_serves_beside_other_work_and_gives_the_port_back(crm: Crm) -> None:
    threads = threading.active_count()
    with ApiServer(crm) as server:
        answer = httpx.get(f"{server.url}/crm/health", timeout=10)
        assert answer.status_code == 200
        assert answer.json()["database"] == "ok"
        assert "server" not in answer.headers
        port = server.port
    listen("127.0.0.1", port).close()
    assert "api" not in {thread.name for thread in threading.enumerate()}
    assert threads >= 1


def test_a_request_on_a_listening_socket_waits_for_the_start(crm: Crm) -> None:
    listener = listen("127.0.0.1", 0)
    server = ApiServer(crm, listener)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as early:
        early.sendall(b"GET /crm/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        server.start()
        assert early.recv(100).startswith(b"HTTP/1.1 200")
    server.stop()
    server.stop()


def test_an_answer_is_not_held_back(crm: Crm) -> None:
    """Two small writes on one connection wait 40 ms for each other unless Nagle's algorithm is off."""
    listener = listen("127.0.0.1", 0)
    ApiServer(crm, listener)
    assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    listener.close()


def test_no_request_waits_for_a_connection(crm: Crm) -> None:
    pool = crm.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.size() + pool._max_overflow >= THREADS
    with ApiServer(crm) as server:
        gate = threading.Barrier(2 * THREADS)

        def ask(_: int) -> int:
            gate.wait(20)
            return httpx.get(f"{server.url}/crm/health", timeout=20).status_code

        with ThreadPoolExecutor(2 * THREADS) as threads:
            assert set(threads.map(ask, range(2 * THREADS))) == {200}


def test_a_port_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OutsideSystemError, match=f"Cannot listen on 127.0.0.1, port {port}"):
            listen("127.0.0.1", port)


def test_a_forwarded_address_is_not_believed_by_default(crm: Crm) -> None:
    """Otherwise anybody could pass for a whitelisted address."""
    with ApiServer(crm) as server:
        answer = httpx.get(f"{server.url}/crm/customers", headers={"X-Forwarded-For": "10.0.0.1"}, timeout=10)
        assert answer.status_code in (401, 403)


@pytest.mark.req("PLT-070")
def test_each_request_is_logged_under_the_id_that_its_answer_names(crm: Crm) -> None:
    level = logging.getLogger().level
    logs.begin(crm.settings, "serve")
    try:
        with ApiServer(crm) as server:
            given = httpx.get(f"{server.url}/crm/customer/7?access_token=secret-7", headers={"x-request-id": "mine-1"})
            made = httpx.get(f"{server.url}/nowhere", headers={"x-request-id": "not well formed"})
            httpx.get(f"{server.url}/crm/health/live")
    finally:
        logs.end()
        logging.getLogger().setLevel(level)
    text = (crm.settings.logs_folder / "serve.log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["message"] for line in lines] == ["GET /customer/7", "GET /nowhere"]
    assert [line["request"] for line in lines] == ["mine-1", made.headers["x-request-id"]]
    assert given.headers["x-request-id"] == "mine-1"
    assert [line["status"] for line in lines] == [403, 404]
    assert lines[0]["milliseconds"] > 0
    assert "secret-7" not in text


@pytest.mark.req("PLT-066")
def test_several_servers_know_the_same_sessions(crm: Crm, admin: Actor) -> None:
    """Each request may go to another instance: what they remember is in the database."""
    person = {"username": "ada", "email": "ada@mail.example", "first_name": "Ada", "last_name": "L"}
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        work.identity.create_user(UserInput(password="Right-Horse9", role="System Admin", **person))
    second = Crm(crm.settings, make_engine(crm.settings.database_url), crm.clock, crm.vault)
    with ApiServer(crm) as one, ApiServer(second) as other:
        login = {"email": "ada@mail.example", "password": "Right-Horse9"}
        tokens = httpx.post(f"{one.url}/crm/auth/login", json=login).json()
        bearer = {"authorization": f"Bearer {tokens['token']}"}
        assert httpx.get(f"{other.url}/crm/customer", headers=bearer).status_code == 200
        renewal = {"refresh_token": tokens["refresh_token"]}
        renewed = httpx.post(f"{other.url}/crm/auth/refresh", json=renewal).json()
        bearer = {"authorization": f"Bearer {renewed['token']}"}
        assert httpx.get(f"{one.url}/crm/customer", headers=bearer).status_code == 200
        ended = {"refresh_token": renewed["refresh_token"]}
        assert httpx.post(f"{one.url}/crm/auth/logout", json=ended).status_code == 200
        assert httpx.get(f"{other.url}/crm/customer", headers=bearer).status_code == 401
    second.close()
