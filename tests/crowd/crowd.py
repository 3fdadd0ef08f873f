"""Gathering a crowd, letting it work, and proving that nothing was lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from omnicrm_tui import opening
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.models import Customer
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.identity.actor import system_actor
from tests.crowd.member import SHARED

ROOT = Path(__file__).parents[2]
START_SECONDS = 300.0
"""Fifty interpreters on two busy processors take their time to start; only then does the clock run."""


@dataclass(frozen=True)
class Place:
    """A home whose database the crowd shares."""

    home: Path

    @property
    def env(self) -> dict[str, str]:
        """What a process that works there finds in its environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNICRM")}
        return {**kept, "OMNICRM_HOME": str(self.home), "OMNICRM_CONFIG": "", "PYTHONPATH": str(ROOT)}

    def crm(self) -> Crm:
        """Open the database."""
        return Crm.open(load_settings(self.env))


def make_place(home: Path, url: str, customers: int = 200) -> Place:
    """Make a home on an empty database at `url`, with some customers; the first is the one that is counted on."""
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text(json.dumps({"database": {"url": url}}))
    place = Place(home)
    opening.upgrade(load_settings(place.env))
    crm = place.crm()
    with crm.as_actor(system_actor("set-up")) as work:
        for number in range(customers):
            work.customers.create(CustomerInput(customer_name=f"Here before {number:04d}"))
    crm.close()
    return place


def let_work(place: Place, readers: int, writers: int, seconds: float) -> list[dict[str, Any]]:
    """Let that many work at once for so long, and return their reports."""
    roles = [("reader", f"r{at}") for at in range(readers)] + [("writer", f"w{at}") for at in range(writers)]
    members = [_start(place, *role, seconds) for role in roles]
    try:
        deadline = time.monotonic() + START_SECONDS
        for member in members:
            assert member.stdout is not None
            assert member.stdout.readline() == "ready\n", member.communicate()[1]
            assert time.monotonic() < deadline, "the crowd did not gather"
        for member in members:
            assert member.stdin is not None
            member.stdin.write("go\n")
            member.stdin.flush()
        return [_report(member, seconds) for member in members]
    finally:
        for member in members:
            member.kill()
            member.communicate()


def _start(place: Place, role: str, name: str, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crowd.member", role, name, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=place.env,
        cwd=ROOT,
    )


def _report(member: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    out, err = member.communicate(timeout=seconds + 120)
    assert (member.returncode, err) == (0, ""), err
    report: dict[str, Any] = json.loads(out)
    return report


def check_nothing_lost(place: Place, reports: list[dict[str, Any]]) -> None:
    """Check that nobody met an error, and that what was acknowledged is there exactly once, and nothing beside it."""
    errors = [f"{report['name']}: {error}" for report in reports for error in report["errors"]]
    assert not errors, "\n".join(errors)
    assert all(report["reads"] for report in reports)
    made = [name for report in reports for name in report["made"]]
    crm = place.crm()
    with crm.reading(system_actor("test")) as work:
        names = Counter(work.session.scalars(select(Customer.customer_name)))
        counted = int(work.customers.get(SHARED).customer_notes or 0)
    crm.close()
    there = Counter({name: n for name, n in names.items() if not name.startswith("Here before")})
    lost, more = Counter(made) - there, there - Counter(made)
    assert not lost, f"acknowledged and not there: {lost}"
    assert not more, f"there and not acknowledged, or twice: {more}"
    told = sum(report["counted"] for report in reports)
    assert counted == told, f"{told} changes were acknowledged, {counted} are there"
    assert made
    assert counted


def summary(reports: list[dict[str, Any]]) -> str:
    """Return what was done, for whoever reads the output of a long run."""
    made, counted = sum(len(report["made"]) for report in reports), sum(report["counted"] for report in reports)
    reads, slowest = sum(report["reads"] for report in reports), max(report["slowest"] for report in reports)
    return f"{len(reports)} at once: {reads} rounds of reading, {made} made, {counted} counted, slowest {slowest:.2f} s"
