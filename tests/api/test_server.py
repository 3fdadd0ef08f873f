"""The API on a real socket."""

from __future__ import annotations

import socket
import threading

import httpx
import pytest

from omnicrm_tui.api.server import ApiServer, listen
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import OutsideSystemError


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
