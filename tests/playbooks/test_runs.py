"""A run, from the outside: cancel, time-out, fatal errors, tokens, secrets, and plays of operators."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from omnicrm_tui.provisioning.ansible_process import RunSettings
from omnicrm_tui.provisioning.ansible_run import PlayRun
from tests.playbooks.conftest import MOBILE, Job
from tests.playbooks.fake_backend import NEWER_TOKEN, SECRETS, TOKEN, Backend

RunPlay = Callable[..., Job]
pytestmark = pytest.mark.ansible
HEAD = """
- name: Operator's play
  hosts: localhost
  gather_facts: no
  become: False
  tasks:
"""


@pytest.fixture
def write_play(tmp_path: Path) -> Callable[[str], Path]:
    """Write play_own.yaml into an operator's folder; the tasks are indented by four."""

    def write(tasks: str, head: str = HEAD) -> Path:
        folder = tmp_path / "home" / "plays"
        folder.mkdir(parents=True, exist_ok=True)
        text = head + textwrap.indent(textwrap.dedent(tasks), "    ")
        (folder / "play_own.yaml").write_text(text)
        return folder

    return write


@pytest.mark.req("SVC-069", "SVC-012", "SVC-027", "SVC-028", "SVC-029", "CAT-478")
def test_each_task_is_reported_when_it_starts_and_when_it_ends(
    run_play: RunPlay, write_play: Callable[[str], Path]
) -> None:
    home = write_play(
        """
        - name: First
          debug: msg=hello
        - name: Left out
          debug: msg=never
          when: false
        - name: Fails
          fail: msg=no
          ignore_errors: true
        - name: Round
          set_fact: place={{ item }}
          loop: [a, b]
        """
    )
    job = run_play("play_own", home=home)
    seen = [(event.event_number, event.event_name, event.status) for event in job.events]
    assert seen == [
        *((1, "First", 1), (1, "First", 0), (2, "Left out", 1), (2, "Left out", 0), (3, "Fails", 1)),
        *((3, "Fails", 3), (4, "Round", 1), (4, "Round", 1), (4, "Round", 1), (4, "Round", 0)),
    ]
    assert job.last()["Left out"].result == {"skipped": True}
    assert [(event.items, event.item) for event in job.events[-3:-1]] == [(1, "a"), (2, "b")]
    assert (job.result.status, job.result.facts["place"], job.result.event_count) == (0, "b", 4)
    ended = job.last()["First"]
    assert ended.finished is not None
    assert ended.finished >= ended.started


@pytest.mark.req("SVC-056", "SVC-051", "CAT-471")
def test_variables_reach_the_play_as_given(run_play: RunPlay, write_play: Callable[[str], Path]) -> None:
    home = write_play(
        """
        - name: Fill the blank
          set_fact: msisdn="0412"
        - name: Show
          debug:
            msg:
              sim: "{{ hostvars[inventory_hostname]['SIM Card'] | int }}"
              evil: "{{ evil }}"
              deep: "{{ deep.text }}"
              msisdn: "{{ msisdn }}"
        """
    )
    evil = "{{ lookup('pipe', 'echo run') }}"
    job = run_play("play_own", {"evil": evil, "deep": {"text": evil}}, home=home)
    assert job.last()["Show"].result["msg"] == {"sim": 789, "evil": evil, "deep": evil, "msisdn": "0412"}


def test_an_operators_play_reaches_our_api_under_the_usual_address(
    run_play: RunPlay, write_play: Callable[[str], Path], backend: Backend
) -> None:
    home = write_play(
        """
        - include_vars: {file: ../../crm_config.yaml, name: crm_config}
        - name: Read the product
          uri:
            url: "http://localhost:5000/crm/product/product_id/{{ product_id }}"
            headers: {Authorization: "Bearer {{ access_token }}"}
          register: reply
        - name: Keep
          set_fact:
            same: "{{ crm_config.crm.base_url in reply.url }}"
            ocs: "{{ crm_config.ocs.OCS }}"
            sections: "{{ crm_config.keys() | list }}"
        """
    )
    job = run_play("play_own", home=home)
    assert job.result.facts["same"] is True
    assert job.result.facts["ocs"] == f"127.0.0.1:{backend.other_port}"
    assert not {"database", "jwt_secret", "stripe", "api_keys"} & set(job.result.facts["sections"])


