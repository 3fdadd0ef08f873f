"""The lab as a whole: starting, switches, what it received, and surviving a kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from http import client as http_client
from pathlib import Path
from typing import Any

import httpx
import pytest

from omnicrm_tui.lab.network import LabNetwork
from omnicrm_tui.lab.store import FILE_NAME, PARTS, Switch, read_received, read_switches, write_switch

Rpc = Callable[..., Any]
SUBSCRIBER = "001010123456789"


def call_part(lab: LabNetwork, http: httpx.Client, part: str) -> httpx.Response:
    at = lab.addresses
    if part == "ocs":
        return http.post(f"http://{at.ocs}/jsonrpc", json={"method": "CoreSv1.Ping", "params": []})
    if part == "hss":
        return http.put(f"{at.hss}/subscriber/{SUBSCRIBER}", json={"imsi": SUBSCRIBER})
    if part == "smsc":
        return http.post(f"{at.smsc}/api/send", json={"source": "Op", "destination": "15550100", "message": "hello"})
    message = {"From": {"Email": "a@example.com"}, "To": [{"Email": "b@example.com"}], "Subject": "hello"}
    return http.post(f"{at.mailjet}/v3.1/send", json={"Messages": [message]}, auth=("key", "secret"))


def test_it_listens_on_loopback_only(lab_folder: Path) -> None:
    with LabNetwork(lab_folder) as lab:
        at = lab.addresses
        assert {at.ocs.split(":")[0], at.mail.split(":")[0]} == {"127.0.0.1"}
        assert all(url.startswith("http://127.0.0.1:") for url in (at.hss, at.smsc, at.mailjet, at.control))
    with pytest.raises(RuntimeError, match="does not run"):
        _ = lab.addresses


def test_it_takes_the_ports_it_is_given_and_says_which_is_taken(lab_folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=rf"the lab's hss cannot listen on 127\.0\.0\.1:{port}"):
            LabNetwork(lab_folder, ports={"hss": port}).start()
    with LabNetwork(lab_folder, ports={"ocs": port}) as lab:
        assert lab.addresses.ocs == f"127.0.0.1:{port}"
    with pytest.raises(ValueError, match="unknown parts"):
        LabNetwork(lab_folder, ports={"pager": 1})


def test_only_its_owner_can_read_the_file(lab: LabNetwork, lab_folder: Path) -> None:
    assert stat.S_IMODE((lab_folder / FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(lab_folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("part", PARTS)
def test_each_part_fails_and_recovers(lab: LabNetwork, http: httpx.Client, part: str) -> None:
    lab.switch(part, "fail")
    assert call_part(lab, http, part).status_code == 503
    assert all(call_part(lab, http, other).is_success for other in PARTS if other != part)
    lab.switch(part)
    assert call_part(lab, http, part).is_success


@pytest.mark.parametrize("part", PARTS)
def test_each_part_answers_nonsense(lab: LabNetwork, http: httpx.Client, part: str) -> None:
    lab.switch(part, "nonsense")
    response = call_part(lab, http, part)
    assert response.status_code == 200
    with pytest.raises(ValueError):
        response.json()


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_slow_and_still_right(lab: LabNetwork, http: httpx.Client, part: str) -> None:
    lab.switch(part, "slow", seconds=0.2)
    began = time.perf_counter()
    assert call_part(lab, http, part).is_success
    assert time.perf_counter() - began >= 0.2


def test_a_slow_part_holds_up_no_other(lab: LabNetwork, http: httpx.Client) -> None:
    lab.switch("hss", "slow", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        http.put(f"{lab.addresses.hss}/subscriber/{SUBSCRIBER}", json={}, timeout=httpx.Timeout(20, read=0.2))
    assert call_part(lab, http, "ocs").is_success


def test_a_switch_can_be_limited_to_some_calls(lab: LabNetwork, http: httpx.Client, rpc: Rpc) -> None:
    lab.switch("ocs", "fail", only_for="AddBalance")
    assert rpc("ApierV2.SetAccount", Account="a") == "OK"
    request = {"method": "ApierV1.AddBalance", "params": [{"Account": "a", "BalanceType": "*sms", "Value": 1}]}
    assert http.post(f"http://{lab.addresses.ocs}/jsonrpc", json=request).status_code == 503
    assert rpc("ApierV2.GetAccount", Account="a")["BalanceMap"] is None


def test_switches_over_http_and_from_another_process(lab: LabNetwork, http: httpx.Client, lab_folder: Path) -> None:
    control = lab.addresses.control
    answer = http.put(f"{control}/switch/hss", json={"mode": "slow", "seconds": 5})
    assert answer.json() == {"mode": "slow", "seconds": 5, "only_for": ""}
    assert read_switches(lab_folder)["hss"].seconds == 5
    assert write_switch(lab_folder, "hss", Switch()) is True
    assert http.get(f"{control}/switch/hss").json()["mode"] == "ok"
    for wrong in ({"mode": "sulk"}, {}, {"mode": "slow", "seconds": -1}, {"mode": "slow", "seconds": "x"}, [1]):
        assert http.put(f"{control}/switch/hss", json=wrong).status_code == 400
    assert http.put(f"{control}/switch/pager", json={"mode": "ok"}).status_code == 404
    assert http.get(control).json()["switches"]["hss"]["mode"] == "ok"
    with pytest.raises(ValueError, match="unknown part"):
        lab.switch("pager", "fail")


def test_what_was_received_is_read_three_ways(lab: LabNetwork, http: httpx.Client, lab_folder: Path) -> None:
    for part in PARTS:
        call_part(lab, http, part)
    for part in PARTS:
        [mine] = lab.received(part)
        assert read_received(lab_folder, part) == [mine]
        assert lab.received(part, after_id=mine.id) == []
        [shown] = http.get(f"{lab.addresses.control}/received/{part}").json()["data"]
        assert (shown["id"], shown["at"]) == (mine.id, "2026-11-21T00:00:00+00:00")
    assert lab.received("ocs")[0].detail == {"method": "CoreSv1.Ping", "params": []}
    assert http.get(f"{lab.addresses.control}/received/ocs?limit=x").status_code == 400
    assert http.get(f"{lab.addresses.control}/received/pager").status_code == 404


def test_a_folder_without_a_lab_reads_as_empty(tmp_path: Path) -> None:
    assert read_received(tmp_path, "ocs") == []
    assert read_switches(tmp_path) == dict.fromkeys(PARTS, Switch())
    assert write_switch(tmp_path, "ocs", Switch()) is False
    assert not list(tmp_path.iterdir())


def test_reading_needs_no_web_framework() -> None:
    code = "import sys, omnicrm_tui.lab.store; sys.exit('starlette' in sys.modules or 'uvicorn' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_part_can_be_cut_off_and_come_back(lab: LabNetwork, rpc: Rpc) -> None:
    rpc("ApierV2.SetAccount", Account="a")
    before = lab.addresses.ocs
    lab.disconnect("ocs")
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"http://{before}/jsonrpc", json={})
    lab.disconnect("ocs")
    lab.reconnect("ocs")
    assert lab.addresses.ocs == before
    assert rpc("ApierV2.GetAccount", Account="a")["ID"] == "cgrates.org:a"


def test_a_reset_forgets_everything(lab: LabNetwork, rpc: Rpc) -> None:
    rpc("ApierV2.SetAccount", Account="a")
    lab.switch("hss", "fail")
    lab.reset()
    assert lab.received("ocs") == []
    assert rpc("ApierV2.GetAccount", Account="a") == {"error": "NOT_FOUND"}


SERVE = """
import json, sys, threading
from pathlib import Path
from omnicrm_tui.lab.network import LabNetwork
lab = LabNetwork(Path(sys.argv[1]))
lab.start()
print(json.dumps([lab.addresses.ocs, lab.addresses.hss]), flush=True)
threading.Event().wait()
"""


def test_a_killed_lab_comes_back_as_it_was(lab_folder: Path, http: httpx.Client) -> None:
    add = {"method": "ApierV1.AddBalance", "params": [
        {"Account": "a", "BalanceType": "*data", "Value": 1, "Balance": {"ID": "D", "ExpiryTime": "+720h"}}
    ]}  # fmt: skip
    read = {"method": "ApierV2.GetAccount", "params": [{"Account": "a"}]}
    with subprocess.Popen([sys.executable, "-c", SERVE, str(lab_folder)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            ocs, hss = json.loads(process.stdout.readline())
            for _ in range(25):
                assert http.post(f"http://{ocs}/jsonrpc", json=add).json()["error"] is None
            before = http.post(f"http://{ocs}/jsonrpc", json=read).json()
            assert http.put(f"{hss}/subscriber/{SUBSCRIBER}", json={"msisdn": "1"}).status_code == 200
        finally:
            os.kill(process.pid, signal.SIGKILL)
    with LabNetwork(lab_folder) as lab:
        after = http.post(f"http://{lab.addresses.ocs}/jsonrpc", json=read).json()
        assert after == before
        assert after["result"]["BalanceMap"]["*data"][0]["Value"] == 25
        assert http.get(f"{lab.addresses.hss}/subscriber/{SUBSCRIBER}").json()["msisdn"] == "1"
        assert len(lab.received("ocs")) == 27


def test_an_account_is_read_hundreds_of_times_a_second(lab: LabNetwork, rpc: Rpc) -> None:
    rpc("ApierV1.AddBalance", Account="a", BalanceType="*data", Value=1, Balance={"ID": "D"})
    body = b'{"method":"ApierV2.GetAccount","params":[{"Account":"a"}],"id":1}'
    connection = http_client.HTTPConnection(lab.addresses.ocs)
    # Seconds of this process, client included: neighbours on the machine do not count.
    began = time.process_time()
    for _ in range(300):
        connection.request("POST", "/jsonrpc", body)
        assert b'"*data"' in connection.getresponse().read()
    used = time.process_time() - began
    connection.close()
    assert 300 / used > 200
