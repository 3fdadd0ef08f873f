"""The shipped plays, run by Ansible: what they create, and that they leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omnicrm_tui.provisioning.play_file import read_play
from omnicrm_tui.provisioning.play_lint import lint_play
from omnicrm_tui.shipped import PLAYS
from tests.playbooks.conftest import Job
from tests.playbooks.fake_backend import IMSI, KI, OPC, Backend

RunPlay = Callable[..., Job]
pytestmark = pytest.mark.ansible


@pytest.mark.req("SVC-100", "SVC-101", "SVC-102", "SVC-103", "SVC-104", "SVC-105", "SVC-110", "BIL-108", "BIL-144")
@pytest.mark.req("BIL-145")
def test_psim_only_builds_the_whole_service(run_play: RunPlay, backend: Backend) -> None:
    job = run_play("play_psim_only")
    assert (job.result.rc, job.result.status) == (0, 0)
    (service,) = backend.services.values()
    uuid = service["service_uuid"]
    assert service["service_name"] == "Mobile SIM Only - +61412345678"
    assert (service["service_status"], service["retail_cost"], service["customer_id"]) == ("Active", 15.0, 456)
    assert [balance["Value"] for balance in backend.accounts[uuid]["balances"]] == [0]
    assert backend.subscribers[IMSI] == {
        **{"imsi": IMSI, "msisdn": "+61412345678", "ki": KI, "opc": OPC, "enabled": True}
    }
    for number in (789, 101):
        item = backend.items[number]
        assert (item["item_state"], item["customer_id"], item["service_id"]) == (
            *("Assigned", 456, service["service_id"]),
        )
    setup, month = backend.transactions
    assert (setup["title"], setup["retail_cost"]) == ("Mobile SIM Only - Setup Costs", 5.0)
    assert (month["title"].rpartition(" - ")[0], month["retail_cost"]) == ("Mobile SIM Only", 15.0)
    assert month["wholesale_cost"] == 3.0
    assert backend.mails[0]["Messages"][0]["To"] == [{"Email": "li@example.com", "Name": "Li Wei"}]
    assert backend.messages[0]["destination_msisdn"] == "+61412345678"
    assert job.result.facts["service_id"] == service["service_id"]
    assert job.result.facts["service_uuid"] == uuid
    assert backend.seen_elsewhere == []


@pytest.mark.req("SVC-073")
def test_a_play_goes_its_usual_way(run_play: RunPlay) -> None:
    names = [event.event_name for event in run_play("play_psim_only").events]
    way = [
        "Read the product",
        "Read the chosen inventory",
        "Create the charging account",
        "Create the HSS subscriber",
        "Create the service",
        "Assign the inventory",
        "Record the set-up charge",
        "Send the welcome e-mail",
        "Send the welcome SMS",
    ]
    places = [names.index(name) for name in way]
    assert places == sorted(places)


@pytest.mark.req("SVC-106", "SVC-107", "SVC-108", "SVC-109")
def test_simple_service_needs_no_inventory(run_play: RunPlay, backend: Backend) -> None:
    job = run_play("play_simple_service", {"product_id": 2, "SIM Card": None, "Mobile Number": None})
    assert job.result.status == 0, job.events[-1]
    (service,) = backend.services.values()
    assert service["service_name"] == f"Service: {service['service_uuid']}"
    assert service["service_uuid"] in backend.accounts
    assert [item["item_state"] for item in backend.items.values()] == ["New", "In Stock", "Assigned"]


@pytest.mark.req("SVC-053", "BIL-169")
def test_the_request_overrides_costs_and_balances(run_play: RunPlay, backend: Backend) -> None:
    balances = [{"balance_type": "*data", "id": "DATA_20GB", "value": 21474836480, "expiry": "+720h"}]
    job = run_play("play_psim_only", {"monthly_cost": 45, "setup_cost": 0, "balances": balances})
    assert job.result.status == 0
    assert next(iter(backend.services.values()))["retail_cost"] == 45
    assert backend.transactions[0]["retail_cost"] == 0
    (account,) = backend.accounts.values()
    assert account["balances"][0]["Value"] == 21474836480
    assert account["balances"][0]["ID"] == "DATA_20GB"


@pytest.mark.req("BIL-145")
def test_what_costs_nothing_a_month_is_not_charged_for_one(run_play: RunPlay, backend: Backend) -> None:
    assert run_play("play_psim_only", {"monthly_cost": 0}).result.status == 0
    assert [charge["title"] for charge in backend.transactions] == ["Mobile SIM Only - Setup Costs"]


@pytest.mark.req("BIL-146", "BIL-169", "BIL-175")
def test_a_plan_brings_what_its_product_grants(run_play: RunPlay, backend: Backend) -> None:
    job = run_play("play_psim_only", {"data_gb": 1.5, "voice_minutes": "100", "sms_count": 50, "days": 7})
    assert job.result.status == 0, job.result.message
    (account,) = backend.accounts.values()
    assert [(balance["type"], balance["ID"], balance["Value"]) for balance in account["balances"]] == [
        ("*data", "DATA_1.5GB", 1610612736),
        ("*voice", "VOICE_100min", 6_000_000_000_000),
        ("*sms", "SMS_50SMS", 50),
        ("*monetary", "Initial Balance", 0),
    ]
    assert {balance["ExpiryTime"] for balance in account["balances"][:3]} == {"+168h"}


@pytest.mark.req("SVC-088", "SVC-090", "SVC-092", "SVC-097", "CAT-203", "CAT-449", "CAT-456", "BIL-110")
@pytest.mark.parametrize(
    "fault",
    [
        {"ApierV2.SetAccount": (200, {"result": None, "error": "SERVER_ERROR: no"})},
        {"ApierV1.AddBalance": (500, {})},
        {"PUT /subscriber/": (500, {"message": "no space"})},
        {"PUT /crm/service/": (400, {"message": "no"})},
        {"PUT /crm/transaction/": (503, {"message": "no"})},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_failure_leaves_no_trace(run_play: RunPlay, backend: Backend, fault: dict) -> None:
    before = backend.snapshot()
    backend.faults = fault
    job = run_play("play_psim_only")
    assert (job.result.rc, job.result.status, job.result.rescued) == (2, 2, True)
    assert job.result.not_undone == ()
    assert backend.snapshot() == before
    failed = [event for event in job.events if event.status == 2]
    assert [event.phase for event in failed] == ["main", "rescue"]
    assert not any(event.fatal for event in job.events)
    if "ApierV2.SetAccount" in fault:
        assert "SERVER_ERROR: no" in job.result.message


@pytest.mark.req("SVC-097", "SVC-088")
def test_a_rollback_puts_a_reused_subscriber_back(run_play: RunPlay, backend: Backend) -> None:
    keys = {"ki": KI, "opc": OPC}
    radio = {"ue_ambr_dl": 9999999, "apn_list": "1,2,7", "roaming": {"enabled": False}, "nam": 2}
    backend.subscribers[IMSI] = {"imsi": IMSI, "msisdn": "99990123456789", "enabled": True, **keys, **radio}
    backend.faults = {"PUT /crm/service/": (400, {"message": "no"})}
    before = backend.snapshot()
    job = run_play("play_psim_only")
    assert (job.result.status, job.result.not_undone) == (2, ())
    assert backend.snapshot() == before
    told = [event.result for event in job.events]
    assert KI not in repr(told)


@pytest.mark.req("SVC-092")
def test_a_job_that_did_nothing_undoes_nothing(run_play: RunPlay, backend: Backend) -> None:
    backend.accounts["Mobile_SIM_other"] = {"balances": []}
    backend.faults = {"GET /crm/product": (500, {})}
    before = backend.snapshot()
    job = run_play("play_psim_only", {"service_uuid": "Mobile_SIM_other", "service_id": 7000})
    assert job.result.status == 2
    assert backend.snapshot() == before


def _provisioned(run_play: RunPlay, backend: Backend) -> dict:
    job = run_play("play_psim_only")
    assert job.result.status == 0
    return {name: job.result.facts[name] for name in ("service_id", "service_uuid")}


@pytest.mark.req("SVC-089", "SVC-090", "SVC-091", "SVC-092", "SVC-093", "SVC-095", "SVC-099", "CAT-452", "BIL-189")
def test_deprovisioning_returns_the_items_and_leaves_the_subscriber_dormant(
    run_play: RunPlay, backend: Backend
) -> None:
    facts = _provisioned(run_play, backend)
    job = run_play("play_psim_only", {**facts, "action": "deprovision", "SIM Card": None, "Mobile Number": None})
    assert (job.result.rc, job.result.status, job.result.not_undone) == (0, 0, ())
    assert [event for event in job.events if event.status in (2, 3)] == []
    assert backend.accounts == {}
    assert backend.subscribers[IMSI]["msisdn"] == "99990123456789"
    assert (backend.subscribers[IMSI]["ue_ambr_dl"], backend.subscribers[IMSI]["enabled"]) == (9999999, True)
    for number in (789, 101):
        item = backend.items[number]
        assert (item["item_state"], item["customer_id"], item["service_id"]) == ("Used", None, None)
    assert backend.items[555]["service_id"] == 7000
    assert backend.services[facts["service_id"]]["service_status"] == "Deactivated"
    assert len(backend.transactions) == 2


@pytest.mark.req("SVC-095", "SVC-096", "SVC-145")
def test_a_dedicated_sim_leaves_the_hss(run_play: RunPlay, backend: Backend) -> None:
    facts = _provisioned(run_play, backend)
    job = run_play("play_psim_only", {**facts, "action": "deprovision", "deprovision_subscriber": True})
    assert job.result.status == 0
    assert backend.subscribers == {}


@pytest.mark.req("SVC-094")
def test_deprovisioning_again_finds_nothing_and_succeeds(run_play: RunPlay, backend: Backend) -> None:
    facts = _provisioned(run_play, backend)
    for _ in range(2):
        job = run_play("play_psim_only", {**facts, "action": "deprovision"})
        assert (job.result.status, job.result.not_undone) == (0, ())


@pytest.mark.req("SVC-097")
def test_the_facts_of_a_crashed_job_are_enough_to_clean_up(run_play: RunPlay, backend: Backend) -> None:
    before = backend.snapshot()
    job = run_play("play_psim_only")
    backend.transactions.clear()
    recovery = run_play("play_psim_only", {**job.result.facts, "action": "deprovision"})
    assert recovery.result.status == 0
    assert backend.snapshot() == before


@pytest.mark.req("SVC-094")
def test_what_could_not_be_undone_is_named(run_play: RunPlay, backend: Backend) -> None:
    error = {"id": 1, "result": None, "error": "SERVER_ERROR: the storage is gone"}
    backend.faults = {"RemoveAccount": (500, {}), "PUT /subscriber/": (500, {}), "RemoveFilter": (200, error)}
    job = run_play("play_psim_only")
    assert job.result.status == 2
    assert job.result.not_undone == (
        "Remove the charging account",
        "Remove the attribute, resource and filter profiles",
    )


@pytest.mark.req("SVC-124", "CAT-455")
def test_a_failed_notification_is_ignored(run_play: RunPlay, backend: Backend) -> None:
    backend.faults = {"/v3.1/send": (500, {}), "/SMSc/": (500, {})}
    job = run_play("play_psim_only")
    assert job.result.status == 0
    assert job.last()["Send the welcome e-mail"].status == 3
    assert job.last()["Send the welcome SMS"].status == 3


@pytest.mark.req("SVC-123")
def test_missing_inventory_stops_before_anything_is_done(run_play: RunPlay, backend: Backend) -> None:
    before = backend.snapshot()
    job = run_play("play_psim_only", {"SIM Card": None})
    assert job.result.status == 2
    assert "Missing required inventory" in job.result.message
    assert "SIM Card" in job.result.message
    assert backend.snapshot() == before


@pytest.mark.req("SVC-131", "SVC-132", "SVC-133", "SVC-134", "SVC-137", "SVC-138", "CAT-446", "CAT-481")
@pytest.mark.parametrize("play", sorted(PLAYS.glob("play_*.yaml")), ids=lambda path: path.stem)
def test_shipped_plays_follow_the_authors_rules(play: Path) -> None:
    assert lint_play(play) == []
    assert read_play(play).task_count > 5
