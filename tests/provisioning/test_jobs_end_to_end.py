"""Real jobs: Ansible, the job's own API, the lab's charging system and HSS, and the stock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from omnicrm_tui.catalog.schemas import ProductChange
from omnicrm_tui.customer_services.service import CustomerServicesService
from omnicrm_tui.customers.schemas import SiteInput
from omnicrm_tui.errors import DatabaseProblem, OutsideSystemError
from omnicrm_tui.inventory.schemas import ItemInput, TemplateInput
from omnicrm_tui.job.runner import Job
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging.delivery import OutboxCourier
from omnicrm_tui.provisioning.ansible_process import RunSettings
from omnicrm_tui.provisioning.progress import EventRecord, JobEnd, JobProgress
from omnicrm_tui.provisioning.rules import FAILED, SUCCESS
from omnicrm_tui.provisioning.schemas import EventView, JobView, ProvisionRequest
from omnicrm_tui.settings import MailjetSection
from tests.fixtures.operator import KI, OPC, Operator

pytestmark = pytest.mark.ansible

TASK = "- hosts: localhost\n  gather_facts: no\n  tasks:\n    - {}\n"


def run(operator: Operator, provision_id: int) -> tuple[JobView, list[EventView]]:
    assert Job(operator.crm, provision_id).run() == 0
    with operator.crm.reading(operator.admin) as work:
        return work.provisioning.get(provision_id), list(work.provisioning.events(provision_id))


def everything(operator: Operator) -> dict[str, object]:
    """What a failed job must leave as it was: charging, HSS, stock, services and charges."""
    with operator.crm.reading(operator.admin) as work:
        return {
            "accounts": operator.accounts(),
            "subscribers": operator.subscribers(),
            "stock": work.inventory.window(ListQuery(), FIRST, 10).rows,
            "services": work.customer_services.window(ListQuery(), FIRST, 10).rows,
            "charges": work.billing.window(ListQuery(), FIRST, 10).rows,
        }


@pytest.fixture
def needs(operator: Operator) -> dict[str, dict[str, int]]:
    """What an order of each play takes from the stock: the simple service here needs a router."""
    with operator.crm.as_actor(operator.admin) as work:
        work.inventory.create_template(TemplateInput(item="Router", itemtext1_label="Serial Number"))
        router = work.inventory.create(ItemInput(item="Router", itemtext1="RT-0001", item_state="In Stock"))
        asks = ProductChange(inventory_items_list="['Router']")
        work.catalog.update(operator.product_ids["play_simple_service"], asks)
    return {"play_psim_only": operator.choices, "play_simple_service": {"Router": router.inventory_id}}


@pytest.mark.req("PLT-042", "CAT-371", "SVC-001", "CAT-516")
@pytest.mark.req(
    "SVC-040", "SVC-059", "SVC-062", "SVC-065", "SVC-069", "SVC-070", "SVC-101", "SVC-102", "SVC-103", "SVC-104"
)
@pytest.mark.req("SVC-105", "SVC-110", "SVC-171", "SVC-191", "BIL-106", "BIL-144", "BIL-146", "CAT-450", "CAT-478")
def test_a_mobile_service_is_there_in_every_system(operator: Operator) -> None:
    job, events = run(operator, operator.order())
    assert (job.provisioning_status, job.status_reason, job.error_message) == (SUCCESS, "finished", None)
    assert {event.provisioning_status for event in events} == {SUCCESS}
    assert [event.event_number for event in events] == list(range(1, len(events) + 1))
    assert job.event_count == len(events) == job.task_count
    with operator.crm.reading(operator.admin) as work:
        service = work.customer_services.get(job.service_id)
        items = work.inventory.items_of_service(service.service_id)
        charges = work.billing.window(ListQuery(), FIRST, 10).rows
        account = work.charging.account(service.service_id)
    assert (account.state, [balance.value for balance in account.balances]) == ("active", [0])
    assert (service.service_status, service.customer_id) == ("Active", operator.customer_id)
    assert service.service_uuid == job.service_uuid
    assert operator.accounts() == [f"{operator.lab.addresses.tenant}:{service.service_uuid}"]
    assert "310120123456789" in json.dumps(operator.subscribers())
    assert "zoe@customer.example" in repr(operator.lab.received("mail"))
    assert "+61412345678" in repr(operator.lab.received("smsc"))
    assert {(item.item_state, item.customer_id) for item in items} == {("Assigned", operator.customer_id)}
    assert [(charge.title.partition(" - ")[0], str(charge.retail_cost)) for charge in charges] == [
        ("Product of play_psim_only", "5.0000"),
        ("Product of play_psim_only", "15.0000"),
    ]


@pytest.mark.req("CAT-486")
def test_with_a_plain_mail_server_alone_the_welcome_goes_through_the_outbox(operator: Operator) -> None:
    operator.crm.settings = operator.crm.settings.model_copy(update={"mailjet": MailjetSection()})
    job, events = run(operator, operator.order("play_simple_service"))
    assert {event.provisioning_status for event in events} == {SUCCESS}
    with operator.crm.reading(operator.admin) as work:
        (mail,) = work.messaging.window(ListQuery(), FIRST, 5).rows
    assert (mail.recipient, mail.customer_id) == ("zoe@customer.example", job.customer_id)
    assert OutboxCourier(operator.crm).deliver_due() == 1
    assert "Welcome to our service!" in repr(operator.lab.received("mail"))


@pytest.mark.req("PLT-042", "SVC-040", "SVC-097")
def test_a_job_runs_and_rolls_back_on_the_database_servers_as_well(server_operator: Operator) -> None:
    """One after the other: what the failed one gave back is what the next one gets."""
    before = everything(server_operator)
    server_operator.lab.switch("hss", "fail", only_for="PUT /subscriber")
    failed, _ = run(server_operator, server_operator.order())
    server_operator.lab.switch("hss", "ok")
    assert failed.provisioning_status == FAILED
    assert everything(server_operator) == before
    job, events = run(server_operator, server_operator.order())
    assert (job.provisioning_status, job.error_message) == (SUCCESS, None)
    assert [event.event_number for event in events] == list(range(1, job.task_count + 1))
    with server_operator.crm.reading(server_operator.admin) as work:
        assert work.customer_services.get(job.service_id or 0).service_status == "Active"
        assert len(work.inventory.items_of_service(job.service_id or 0)) == 2
        assert len(work.billing.window(ListQuery(), FIRST, 10).rows) == 2


@pytest.mark.req("SVC-106", "SVC-107", "SVC-108", "SVC-109", "SVC-173", "SVC-181", "CAT-482")
def test_a_simple_service_needs_no_stock_and_is_at_its_site(operator: Operator) -> None:
    with operator.crm.as_actor(operator.admin) as work:
        site = work.customers.add_site(operator.customer_id, SiteInput(site_name="Plant", country="NO")).site_id
    job, _ = run(operator, operator.order("play_simple_service", auto_renew=True, site_id=site))
    assert job.provisioning_status == SUCCESS
    with operator.crm.reading(operator.admin) as work:
        service = work.customer_services.get(job.service_id or 0)
    assert (service.auto_renew, service.site_id) == (True, site)
    assert operator.accounts() == [f"{operator.lab.addresses.tenant}:{job.service_uuid}"]


@pytest.mark.req("PLT-042")
@pytest.mark.req("SVC-088", "SVC-091", "SVC-092", "SVC-097", "SVC-111", "CAT-453", "BIL-110", "BIL-147", "PLT-016")
@pytest.mark.parametrize(
    ("play", "part", "call"),
    [
        ("play_psim_only", "ocs", "SetAccount"),
        ("play_psim_only", "ocs", "AddBalance"),
        ("play_psim_only", "hss", "PUT /subscriber"),
        ("play_psim_only", "crm", "PUT /service"),
        ("play_simple_service", "ocs", "SetAccount"),
        ("play_simple_service", "ocs", "AddBalance"),
        ("play_simple_service", "crm", "PUT /service"),
    ],
    ids=lambda value: value.removeprefix("play_").rpartition(" ")[2].strip("/"),
)
def test_a_failure_leaves_everything_as_it_was(
    operator: Operator,
    needs: dict[str, dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    play: str,
    part: str,
    call: str,
) -> None:
    before = everything(operator)
    if part == "crm":
        monkeypatch.setattr(CustomerServicesService, "create", _does_not_answer)
    else:
        operator.lab.switch(part, "fail", only_for=call)
    job, events = run(operator, order_of(operator, play, needs))
    if part != "crm":
        operator.lab.switch(part, "ok")
    assert (job.provisioning_status, job.status_reason) == (FAILED, "failed")
    assert "503" in (job.error_message or ""), "the sentence says what the other system answered"
    assert next(event.phase for event in events if event.provisioning_status == FAILED) == "main"
    assert any(event.phase == "rescue" for event in events)
    assert everything(operator) == before


def order_of(operator: Operator, play: str, needs: dict[str, dict[str, int]]) -> int:
    """Order the product of a play with what it takes from the stock; return the job's number."""
    request = ProvisionRequest(
        product_id=operator.product_ids[play], customer_id=operator.customer_id, inventory=needs[play]
    )
    return operator.start(request).provision_id