@pytest.mark.parametrize("where", ["ApierV2.SetAccount", "PUT /crm/transaction/"])
def test_cancel_ends_the_call_under_way_and_cleans_up(run_play: RunPlay, backend: Backend, where: str) -> None:
    before = backend.snapshot()
    backend.hang_on = where

    def cancel(play: PlayRun, _job: Job) -> None:
        assert backend.hanging.wait(30)
        play.cancel()

    job = run_play("play_psim_only", during=cancel)
    result = job.result
    assert (result.status, result.cancelled, result.rescued, result.interrupted) == (2, True, True, False)
    assert result.message == "Cancelled by operator"
    assert backend.snapshot() == before
    failed = next(event for event in job.events if event.status == 2)
    assert "cancelled by operator" in failed.result["msg"]
    assert not any(event.fatal for event in job.events)


def test_cancel_ends_a_task_that_does_not_listen(run_play: RunPlay, write_play: Callable[[str], Path]) -> None:
    home = write_play("- name: Deaf\n  command: sleep 60\n")
    started = threading.Event()

    def cancel(play: PlayRun, job: Job) -> None:
        deadline = time.monotonic() + 30
        while not job.events and time.monotonic() < deadline:
            started.wait(0.01)
        play.cancel()

    job = run_play("play_own", home=home, settings=RunSettings(grace_seconds=0.3), during=cancel)
    assert (job.result.status, job.result.cancelled, job.result.interrupted) == (2, True, True)
    assert job.last()["Deaf"].status == 2
    assert _none_left(job.folder.root)


@pytest.mark.req("SVC-130")
def test_a_job_without_progress_times_out_and_cleans_up(run_play: RunPlay, backend: Backend) -> None:
    before = backend.snapshot()
    backend.hang_on = "ApierV1.AddBalance"
    job = run_play("play_psim_only", settings=RunSettings(timeout_seconds=8, grace_seconds=30))
    assert (job.result.status, job.result.timed_out, job.result.fatal) == (2, True, "timed_out")
    assert job.result.rescued
    assert backend.snapshot() == before
    assert "Nothing happened for 8 seconds" in job.fatal.result["msg"]


@pytest.mark.req("SVC-125", "SVC-126", "SVC-033")
def test_a_missing_play_is_a_fatal_event(run_play: RunPlay) -> None:
    job = run_play("play_nowhere", {"password": "hunter2-secret"})
    assert (job.result.status, job.result.fatal) == (2, "missing_play")
    (event,) = job.events
    assert (event.event_number, event.status, event.fatal) == (1, 2, True)
    assert "play_nowhere.yaml" in event.result["msg"]
    assert event.result["common_causes"]
    assert event.result["what_to_do"]
    assert event.result["variables"]["customer_id"] == MOBILE["customer_id"]
    assert "hunter2-secret" not in json.dumps(dict(event.result))


@pytest.mark.req("SVC-125", "SVC-126")
@pytest.mark.parametrize(
    ("tasks", "line", "kind"),
    [
        ("- name: Bad\n  debug:\n  msg: [unclosed\n", "line 10", "yaml_error"),
        ("- name: No such\n  no_such_module: x\n", "no_such_module", "yaml_error"),
        ("- name: Gone\n  import_tasks: task_gone.yaml\n", "task_gone.yaml", "missing_file"),
    ],
)
def test_a_play_that_is_not_valid_is_a_fatal_event(
    run_play: RunPlay, write_play: Callable[[str], Path], tasks: str, line: str, kind: str
) -> None:
    job = run_play("play_own", home=write_play(tasks))
    assert (job.result.status, job.result.fatal) == (2, kind)
    assert line in json.dumps(dict(job.fatal.result))
    assert job.fatal.result["exit_code"] != 0


@pytest.mark.req("SVC-125", "SVC-126")
def test_an_undefined_variable_is_a_fatal_event(run_play: RunPlay, write_play: Callable[[str], Path]) -> None:
    job = run_play("play_own", home=write_play('- name: Show\n  debug: msg="{{ nobody_set_this }}"\n'))
    assert (job.result.status, job.result.fatal) == (2, "undefined_variable")
    assert "nobody_set_this" in job.fatal.result["msg"]
    assert job.last()["Show"].status == 2


@pytest.mark.req("SVC-123", "SVC-126")
def test_an_unreachable_ocs_is_a_fatal_event_after_the_rollback(
    run_play: RunPlay, backend: Backend, unused_port: int
) -> None:
    before = backend.snapshot()
    config = backend.config
    config["ocs"]["cgrates"] = f"127.0.0.1:{unused_port}"
    job = run_play("play_psim_only", config=config)
    assert (job.result.status, job.result.fatal, job.result.rescued) == (2, "unreachable_system", True)
    assert job.events[-1].fatal
    assert "Remove the charging account" in job.result.not_undone
    assert backend.snapshot() == before


