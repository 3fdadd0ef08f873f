"""A job's folder and its Ansible are there before it is known what is to be played; none of it may be left over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from omnicrm_tui import chores
from omnicrm_tui.job.preparation import prepared
from omnicrm_tui.job.runner import Job
from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.provisioning.progress import JobProgress
from omnicrm_tui.provisioning.rules import FAILED, SUCCESS
from omnicrm_tui.shipped import WAITING_PLAYBOOK
from tests.fixtures.operator import Operator, let_go

pytestmark = pytest.mark.ansible

PLAY = "- hosts: localhost\n  gather_facts: no\n  tasks:\n    - name: Say hello\n      debug: msg=hello\n"


def _waiting(folder: Path) -> subprocess.Popen[str]:
    program = [sys.executable, "-P", str(WAITING_PLAYBOOK), str(folder)]
    return subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)


def test_what_waits_plays_what_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "play.yaml").write_text(PLAY)
    out, _ = _waiting(tmp_path).communicate(json.dumps(["-i", "localhost,", "-c", "local", "play.yaml"]) + "\n", 60)
    assert '"msg": "hello"' in out


def test_what_waits_plays_nothing_when_nobody_tells_it(tmp_path: Path) -> None:
    process = _waiting(tmp_path)
    assert process.communicate(timeout=60) == ("", None)
    assert process.returncode == 0


def test_a_job_that_another_process_runs_leaves_nothing(operator: Operator) -> None:
    provision_id = operator.order("play_simple_service")
    JobProgress(operator.crm, provision_id, "another process").claim(1)
    with prepared(operator.crm.settings, provision_id) as preparation:
        assert preparation is not None
        waiting = _waiting_in(preparation.folder.root)
        assert Job(operator.crm, provision_id, preparation).run() == 3
    assert not waiting.is_running()
    assert not preparation.folder.root.exists()


def test_a_process_killed_before_its_claim_leaves_no_ansible_and_its_folder_to_the_next(operator: Operator) -> None:
    settings = operator.crm.settings
    program = (
        "import sys, time\n"
        "from omnicrm_tui.config_file import load_settings\n"
        "from omnicrm_tui.job.preparation import prepare\n"
        "preparation = prepare(load_settings(), 7)\n"
        "print(preparation.folder.root, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "OMNICRM_HOME": str(settings.home)}
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    waiting = _waiting_in(folder, of=process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    psutil.wait_procs([waiting], timeout=30)
    assert not waiting.is_running()
    assert folder.exists()
    chores.begin(operator.crm, threading.Event(), [])
    assert not folder.exists()


def test_the_next_process_of_a_job_removes_what_the_killed_one_left(operator: Operator) -> None:
    provision_id = operator.order("play_simple_service")
    left = JobFolder.make(operator.crm.settings.jobs_folder, provision_id)
    let_go(left)
    other = JobFolder.make(operator.crm.settings.jobs_folder, provision_id + 1)
    assert Job(operator.crm, provision_id).run() == 0
    assert not left.root.exists()
    assert other.root.exists()
    other.remove()
    assert list(operator.crm.settings.jobs_folder.iterdir()) == []


def test_a_job_without_room_for_its_folder_ends_and_says_so(operator: Operator) -> None:
    provision_id = operator.order("play_simple_service")
    folder = operator.crm.settings.jobs_folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("not a folder")
    with prepared(operator.crm.settings, provision_id) as preparation:
        assert preparation is None
        assert Job(operator.crm, provision_id, preparation).run() == 0
    with operator.crm.reading(operator.admin) as work:
        job = work.provisioning.get(provision_id)
    assert job.provisioning_status == FAILED
    assert job.error_message


def test_an_ansible_that_died_waiting_is_told_of(operator: Operator) -> None:
    provision_id = operator.order("play_simple_service")
    with prepared(operator.crm.settings, provision_id) as preparation:
        assert preparation is not None
        waiting = _waiting_in(preparation.folder.root)
        waiting.kill()
        assert Job(operator.crm, provision_id, preparation).run() == 0
    with operator.crm.reading(operator.admin) as work:
        assert work.provisioning.get(provision_id).provisioning_status == FAILED
        events = work.provisioning.events(provision_id)
    assert "was ended" in events[-1].event_name


def test_a_prepared_job_succeeds(operator: Operator) -> None:
    provision_id = operator.order("play_simple_service")
    with prepared(operator.crm.settings, provision_id) as preparation:
        assert Job(operator.crm, provision_id, preparation).run() == 0
    with operator.crm.reading(operator.admin) as work:
        assert work.provisioning.get(provision_id).provisioning_status == SUCCESS
    assert list(operator.crm.settings.jobs_folder.iterdir()) == []


def _waiting_in(folder: Path, of: int | None = None) -> psutil.Process:
    """The Ansible that waits in a folder. What has just become another program has no command line for a moment."""
    pause, deadline = threading.Event(), time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(of).children():
            with suppress(psutil.Error):
                if str(folder) in child.cmdline():
                    return child
        pause.wait(0.01)
    raise AssertionError(f"nothing waits in {folder}")