def _does_not_answer(*_arguments: object) -> None:
    raise OutsideSystemError("The CRM does not answer.")


@pytest.mark.req("SVC-110", "SVC-097", "CAT-203")
@pytest.mark.parametrize("broken", ["task_charges.yaml", "post_provisioning_tasks.yaml"])
def test_a_failure_after_the_service_was_made_removes_it_too(operator: Operator, tmp_path: Path, broken: str) -> None:
    """The SIM card was used before: its dormant subscriber is as it was, too."""
    dormant = {"imsi": "310120123456789", "msisdn": "99990123456789", "enabled": True, "ki": KI, "opc": OPC}
    radio = {"ue_ambr_dl": 9999999, "apn_list": "1,2,7", "roaming": {"enabled": False}}
    httpx.put(f"{operator.lab.addresses.hss}/subscriber/310120123456789", json=dormant | radio).raise_for_status()
    before = everything(operator)
    plays = tmp_path / "plays"
    plays.mkdir()
    (plays / broken).write_text("- name: Break late\n  fail: {msg: the billing gateway is closed}\n")
    job, _ = run(operator, operator.order())
    assert job.provisioning_status == FAILED
    assert "the billing gateway is closed" in (job.error_message or "")
    assert everything(operator) == before


@pytest.mark.req("CAT-439")
@pytest.mark.req("SVC-048", "SVC-090", "SVC-093", "SVC-095", "SVC-099", "CAT-452")
@pytest.mark.parametrize("play", ["play_psim_only", "play_simple_service"])
def test_deprovisioning_ends_well_and_frees_what_the_service_had(
    operator: Operator, needs: dict[str, dict[str, int]], play: str
) -> None:
    made, _ = run(operator, order_of(operator, play, needs))
    started = operator.start(ProvisionRequest(service_id=made.service_id, action="deprovision"))
    job, events = run(operator, started.provision_id)
    assert (job.provisioning_status, job.error_message) == (SUCCESS, None)
    assert FAILED not in {event.provisioning_status for event in events}
    assert operator.accounts() == []
    dormant = [(one["enabled"], one["msisdn"]) for one in operator.subscribers().values()]
    assert dormant == ([(True, "9999" + "0123456789")] if play == "play_psim_only" else [])
    with operator.crm.reading(operator.admin) as work:
        service = work.customer_services.get(made.service_id or 0)
        stock = [work.inventory.get(number) for number in needs[play].values()]
    assert (service.service_status, service.service_deactivate_date is None) == ("Deactivated", False)
    assert {(item.item_state, item.customer_id, item.service_id) for item in stock} == {("Used", None, None)}


