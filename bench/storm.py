"""Fifty people log in at once, and somebody else goes on working: how long a hash takes, and how long other calls."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

from bench.homes import EMAIL, OMNICRM, PASSWORD, Home, demo_home
from bench.job import SMALL
from bench.report import Row, median, p95

PEOPLE = 50
HASHES = 9
BETWEEN_SECONDS = 0.1
"""Ten calls a second: what some people at work make of it."""
PATHS = ("/crm/customer?per_page=25", "/crm/customer/1", "/crm/product", "/crm/inventory?per_page=25")
_STORM_PASSWORD = "Storm-Horse9!"


def run() -> list[Row]:
    """Hash alone, then let all log in at the same moment beside one caller's requests."""
    hashing = [_hash() for _ in range(HASHES)]
    home = demo_home(SMALL)
    names = _people(home)
    with _server(home) as address:
        token = _answer(address, "POST", "/crm/auth/login", {"email": EMAIL, "password": PASSWORD})["token"]
        for path in PATHS:
            _answer(address, "GET", path, token=token)
        calls, seconds = _storm(address, names, token)
    what = f"API call beside {PEOPLE} log-ins at once, all in {seconds:.1f} s ({len(calls)} calls"
    return [
        Row("one password hash (100 to 300 ms)", median(hashing), 300, least=100),
        Row(f"{what}, median {median(calls):.0f} ms), p95", p95(calls), 200),
    ]


def _hash() -> float:
    from omnicrm_tui.identity import passwords

    begin = time.perf_counter()
    passwords.hash_password(_STORM_PASSWORD)
    return (time.perf_counter() - begin) * 1000


def _people(home: Home) -> list[str]:
    """Make the people; return their addresses."""
    from omnicrm_tui.config_file import load_settings
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.identity.actor import system_actor
    from omnicrm_tui.identity.schemas import UserInput

    crm = Crm.open(load_settings({**os.environ, **home.env}))
    names = [f"storm{number}@demo.example" for number in range(PEOPLE)]
    for name in names:
        fields = {"username": name, "email": name, "first_name": "Storm", "last_name": "Storm", "role": "Support"}
        with crm.as_actor(system_actor("bench")) as work:
            work.identity.create_user(UserInput(password=_STORM_PASSWORD, **fields))
    crm.close()
    return names


@contextmanager
def _server(home: Home) -> Iterator[str]:
    """Serve the home as an operator does, in a process of its own; yield host and port."""
    environment = {**os.environ, **home.env}
    server = subprocess.Popen([OMNICRM, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        yield urlsplit(json.loads(server.stdout.readline())["api"]).netloc
    finally:
        server.terminate()
        server.wait(30)


def _storm(address: str, names: list[str], token: str) -> tuple[list[float], float]:
    """Return how many milliseconds each call took while people logged in, and the seconds until all had."""
    calls: list[float] = []

    def log_in(name: str) -> None:
        _answer(address, "POST", "/crm/auth/login", {"email": name, "password": _STORM_PASSWORD})

    def call(path: str, due: float) -> None:
        _answer(address, "GET", path, token=token)
        calls.append((time.perf_counter() - due) * 1000)

    with ThreadPoolExecutor(2 * PEOPLE) as pool:
        begin = time.perf_counter()
        people = [pool.submit(log_in, name) for name in names]
        callers = []
        # By the clock, not one after the other's answer: a call that waits must not keep others from being counted.
        while not all(one.done() for one in people):
            due = begin + len(callers) * BETWEEN_SECONDS
            time.sleep(max(0.0, due - time.perf_counter()))
            callers.append(pool.submit(call, PATHS[len(callers) % len(PATHS)], due))
        seconds = time.perf_counter() - begin
        for one in [*people, *callers]:
            one.result()
    return calls, seconds


def _answer(address: str, method: str, path: str, body: object = None, token: str = "") -> dict[str, str]:
    """Call over a connection of its own, as somebody new does; raises RuntimeError for all but 200."""
    connection = http.client.HTTPConnection(address, timeout=120)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
    found: dict[str, str] = json.loads(text)
    return found
