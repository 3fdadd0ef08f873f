"""`omnicrm worker`: it says what it leads, ends in order, and is replaced within ten seconds when it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from omnicrm_tui import opening
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import system_actor
from tests.cli.conftest import Run

Start = Callable[..., "subprocess.Popen[str]"]
MOST_SECONDS = 10.0
PATIENCE_SECONDS = 60.0


def _ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    queues: list[str] = json.loads(line)["worker"]
    return queues


def _leaders(crm: Crm) -> dict[str, int]:
    """Return the process that leads each duty."""
    with crm.reading(system_actor("test")) as work:
        return {leader.name: int(leader.owner.split(":")[1]) for leader in work.messaging.leaders() if leader.led}


def _wait_for(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float:
    """Look until `condition` holds; return how long that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "what was waited for did not come"
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_leads_what_it_says_and_gives_it_back(
    background: Start, environment: dict[str, str], number: signal.Signals
) -> None:
    process = background("worker", "--queues", "schedule, outbox")
    assert _ready(process) == ["outbox", "schedule"]
    crm = Crm.open(load_settings(environment))
    _wait_for(lambda: _leaders(crm) == {"outbox": process.pid, "schedule": process.pid})
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")
    assert _leaders(crm) == {}
    crm.close()


@pytest.mark.parametrize("queues", ["outbox,mails", " , "])
def test_a_queue_that_is_none_is_told(omnicrm: Run, queues: str) -> None:
    done = omnicrm("worker", "--queues", queues)
    assert done.returncode == 2
    assert "jobs, outbox, schedule" in done.stderr


@pytest.mark.req("PLT-066")
def test_duties_move_within_ten_seconds_when_their_holder_is_killed(
    tmp_path: Path, every_database_url: dict[str, str], environment: dict[str, str]
) -> None:
    """Real processes on the three databases at once; the second of each pair only looks until the first is gone."""
    started: list[subprocess.Popen[str]] = []

    def start(home: Path) -> subprocess.Popen[str]:
        command = [os.sys.executable, "-m", "omnicrm_tui.cli", "worker"]  # type: ignore[attr-defined]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**environment, "OMNICRM_HOME": str(home)}
        )
        started.append(process)
        return process

    crms: dict[str, Crm] = {}
    firsts: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, url in every_database_url.items():
            home = tmp_path / name
            home.mkdir(mode=0o700)
            (home / "config.yaml").write_text(json.dumps({"database": {"url": url}}))
            settings = load_settings({"OMNICRM_HOME": str(home)})
            opening.upgrade(settings)
            crms[name], firsts[name] = Crm.open(settings), start(home)
        for name, crm in crms.items():
            _wait_for(lambda crm=crm, pid=firsts[name].pid: set(_leaders(crm).values()) == {pid})  # type: ignore[misc]
            assert set(_leaders(crm)) == {"jobs", "outbox", "schedule"}
        seconds = {name: start(tmp_path / name) for name in crms}
        for second in seconds.values():
            _ready(second)
        killed_at = time.monotonic()
        for first in firsts.values():
            first.send_signal(signal.SIGKILL)
        for name, crm in crms.items():
            wanted = dict.fromkeys(("jobs", "outbox", "schedule"), seconds[name].pid)
            _wait_for(lambda crm=crm, wanted=wanted: _leaders(crm) == wanted)  # type: ignore[misc]
            assert time.monotonic() - killed_at <= MOST_SECONDS, name
    finally:
        for process in started:
            process.kill()
            process.communicate()
        for crm in crms.values():
            crm.close()