@pytest.mark.req("CAT-117", "CAT-118", "CAT-120", "SVC-017", "SVC-129")
def test_no_secret_reaches_the_database_the_mail_or_the_home(operator: Operator, tmp_path: Path) -> None:
    operator.lab.switch("hss", "fail", only_for="PUT /subscriber")
    run(operator, operator.order(wifi_password="correct-horse", nested={"api_token": "t0p-s3cret"}))
    operator.crm.close()
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (
        KI,
        OPC,
        "eyJhbGciOi",
        "sms-key-of-the-test",
        "mail-secret-of-the-test",
        "correct-horse",
        "t0p-s3cret",
    ):
        assert secret.encode() not in left, secret
        assert secret.lower().encode() not in left, secret
    assert list((tmp_path / "jobs").iterdir()) == []


@pytest.mark.req("SVC-123", "SVC-125", "SVC-126", "CAT-427", "SVC-127")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no play"),
        ("- name: x\n  hosts: [localhost\n", "line"),
        (
            "- hosts: localhost\n  gather_facts: no\n  tasks:\n    - debug: {msg: '{{ never_defined }}'}\n",
            "never_defined",
        ),
        ("- hosts: localhost\n  gather_facts: no\n  tasks:\n    - uri: {url: 'http://127.0.0.1:1/'}\n", "refused"),
    ],
    ids=["missing", "yaml", "undefined", "unreachable"],
)
def test_a_play_that_cannot_run_says_what_to_do(
    operator: Operator, tmp_path: Path, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / "plays").mkdir()
        (tmp_path / "plays" / "play_broken.yaml").write_text(text)
    with operator.crm.as_actor(operator.admin) as work:
        request = ProvisionRequest(
            product_id=operator.product_ids["play_simple_service"],
            customer_id=operator.customer_id,
            provisioning_play="play_broken",
        )
        provision_id = work.provisioning.start(request).provision_id
    job, events = run(operator, provision_id)
    fatal = json.loads(events[-1].provisioning_result_json)
    assert job.provisioning_status == FAILED
    assert said in json.dumps(fatal).lower()
    assert fatal["what_to_do"]
    assert fatal["common_causes"]
    with operator.crm.reading(operator.admin) as work:
        mails = work.messaging.window(ListQuery(), FIRST, 5).rows
    assert [mail.recipient for mail in mails] == ["noc@operator.example"]


