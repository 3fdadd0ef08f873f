"""How long after Ansible told of a finished task the terminal shows it, and GET answers it."""

from __future__ import annotations

import time

from bench.homes import EMAIL, PASSWORD, Home, demo_home, list_is_complete, remembered
from bench.job import SMALL
from bench.orders import Shop
from bench.pty_run import ENTER, PtyProgram
from bench.report import Row, median, p95

JOBS = 3
_TALL = 60
"""Lines of the terminal: every task of the play is in view."""


def run() -> list[Row]:
    """Watch jobs from their beginning to their end."""
    home = remembered(demo_home(SMALL))
    shop = Shop(home)
    delays = [delay for _ in range(JOBS) for delay in _watched(home, shop)]
    answers = [delay for _ in range(JOBS) for delay in _polled(shop)]
    return [
        Row(f"event {where} after Ansible's ({len(found)} tasks, median {median(found):.0f} ms), p95", p95(found), 300)
        for where, found in (("on screen", delays), ("in GET", answers))
    ]


def _polled(shop: Shop) -> list[float]:
    """Ask the API for a job's events, as often as it answers, and return each finished task's delay in milliseconds."""
    import httpx

    from omnicrm_tui.api.server import ApiServer

    seen: dict[str, float] = {}
    with ApiServer(shop.crm) as server, httpx.Client(base_url=server.url) as client:
        said = client.post("/crm/auth/login", json={"email": EMAIL, "password": PASSWORD}).json()
        client.headers["Authorization"] = f"Bearer {said['token']}"
        number = shop.order()
        running = True
        while running:
            job = client.get(f"/crm/provision/provision_id/{number}").json()
            now = time.time()
            running = job["provisioning_status"] == 1
            for event in job["provisioning_result_json"]:
                if event["provisioning_status"] != 1:
                    seen.setdefault(event["event_name"], now)
            time.sleep(0.02)
    told = {event.event_name: event.finished.timestamp() for event in shop.events(number) if event.finished}
    return [(seen[name] - at) * 1000 for name, at in told.items()]


def _watched(home: Home, shop: Shop) -> list[float]:
    with home.tui(120, _TALL) as program:
        program.wait_until(lambda: list_is_complete(program.text), timeout=30)
        program.settle(idle=1.5)
        number = shop.order()
        program.press(b":")
        program.write(f"job {number}".encode())
        program.wait_for(f"Open job {number}")
        program.write(ENTER)
        program.wait_for("Jobs ›", f"#{number}")
        program.wait_for("successfully provisioned", timeout=60)
        return _delays(program, shop, number)


def _delays(program: PtyProgram, shop: Shop, number: int) -> list[float]:
    """Return for each finished task how many milliseconds later its line said so."""
    shown: dict[str, float] = {}
    watching = 0.0
    for at, screen in program.frames():
        if not watching and f"#{number}" in screen:
            watching = program.started_at + at
        for line in screen.splitlines():
            if line.strip().startswith("✓ done"):
                shown.setdefault(line.split(" s ", 1)[-1].strip(), program.started_at + at)
    events = [event for event in shop.events(number) if "skipped" not in event.provisioning_result_json]
    told = {event.event_name: event.finished.timestamp() for event in events if event.finished}
    missing = told.keys() - shown.keys()
    assert not missing, f"never shown: {missing}"
    return [(shown[name] - at) * 1000 for name, at in told.items() if at > watching]
