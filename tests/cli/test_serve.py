"""`omnicrm serve` and `omnicrm lab`: ready when they say so, gone when they are told to go."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from omnicrm_tui import lab_process
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.settings import Settings
from tests.cli.conftest import Run

Start = Callable[..., "subprocess.Popen[str]"]


def _ready(process: subprocess.Popen[str]) -> dict[str, str | None]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    answer: dict[str, str | None] = json.loads(line)
    return answer


def _told_to_end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def _answer(address: str | None) -> int:
    ping = {"id": 1, "method": "CoreSv1.Ping", "params": [{}]}
    return httpx.post(f"http://{address}/jsonrpc", json=ping).status_code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serve_says_when_it_is_ready_and_ends_in_order(background: Start, number: signal.Signals) -> None:
    process = background("serve", "--port", "0")
    ready = _ready(process)
    assert ready == {"api": ready["api"], "ocs": None, "tenant": None, "hss": None, "smsc": None, "mail": None}
    assert httpx.get(f"{ready['api']}/crm/health").status_code in (200, 401, 403, 404)
    assert _told_to_end(process, number) == (0, "", "")


def test_serve_with_lab_runs_the_network(background: Start) -> None:
    process = background("serve", "--port", "0", "--lab")
    ready = _ready(process)
    assert list(ready) == ["api", "ocs", "tenant", "hss", "smsc", "mail"]
    assert ready["tenant"] == "cgrates.org"
    assert _answer(ready["ocs"]) == 200
    assert httpx.get(f"{ready['hss']}/subscriber").status_code == 200
    host, _, port = str(ready["mail"]).rpartition(":")
    with socket.create_connection((host, int(port))) as mail:
        assert mail.recv(100).startswith(b"220")
    assert _told_to_end(process, signal.SIGTERM) == (0, "", "")
    with pytest.raises(httpx.ConnectError):
        _answer(ready["ocs"])


def test_serve_delivers_what_is_in_the_outbox(background: Start, home: Path, environment: dict[str, str]) -> None:
    process = background("serve", "--port", "0", "--lab")
    ready = _ready(process)
    crm = Crm.open(load_settings(environment))
    with crm.as_actor(system_actor("test")) as work:
        work.messaging.enqueue_email("ann@people.example", "Welcome", "Hello Ann")
        work.messaging.enqueue_sms("+61400000001", "Hello Ann")
    crm.close()
    overview = f"http://127.0.0.1:{lab_process.read_addresses(home / 'lab').ports['mailjet']}/lab/received"  # type: ignore[union-attr]
    assert ready["mail"] is not None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        received = [httpx.get(f"{overview}/{part}").text for part in ("mail", "smsc")]
        if "ann@people.example" in received[0] and "61400000001" in received[1]:
            break
        process.poll()
    assert "ann@people.example" in received[0]
    assert "61400000001" in received[1]
    assert _told_to_end(process, signal.SIGTERM) == (0, "", "")


def test_a_taken_port_is_told_in_one_line(background: Start, omnicrm: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = omnicrm("serve", "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Cannot listen on 127.0.0.1" in done.stderr
    assert done.stderr.count("\n") == 1


def test_settings_of_the_home_lead_to_its_lab_over_restarts(
    background: Start, home: Path, environment: dict[str, str]
) -> None:
    first = background("lab")
    at = _ready(first)
    settings = load_settings(environment)
    assert settings.ocs.cgrates == settings.ocs.OCS == at["ocs"]
    assert settings.hss.hss_peers == [at["hss"]]
    assert settings.smsc.smsc_url == f"{at['smsc']}/SMS"
    assert f"{settings.smtp.host}:{settings.smtp.port}" == at["mail"]
    assert lab_process.is_running(settings)
    assert _told_to_end(first, signal.SIGTERM)[0] == 0
    assert not lab_process.is_running(settings)
    assert load_settings(environment) == settings

    assert _ready(background("lab")) == at


def test_one_lab_for_a_home(background: Start, omnicrm: Run) -> None:
    at = _ready(background("lab"))
    second = omnicrm("lab")
    assert second.returncode == 1
    assert "runs already" in second.stderr
    ready = _ready(background("serve", "--port", "0", "--lab"))
    assert ready["ocs"] == at["ocs"]


def test_a_port_that_somebody_took_is_replaced(background: Start, home: Path, environment: dict[str, str]) -> None:
    settings = load_settings(environment)
    chosen = lab_process.choose_addresses(settings)
    assert lab_process.choose_addresses(settings) == chosen
    with socket.create_server(("127.0.0.1", chosen.ports["hss"])):
        at = _ready(background("lab"))
        assert at["ocs"] == chosen.ocs
        assert at["hss"] != chosen.hss


def test_configured_systems_are_not_replaced(settings: Settings) -> None:
    configured = settings.model_copy(
        update={"ocs": settings.ocs.model_copy(update={"cgrates": "ocs.example.com:2080"})}
    )
    lab_process.choose_addresses(configured)
    result = lab_process.with_lab_addresses(configured)
    assert result.ocs.cgrates == "ocs.example.com:2080"
    assert result.hss.hss_peers != []


def test_ensure_lab_starts_a_lab_that_others_find(background: Start, settings: Settings) -> None:
    at = lab_process.ensure_lab(settings)
    try:
        assert _answer(at.ocs) == 200
        assert lab_process.ensure_lab(settings) == at
        assert lab_process.is_in_use(settings.lab_folder)
    finally:
        _end_lab(settings)


def _end_lab(settings: Settings) -> None:
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        if "--while-used" in (process.info["cmdline"] or []) and _home_of(process) == str(settings.home):
            process.terminate()
            process.wait(20)


def _home_of(process: object) -> str | None:
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        return process.environ().get("OMNICRM_HOME")
    except psutil.Error:
        return None


def test_a_lab_that_cannot_start_says_where_to_look(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_process, "START_SECONDS", 0.2)
    monkeypatch.setattr(lab_process, "_start", lambda _settings: None)
    with pytest.raises(OutsideSystemError, match=r"lab\.log says why"):
        lab_process.ensure_lab(settings)


def test_a_lab_nobody_uses_ends(background: Start, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    from click.testing import CliRunner

    from omnicrm_tui.cli import lab

    monkeypatch.setenv("OMNICRM_HOME", str(home))
    monkeypatch.setattr(lab, "_LOOK_EVERY_SECONDS", 0.01)
    done = CliRunner().invoke(lab.lab, ["--while-used"])
    assert done.exit_code == 0
    assert json.loads(done.output)["tenant"] == "cgrates.org"
