"""The main job over REST, as README shows it: a small demo, the server with its lab, and curl."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.ansible

README = Path(__file__).parents[2] / "README.md"
SHOWN = ("CUSTOMER", "PRODUCT", "SIM", "NUMBER", "JOB", "SERVICE", "TOKEN")
RUNNING = 1


def shown_commands() -> tuple[str, str]:
    """Return README's command that starts the server, and those that follow in another terminal."""
    section = README.read_text(encoding="utf-8").partition("## The REST API")[2].partition("\n## ")[0]
    start, *rest = (line[4:] for line in section.splitlines() if line.startswith("    "))
    return start, "\n".join(rest)


@dataclass
class Served:
    """A demo whose API answers on `port`, as README has it in `folder`."""

    folder: Path
    port: int
    ready: dict[str, str]

    def shell(self, commands: str) -> str:
        """Run commands of README on this server's port; return what they print."""
        script = "set -euo pipefail\n" + commands.replace("5000", str(self.port))
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def accounts(self) -> list[str]:
        """The accounts of the charging system."""
        params = {"Tenant": self.ready["tenant"]}
        body = {"id": 1, "method": "ApierV2.GetAccounts", "params": [params]}
        answer = httpx.post(f"http://{self.ready['ocs']}/jsonrpc", json=body).json()
        return sorted(account["ID"] for account in answer["result"])

    def subscribers(self) -> list[str]:
        """The subscribers of the HSS."""
        found: list[str] = httpx.get(f"{self.ready['hss']}/subscriber").json()["data"]
        return sorted(found)


@pytest.fixture
def served(
    tmp_path: Path, omnicrm: Callable[..., subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    made = omnicrm("demo", "--customers", "30", OMNICRM_HOME=str(tmp_path / ".demo"))
    assert made.returncode == 0, made.stderr
    monkeypatch.delenv("OMNICRM_CONFIG", raising=False)
    start = shown_commands()[0].replace("5000", "0")
    process = subprocess.Popen(
        ["bash", "-c", f"export {start.replace(' ', '; exec ', 1)}"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Served(tmp_path, int(ready["api"].rpartition(":")[2]), ready)
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.req("PLT-042", "PLT-048", "SVC-040", "SVC-041", "SVC-065", "SVC-097", "SVC-101", "CAT-171")
def test_a_service_is_ordered_with_curl_and_a_failure_leaves_nothing(served: Served) -> None:
    shown = served.shell(shown_commands()[1] + "\n" + "\n".join(f"echo; echo ${name}" for name in SHOWN))
    service, *values = [line for line in shown.splitlines() if line]
    given = dict(zip(SHOWN, values, strict=True))
    assert json.loads(service)["service_id"] == int(given["SERVICE"])
    crm = httpx.Client(
        base_url=f"{served.ready['api']}/crm", headers={"Authorization": f"Bearer {given['TOKEN']}"}, timeout=60
    )
    with crm:
        _is_there(crm, given)
        before = _everything(crm, served, given)
        broken = {"mode": "fail", "only_for": "PUT /subscriber"}
        httpx.put(f"{served.ready['hss']}/lab/switch/hss", json=broken).raise_for_status()
        job, delays = _ordered_again(crm, given)
        httpx.put(f"{served.ready['hss']}/lab/switch/hss", json={"mode": "ok"}).raise_for_status()
        assert (job["provisioning_status"], job["status_reason"]) == (2, "failed")
        assert job["error_message"].startswith("Create the HSS subscriber")
        assert {event["phase"] for event in job["provisioning_result_json"]} == {"main", "rescue"}
        assert _everything(crm, served, given) == before
    # 300 ms are promised, and measured by the bench; on a machine that does ten other things they may be seconds.
    assert median(delays) < 3


def _is_there(crm: httpx.Client, given: dict[str, str]) -> None:
    """Assert what README promises: a live service with its balances, its items, and its charges."""
    service = crm.get(f"service/service_id/{given['SERVICE']}").json()
    assert (service["service_status"], service["customer_id"]) == ("Active", int(given["CUSTOMER"]))
    balances = service["cgrates"]["BalanceMap"]
    assert {kind: balances[kind][0]["Value"] for kind in ("DATA", "VOICE", "SMS")} == {
        "DATA": 20 * 1024**3,
        "VOICE": 60_000,
        "SMS": 500,
    }
    items = crm.get(f"inventory/service_id/{given['SERVICE']}").json()["data"]
    assert {(str(item["inventory_id"]), item["item_state"]) for item in items} == {
        (given["SIM"], "Assigned"),
        (given["NUMBER"], "Assigned"),
    }
    charges = crm.get(f"transaction/customer_id/{given['CUSTOMER']}").json()["data"]
    assert sorted(charge["retail_cost"] for charge in charges) == [5, 15]
    job = crm.get(f"provision/provision_id/{given['JOB']}").json()
    done = [event["event_name"] for event in job["provisioning_result_json"]]
    assert [name for name in job["planned_tasks"] if name in done] == done


def _ordered_again(crm: httpx.Client, given: dict[str, str]) -> tuple[dict[str, Any], list[float]]:
    """Order another one; return the job at its end, and how many seconds after its beginning each task was seen."""
    items = {
        kind: crm.get(f"inventory/pickable/item/{kind}").json()["data"][0] for kind in ("SIM Card", "Mobile Number")
    }
    order = {kind: item["inventory_id"] for kind, item in items.items()}
    order |= {"product_id": int(given["PRODUCT"]), "customer_id": int(given["CUSTOMER"])}
    number = crm.put("provision/", json=order).raise_for_status().json()["provision_id"]
    seen: dict[int, float] = {}
    pause, deadline = threading.Event(), time.monotonic() + 120
    while time.monotonic() < deadline:
        job: dict[str, Any] = crm.get(f"provision/provision_id/{number}", params={"after": len(seen)}).json()
        now = datetime.now(UTC)
        for event in job["provisioning_result_json"]:
            begun = datetime.fromisoformat(event["timestamp"])
            seen.setdefault(event["event_number"], (now - begun).total_seconds())
        if job["provisioning_status"] != RUNNING:
            return crm.get(f"provision/provision_id/{number}").json(), list(seen.values())
        pause.wait(0.05)
    raise AssertionError("the job did not end")


def _everything(crm: httpx.Client, served: Served, given: dict[str, str]) -> dict[str, Any]:
    """Return what a failed job must leave as it was, in every system."""
    customer = given["CUSTOMER"]
    stock = {
        kind: crm.get(f"inventory/pickable/item/{kind}", params={"per_page": 1000, "sort": "inventory_id"}).json()[
            "data"
        ]
        for kind in ("SIM Card", "Mobile Number")
    }
    return {
        "services": crm.get(f"service/customer_id/{customer}").json()["data"],
        "charges": crm.get(f"transaction/customer_id/{customer}").json()["data"],
        "stock": stock,
        "accounts": served.accounts(),
        "subscribers": served.subscribers(),
    }