@pytest.mark.req("SVC-188")
def test_a_charging_system_that_stops_in_mid_job_is_told_and_listed(operator: Operator, tmp_path: Path) -> None:
    plays = tmp_path / "plays"
    plays.mkdir()
    port = operator.lab.addresses.ocs.split(":")[1]
    (plays / "task_crm_service.yaml").write_text(
        f"- wait_for: {{host: 127.0.0.1, port: {port}, state: stopped, timeout: 60}}\n"
        "- fail: {msg: the charging system is gone}\n"
    )

    def stop_charging() -> None:
        assert _until(lambda: bool(operator.lab.received("hss")), 60)
        operator.lab.disconnect("ocs")

    stopper = threading.Thread(target=stop_charging)
    provision_id = operator.order()
    stopper.start()
    job, _ = run(operator, provision_id)
    stopper.join()
    assert job.provisioning_status == FAILED
    assert "the charging system is gone" in (job.error_message or "")
    assert "Could not be undone" in (job.error_message or "")


@pytest.mark.req("SVC-066", "SVC-067", "SVC-130", "CAT-477")
def test_a_detached_job_outlives_whoever_started_it(operator: Operator) -> None:
    """The starter is a process of its own that is killed while the job runs."""
    settings = operator.crm.settings
    config = settings.home / "config.yaml"
    config.write_text(
        f"ocs: {{cgrates: '{settings.ocs.cgrates}', ocsTenant: '{settings.ocs.ocsTenant}'}}\n"
        f"hss: {{hss_peers: ['{settings.hss.hss_peers[0]}']}}\n"
    )
    (settings.home / "keys").mkdir(mode=0o700)
    (settings.home / "keys" / "column-1.key").write_bytes(bytes(range(32)))
    provision_id = operator.order()
    starter = (
        "import sys, time\n"
        "from omnicrm_tui.config_file import load_settings\n"
        "from omnicrm_tui.provisioning.dispatcher import LocalDispatcher\n"
        f"LocalDispatcher(load_settings()).dispatch({provision_id})\n"
        "print('started', flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "OMNICRM_HOME": str(settings.home), "OMNICRM_CONFIG": str(config)}
    process = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    def ended() -> bool:
        with operator.crm.reading(operator.admin) as work:
            return work.provisioning.get(provision_id).provisioning_status != 1

    assert _until(ended, 60)
    with operator.crm.reading(operator.admin) as work:
        assert work.provisioning.get(provision_id).provisioning_status == SUCCESS


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition, with a deadline."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.05)
    return True


@pytest.mark.req("SVC-052")
def test_no_text_of_a_request_is_evaluated(operator: Operator, tmp_path: Path) -> None:
    spoils = tmp_path / "spoils"
    bare = f"lookup('pipe', 'touch {spoils}')"
    tasks = (
        'assert: {that: ["{{ bare }}"]}\n      ignore_errors: true',
        'assert: {that: ["{{ inner.bare[0] }}"]}\n      ignore_errors: true',
        "assert: {that: bare}\n      ignore_errors: true",
        'debug: {msg: "{{ marked }} {{ inner }}"}',
    )
    play = tmp_path / "plays" / "play_simple_service.yaml"
    play.parent.mkdir(exist_ok=True)
    play.write_text(TASK.format("\n    - ".join(tasks)))
    marked = "{{ " + bare + " }}"
    job, _ = run(
        operator, operator.order("play_simple_service", bare=bare, marked=marked, inner={"bare": [bare, marked]})
    )
    assert job.provisioning_status == SUCCESS
    assert not spoils.exists()


@pytest.mark.req("SVC-065", "SVC-066")
def test_a_database_that_is_away_for_a_while_costs_a_job_nothing(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"record": 0, "finish": 0}
    record, finish = JobProgress.record, JobProgress.finish

    def record_later(self: JobProgress, *events: EventRecord, **more: Any) -> None:
        calls["record"] += 1
        if 5 <= calls["record"] < 9:
            raise DatabaseProblem("The database is locked.")
        record(self, *events, **more)

    def finish_later(self: JobProgress, end: JobEnd) -> None:
        calls["finish"] += 1
        if calls["finish"] == 1:
            raise DatabaseProblem("The disk is full.")
        finish(self, end)

    monkeypatch.setattr(JobProgress, "record", record_later)
    monkeypatch.setattr(JobProgress, "finish", finish_later)
    monkeypatch.setattr("omnicrm_tui.job.runner.FINISH_PAUSE_SECONDS", 0.0)
    job, events = run(operator, operator.order("play_simple_service"))
    assert (job.provisioning_status, calls["finish"]) == (SUCCESS, 2)
    assert [event.event_number for event in events] == list(range(1, len(events) + 1))
    assert {event.provisioning_status for event in events} == {SUCCESS}


@pytest.mark.req("SVC-130")
@pytest.mark.parametrize("reason", ["cancelled", "interrupted"])
def test_cancelling_and_a_host_that_shuts_down_end_a_task_that_would_go_on_for_ever(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr("omnicrm_tui.job.preparation.RunSettings", partial(RunSettings, grace_seconds=0.5))
    play = tmp_path / "plays" / "play_simple_service.yaml"
    play.parent.mkdir(exist_ok=True)
    play.write_text(TASK.format("command: sleep 300"))
    provision_id = operator.order("play_simple_service")

    def begun() -> bool:
        with operator.crm.reading(operator.admin) as work:
            return bool(work.provisioning.events(provision_id))

    def end() -> None:
        if not _until(begun, 60):
            return
        if reason == "interrupted":
            os.kill(os.getpid(), signal.SIGTERM)  # as systemd sends it to all that is left
            return
        with operator.crm.as_actor(operator.admin) as work:
            work.provisioning.cancel(provision_id)

    person = threading.Thread(target=end)
    person.start()
    job, _ = run(operator, provision_id)
    person.join()
    assert (job.provisioning_status, job.status_reason) == (FAILED, reason)
    assert ("host" in (job.error_message or "")) == (reason == "interrupted")
