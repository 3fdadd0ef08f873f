"""kill -9 of processes in mixed use at a hundred moments: nothing that was promised is lost, all of it agrees.

`OMNICRM_KILLS` sets another number of moments.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.demo.build import make_demo
from omnicrm_tui.demo.catalogue import EMAIL, PASSWORD
from omnicrm_tui.doctor.examine import examine
from omnicrm_tui.settings import Settings

pytestmark = [pytest.mark.full, pytest.mark.timeout(1200)]

MOMENTS = int(os.environ.get("OMNICRM_KILLS", "100"))
OWN = ("State folder", "Database", "Clock", "Jobs", "Data")
"""Findings that are about what a killed process could have left; others are about what is not configured."""

TABLES = {
    "customer": ("customer", "customer_id", "customer_name"),
    "transaction": ("customer_transaction", "transaction_id", "title"),
    "contact": ("customer_contact", "contact_id", "contact_lastname"),
    "invoice": ("customer_invoice", "invoice_id", "title"),
}

_never = threading.Event()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    make_demo(load_settings({"OMNICRM_HOME": str(home)}), 20)
    return home


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings({"OMNICRM_HOME": str(home)})


def _start(home: Path, *argv: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNICRM")}
    return subprocess.Popen(
        [sys.executable, "-m", *argv],
        env={**kept, "OMNICRM_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def _kill(process: subprocess.Popen[str]) -> str:
    """Kill it without a warning and return what it had said."""
    os.killpg(process.pid, signal.SIGKILL)
    said, _nothing = process.communicate(timeout=30)
    return said


def _until_ready(process: subprocess.Popen[str]) -> list[str]:
    """Return what a desk says before it is ready."""
    assert process.stdout is not None
    said = []
    while (line := process.stdout.readline()) != "ready\n":
        assert line, "the desk ended"
        said.append(line.strip())
    return said


def _differences(home: Path, settings: Settings, promised: list[dict[str, object]]) -> Iterator[str]:
    for finding in examine(settings, {}):
        if finding.name in OWN and finding.state == "broken":
            yield f"{finding.name}: {finding.found}"
    with sqlite3.connect(home / "omnicrm.sqlite") as database:
        [whole] = database.execute("PRAGMA integrity_check").fetchone()
        if whole != "ok":
            yield f"integrity: {whole}"
        for kept in promised:
            yield from _lost(database, kept)


def _lost(database: sqlite3.Connection, kept: dict[str, object]) -> Iterator[str]:
    for kind, (table, key, text) in TABLES.items():
        if kind in kept:
            found = database.execute(f"SELECT {text} FROM {table} WHERE {key} = ?", (kept[kind],)).fetchall()
            if found != [(kept["name"],)]:
                yield f"{kept} is {found}"
            twice = database.execute(f"SELECT COUNT(*) FROM {table} WHERE {text} = ?", (kept["name"],)).fetchone()
            if twice != (1,):
                yield f"{kept} is there {twice[0]} times"
    if "message" in kept:
        found = database.execute("SELECT COUNT(*) FROM outbox WHERE outbox_id = ?", (kept["message"],)).fetchone()
        if found != (1,):
            yield f"{kept} is not in the outbox"


def test_a_desk_killed_at_any_moment_leaves_no_difference(home: Path, settings: Settings) -> None:
    chance = random.Random(4711)
    table: list[tuple[int, int]] = []
    for moment in range(MOMENTS):
        desk = _start(home, "tests.full.mixed_use", str(moment))
        said = _until_ready(desk)
        _never.wait(chance.uniform(0, 0.4))
        said += _kill(desk).splitlines()
        promised = [json.loads(line) for line in said if line.endswith("}")]
        differences = list(_differences(home, settings, promised))
        assert differences == [], f"moment {moment}"
        table.append((moment, len(promised)))
    kept = sum(kept for _moment, kept in table)
    assert kept > MOMENTS
    print(f"\n{MOMENTS} moments, {kept} promises kept, 0 differences")


def test_a_server_killed_under_load_keeps_what_it_answered(home: Path, settings: Settings) -> None:
    chance = random.Random(815)
    for moment in range(max(3, MOMENTS // 10)):
        server = _start(home, "omnicrm_tui.cli", "serve", "--port", "0")
        assert server.stdout is not None
        api = json.loads(server.stdout.readline())["api"]
        promised: list[dict[str, object]] = []
        begun = threading.Event()
        client = threading.Thread(target=_charge, args=(api, moment, promised, begun))
        client.start()
        assert begun.wait(60), "no charge was confirmed"
        _never.wait(chance.uniform(0, 0.5))
        _kill(server)
        client.join(30)
        assert list(_differences(home, settings, promised)) == [], f"moment {moment}"


def _charge(api: str, moment: int, promised: list[dict[str, object]], begun: threading.Event) -> None:
    """Add charges until the server is gone; remember those that it confirmed."""
    with httpx.Client(base_url=api, timeout=10) as client:
        try:
            said = client.post("/crm/auth/login", json={"email": EMAIL, "password": PASSWORD}).json()
            headers = {"Authorization": f"Bearer {said['token']}"}
            for number in range(10_000):
                name = f"Kept over REST {moment}-{number}"
                charge = {"customer_id": 1 + number % 20, "title": name, "retail_cost": "1.50"}
                answer = client.put("/crm/transaction/", json=charge, headers=headers)
                if answer.status_code == 200:
                    promised.append({"transaction": answer.json()["transaction_id"], "name": name})
                    begun.set()
        except httpx.HTTPError:
            return