@pytest.fixture
def unused_port() -> Iterator[int]:
    import socket

    with socket.socket() as holder:  # bound and not listening: nobody else gets it, and nobody answers
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.mark.req("SVC-125")
def test_a_missing_ansible_is_a_fatal_event(run_play: RunPlay) -> None:
    settings = RunSettings(ansible_playbook="/nowhere/ansible-playbook")
    job = run_play("play_psim_only", settings=settings)
    assert (job.result.status, job.result.fatal) == (2, "no_ansible")


@pytest.mark.req("SVC-087", "SVC-136")
@pytest.mark.parametrize("tokens", [(NEWER_TOKEN, None), (TOKEN, "refresh-1")], ids=["from file", "refreshed"])
def test_an_expired_token_is_renewed_and_the_call_repeated(
    run_play: RunPlay, backend: Backend, tokens: tuple[str, str | None]
) -> None:
    backend.token = NEWER_TOKEN
    job = run_play("play_psim_only", tokens=tokens)
    assert job.result.status == 0, job.result.message
    assert backend.seen_elsewhere == []
    assert backend.calls.count("POST /crm/auth/refresh") == (1 if tokens[1] else 0)
    assert NEWER_TOKEN not in repr(job.events)


@pytest.mark.req("SVC-087")
def test_a_token_that_cannot_be_renewed_fails_the_job(run_play: RunPlay, backend: Backend) -> None:
    backend.token = "another"
    job = run_play("play_psim_only")
    assert job.result.status == 2
    assert "401" in job.result.message


@pytest.mark.req("SVC-030")
def test_an_event_tells_the_request_and_the_answer(run_play: RunPlay) -> None:
    job = run_play("play_psim_only")
    result = job.last()["Create the service"].result
    request = result["invocation"]["module_args"]
    assert request["body"]["service_status"] == "Active"
    assert request["headers"] == {"Authorization": "********"}
    assert result["json"]["service_id"] == job.result.facts["service_id"]


@pytest.mark.req("SVC-129", "CAT-118", "CAT-120", "SVC-017")
def test_no_secret_is_seen_anywhere(
    run_play: RunPlay, backend: Backend, write_play: Callable[[str], Path], tmp_path: Path
) -> None:
    seen: list[str] = []
    stop = threading.Event()

    def look_at_command_lines(_play: PlayRun, _job: Job) -> None:
        while not stop.wait(0.02):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = process.read_bytes()
                except OSError:
                    continue
                seen.extend(secret for secret in SECRETS if secret.encode() in line)
            if _job.result or any(event.event_name.startswith("End well") for event in _job.events):
                return

    home = write_play(
        """
        - include_vars: {file: ../../crm_config.yaml, name: crm_config}
        - uri:
            url: "{{ crm_config.crm.base_url }}/crm/inventory/inventory_id/789"
            headers: {Authorization: "Bearer {{ access_token }}"}
          register: sim
        - debug: var=hostvars[inventory_hostname]
        - debug: msg="{{ sim.json.ki }} {{ sim.json | to_json | b64encode }} {{ sim.json.opc | urlencode }}"
        - set_fact: {harmless: "{{ sim.json.ki }}", listed: ["{{ crm_config.mailjet.api_secret }}"]}
        - name: "Named {{ sim.json.ki }}"
          fail: msg="{{ sim }} {{ access_token }} {{ crm_config.smsc.api_key }}"
        """
    )
    for name in ("play_own", "play_psim_only"):
        backend.faults = {"PUT /crm/transaction": (500, {})}
        job = run_play(name, home=home, during=look_at_command_lines)
        stop.set()
        assert job.result.status == 2
        told = json.dumps([[event.event_name, event.item, dict(event.result)] for event in job.events])
        told += repr(job.result)
        assert [secret for secret in SECRETS if secret in told] == []
        assert not job.folder.root.exists()
        stop.clear()
    assert seen == []
    assert list((tmp_path / "jobs").iterdir()) == []


def test_a_play_that_ignores_every_signal_is_killed_with_all_it_started(
    run_play: RunPlay, write_play: Callable[[str], Path], tmp_path: Path
) -> None:
    """Stands for an Ansible that hangs: it hears no signal, and its child has a session of its own."""
    program = tmp_path / "deaf-ansible"
    program.write_text("#!/bin/sh\ntrap '' INT TERM\nsetsid sleep 62.5 &\nwhile :; do sleep 0.2; done\n")
    program.chmod(0o700)
    home = write_play("- name: Never\n  debug: msg=x\n")
    settings = RunSettings(ansible_playbook=str(program), timeout_seconds=0.3, grace_seconds=0.2)
    job = run_play("play_own", home=home, settings=settings)
    assert (job.result.status, job.result.timed_out, job.result.interrupted) == (2, True, True)
    assert _none_left(job.folder.root)


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    """An operator's own ansible-playbook: a script that does not give its place to Ansible."""
    program = tmp_path / "own-ansible"
    ansible = Path(sys.executable).with_name("ansible-playbook")
    program.write_text(f'#!/bin/sh\n"{ansible}" "$@"\nended=$?\necho "ended with $ended"\nexit $ended\n')
    program.chmod(0o700)
    return program


