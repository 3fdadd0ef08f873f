"""A storm of log-ins waits in line, and everybody else is answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from omnicrm_tui.api import turns
from omnicrm_tui.api.server import THREADS, ApiServer
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity import passwords
from tests.fixtures.house import wait_for

GUESS = {"email": "nobody@mail.example", "password": "guess"}
STORM = 2 * THREADS


class SlowHashes:
    """Hashes that take until they are told to end; `begun` counts them."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = threading.Event()

    def verify(self, _known: str | None, _given: str) -> bool:
        """Wait, then say no."""
        self.begun += 1
        assert self.go_on.wait(60)
        return False


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowHashes]:
    """Hashes that somebody has to let go on."""
    hashes = SlowHashes()
    monkeypatch.setattr(passwords, "verify", hashes.verify)
    yield hashes
    hashes.go_on.set()


@pytest.fixture
def client(crm: Crm) -> Iterator[httpx.Client]:
    """A client of a running server."""
    with ApiServer(crm) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def log_ins(client: httpx.Client, pool: ThreadPoolExecutor, number: int) -> list[Future[httpx.Response]]:
    return [pool.submit(client.post, "/crm/auth/login", json=GUESS | {"email": str(each)}) for each in range(number)]


def test_who_waits_to_have_a_password_hashed_keeps_no_thread_from_others(
    client: httpx.Client, slow: SlowHashes
) -> None:
    with ThreadPoolExecutor(STORM) as pool:
        storm = log_ins(client, pool, STORM)
        wait_for(lambda: slow.begun == passwords.AT_ONCE + 1, "the first log-ins")
        assert client.get("/crm/health").status_code == 200
        assert not any(one.done() for one in storm)
        assert slow.begun == passwords.AT_ONCE + 1
        slow.go_on.set()
        assert {one.result().status_code for one in storm} == {401}
    assert slow.begun == STORM


def test_a_line_that_is_too_long_takes_nobody_more(
    client: httpx.Client, slow: SlowHashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 3)
    waiting, more = passwords.AT_ONCE + 1 + 3, 4
    with ThreadPoolExecutor(STORM) as pool:
        storm = log_ins(client, pool, waiting + more)
        wait_for(lambda: sum(one.done() for one in storm) == more, "those that are turned away")
        turned_away = [one.result() for one in storm if one.done()]
        slow.go_on.set()
        answers = [one.result().status_code for one in storm]
    assert sorted(answers) == [401] * waiting + [429] * more
    assert {answer.headers["retry-after"] for answer in turned_away} == {"15"}
