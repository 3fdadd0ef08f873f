"""How long after Ansible told of a finished task the terminal shows it, while one watches the job."""

from __future__ import annotations

from bench.homes import Home, demo_home, list_is_complete, remembered
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
    what = f"event on screen after Ansible's ({len(delays)} tasks, median {median(delays):.0f} ms)"
    return [Row(f"{what}, p95", p95(delays), 300)]


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