@pytest.mark.req("SVC-130")
def test_the_exit_code_of_an_operators_own_program_is_kept(
    run_play: RunPlay, write_play: Callable[[str], Path], tmp_path: Path
) -> None:
    program = tmp_path / "own-ansible"
    program.write_text("#!/bin/sh\necho 'no such inventory' >&2\nexit 41\n")
    program.chmod(0o700)
    home = write_play("- name: Never\n  debug: msg=x\n")
    job = run_play("play_own", home=home, settings=RunSettings(ansible_playbook=str(program)))
    assert (job.result.rc, job.result.status, job.result.interrupted) == (41, 2, False)


def test_an_operators_own_program_that_is_killed_is_told_of(
    run_play: RunPlay, write_play: Callable[[str], Path], tmp_path: Path
) -> None:
    program = tmp_path / "own-ansible"
    program.write_text("#!/bin/sh\nkill -KILL $$\n")
    program.chmod(0o700)
    home = write_play("- name: Never\n  debug: msg=x\n")
    job = run_play("play_own", home=home, settings=RunSettings(ansible_playbook=str(program)))
    assert (job.result.rc, job.result.fatal) == (-signal.SIGKILL, "killed")


@pytest.mark.req("SVC-130")
def test_a_signal_reaches_ansible_below_an_operators_own_program(
    run_play: RunPlay, write_play: Callable[[str], Path], wrapper: Path
) -> None:
    """Only a signal ends this task; the script lives until Ansible has ended, and its exit code is Ansible's."""
    home = write_play("- name: Long\n  command: sleep 63.25\n")
    settings = RunSettings(ansible_playbook=str(wrapper), grace_seconds=1)

    def cancel(play: PlayRun, job: Job) -> None:
        assert _soon(lambda: any("63.25" in line for line in _processes_of(job.folder.root)))
        play.cancel()

    begin = time.monotonic()
    job = run_play("play_own", home=home, settings=settings, during=cancel)
    assert time.monotonic() - begin < 30
    assert (job.result.status, job.result.cancelled, job.result.interrupted) == (2, True, True)
    assert _none_left(job.folder.root)


@pytest.mark.parametrize("own", [False, True], ids=["ours", "the operator's"])
def test_a_killed_job_takes_its_play_with_it(
    tmp_path: Path, write_play: Callable[[str], Path], wrapper: Path, own: bool
) -> None:
    home = write_play("- name: Long\n  command: sleep 61.25\n")
    program = f"""
from pathlib import Path
from omnicrm_tui.clock import SystemClock
from omnicrm_tui.provisioning.ansible_process import AnsibleProcess, RunSettings
from omnicrm_tui.provisioning.ansible_run import PlayRun
from omnicrm_tui.provisioning.job_folder import JobFolder
from omnicrm_tui.redaction import Redactor
with JobFolder.make(Path({str(tmp_path / "jobs")!r})) as folder:
    folder.fill(play_folders=[Path({str(home)!r})], config={{}}, variables={{}}, api_url="http://127.0.0.1:1")
    settings = RunSettings(ansible_playbook={str(wrapper) if own else None!r})
    ansible = AnsibleProcess(folder, "http://127.0.0.1:1", settings)
    PlayRun("play_own", ansible, lambda tasks: print(tasks[0].event_name, flush=True), variables={{}},
            redactor=Redactor(), clock=SystemClock()).run()
"""
    job = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert job.stdout is not None
    assert job.stdout.readline().strip() == "Long"
    folder = next((tmp_path / "jobs").iterdir())
    assert _soon(lambda: any("61.25" in line for line in _processes_of(folder)))
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    job.stdout.close()
    assert _none_left(folder)


def _none_left(folder: Path) -> bool:
    """Whether every process of a job ends within a while."""
    return _soon(lambda: not _processes_of(folder))


def _soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    return condition()


def _processes_of(folder: Path) -> list[str]:
    """The command lines of the processes that work in a job's folder."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line: Any = (process / "cmdline").read_bytes()
            if str(folder).encode() in line or os.readlink(process / "cwd").startswith(str(folder)):
                found.append(line.decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if line]
