"""The OCS as a play or the application calls it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.lab.network import LabNetwork
from omnicrm_tui.lab.ocs_rpc import METHODS

Rpc = Callable[..., Any]
NEVER = "0001-01-01T00:00:00Z"


def balances(rpc: Rpc, account: str, kind: str = "*monetary") -> list[dict[str, Any]] | None:
    shown = rpc("ApierV2.GetAccount", Account=account)["BalanceMap"]
    return None if shown is None else shown[kind]


def value(rpc: Rpc, account: str, kind: str = "*monetary") -> list[tuple[str, float]]:
    return [(pot["ID"], pot["Value"]) for pot in balances(rpc, account, kind) or []]


@pytest.mark.req("CAT-491", "SVC-108", "SVC-515")
def test_a_play_creates_its_account(rpc: Rpc) -> None:
    options = {"AllowNegative": False, "Disabled": False}
    created = rpc(
        "ApierV2.SetAccount", Tenant="op", Account="Service_1", ActionPlanIds=[], ActionPlansOverwrite=True,
        ExtraOptions=options, ReloadScheduler=True,
    )  # fmt: skip
    assert created == "OK"
    account = rpc("ApierV2.GetAccount", Tenant="op", Account="Service_1")
    assert account["ID"] == "op:Service_1"
    assert account["BalanceMap"] is None
    assert rpc("ApierV2.GetAccount", Account="Service_1") == {"error": "NOT_FOUND"}


@pytest.mark.req("CAT-495", "CAT-496", "CAT-497", "SVC-116", "BIL-169", "BIL-170")
def test_balances_as_the_plays_add_them(rpc: Rpc) -> None:
    first = {"ID": "Initial Balance", "Value": 0, "ExpiryTime": "+4320h", "Weight": 1, "Blocker": True}
    data = {"ID": "Data Package", "Value": 10737418240, "ExpiryTime": "+720h", "Weight": 10, "DestinationIDs": "*any"}
    assert rpc("ApierV1.AddBalance", Account="a", BalanceType="*monetary", Categories="*any", Balance=first) == "OK"
    assert rpc("ApierV1.AddBalance", Account="a", BalanceType="*data", Balance=data) == "OK"
    assert rpc("ApierV1.AddBalance", Account="a", BalanceType="*sms", Balance={"Value": 100}) == "OK"
    [money] = balances(rpc, "a") or []
    assert (money["Value"], money["Blocker"], money["Weight"]) == (0, True, 1)
    assert money["ExpirationDate"] == "2027-05-20T00:00:00Z"
    [pot] = balances(rpc, "a", "*data") or []
    assert (pot["Value"], pot["ExpirationDate"]) == (10737418240, "2026-12-21T00:00:00Z")
    assert pot["DestinationIDs"] == {"*any": True}
    assert value(rpc, "a", "*sms") == [("", 100)]


@pytest.mark.req("SVC-519")
def test_adding_keeps_the_old_expiry_and_setting_moves_it(rpc: Rpc) -> None:
    dated = {"ID": "D", "ExpiryTime": "2027-01-01T00:00:00Z"}
    later = {"ID": "D", "ExpiryTime": "2029-01-01T00:00:00Z"}
    rpc("ApierV1.AddBalance", Account="a", BalanceType="*data", Value=5, Balance=dated)
    rpc("ApierV1.AddBalance", Account="a", BalanceType="*data", Value=-2, Balance=later)
    [pot] = balances(rpc, "a", "*data") or []
    assert (pot["Value"], pot["ExpirationDate"]) == (7, "2027-01-01T00:00:00Z")
    rpc("ApierV1.SetBalance", Account="a", BalanceType="*data", Value=3, Balance=later)
    [pot] = balances(rpc, "a", "*data") or []
    assert (pot["Value"], pot["ExpirationDate"]) == (3, "2029-01-01T00:00:00Z")


@pytest.mark.req("SVC-523")
def test_an_expired_balance_vanishes_and_its_type_stays(rpc: Rpc, lab_clock: FrozenClock) -> None:
    rpc("ApierV1.AddBalance", Account="a", BalanceType="*data", Value=5, Balance={"ID": "D", "ExpiryTime": "+1h"})
    lab_clock.advance(timedelta(hours=1))
    assert value(rpc, "a", "*data") == [("D", 5)]
    lab_clock.advance(timedelta(seconds=1))
    assert balances(rpc, "a", "*data") is None
    assert rpc("ApierV1.GetAccount", Account="a")["BalanceMap"] == {"*data*out": []}


def test_a_debit_goes_below_zero(rpc: Rpc) -> None:
    rpc("ApierV1.AddBalance", Account="a", BalanceType="*monetary", Value=3, Balance={"ID": "M"})
    assert rpc("ApierV1.DebitBalance", Account="a", BalanceType="*monetary", Value=10.25, Balance={"ID": "M"}) == "OK"
    assert value(rpc, "a") == [("M", -7.25)]


@pytest.mark.req("BIL-175", "PLT-443")
def test_usage_takes_the_boost_before_the_monthly_package(rpc: Rpc) -> None:
    for name, weight in (("MONTHLY", 10), ("BOOST", 20)):
        rpc("ApierV1.AddBalance", Account="a", BalanceType="*data", Value=100, Balance={"ID": name, "Weight": weight})
    assert rpc("APIerSv1.DebitUsage", Account="a", ToR="*data", Usage="130", Category="data") == "OK"
    assert value(rpc, "a", "*data") == [("MONTHLY", 70), ("BOOST", 0)]
    assert rpc("APIerSv1.DebitUsage", Account="a", ToR="*data", Usage="71") == {
        "error": "SERVER_ERROR: INSUFFICIENT_CREDIT"
    }
    assert value(rpc, "a", "*data") == [("MONTHLY", 70), ("BOOST", 0)], "refused usage takes nothing"


@pytest.mark.req("BIL-168")
def test_a_disabled_account_is_charged_nothing(rpc: Rpc) -> None:
    rpc("ApierV1.AddBalance", Account="a", BalanceType="*data", Value=10, Balance={"ID": "D"})
    rpc("ApierV2.SetAccount", Account="a", ExtraOptions={"Disabled": True})
    assert rpc("APIerSv1.DebitUsage", Account="a", ToR="*data", Usage="1") == {
        "error": "SERVER_ERROR: ACCOUNT_DISABLED"
    }
    assert rpc("ApierV2.GetAccount", Account="a")["Disabled"] is True


def test_keys_are_matched_without_regard_to_case(rpc: Rpc) -> None:
    assert rpc("ApierV1.AddBalance", account="a", BALANCETYPE="*sms", value=4, balance={"id": "S"}) == "OK"
    assert value(rpc, "a", "*sms") == [("S", 4)]


@pytest.mark.req("SVC-516", "CAT-494", "SVC-111")
@pytest.mark.parametrize("method", ["ApierV1.RemoveAccount", "ApierV2.RemoveAccount", "APIerSv1.RemoveAccount"])
def test_removing_an_account_leaves_nothing_of_it(rpc: Rpc, method: str) -> None:
    plan(rpc, "PLAN", Time="*monthly")
    rpc("ApierV2.SetAccount", Account="a", ActionPlanIds=["PLAN"])
    assert rpc(method, Account="a", ReloadScheduler=True) == "OK"
    assert rpc("ApierV2.GetAccount", Account="a") == {"error": "NOT_FOUND"}
    assert rpc("APIerSv1.GetActionPlan", ID="PLAN")[0]["AccountIDs"] == {}
    assert rpc(method, Account="a") == "OK", "removing twice is no error"


def plan(rpc: Rpc, name: str, **timing: str) -> None:
    top_up = {"Identifier": "*topup_reset", "BalanceType": "*data", "BalanceId": "D", "Units": "10", "Weight": 10}
    assert (
        rpc("ApierV2.SetActions", ActionsId="ACT", Overwrite=True, Actions=[top_up, {"Identifier": "*cdrlog"}]) == "OK"
    )
    entry = {"ActionsId": "ACT", "Years": "*any", "Months": "*any", "Weight": 10, **timing}
    assert rpc("ApierV1.SetActionPlan", Id=name, ActionPlan=[entry], Overwrite=True, ReloadScheduler=True) == "OK"


@pytest.mark.req("CAT-500", "CAT-501", "CAT-492", "SVC-521", "BIL-172")
def test_a_renewal_is_stored_attached_and_listed(rpc: Rpc) -> None:
    plan(rpc, "ActionPlan_Monthly_1", Time="00:00:00", MonthDays="1")
    assert (
        rpc("ApierV2.SetAccount", Account="a", ActionPlanIds=["ActionPlan_Monthly_1"], ActionPlansOverwrite=True)
        == "OK"
    )
    [scheduled] = rpc("ApierV1.GetScheduledActions", Account="a")
    assert (scheduled["NextRunTime"], scheduled["ActionPlanID"]) == ("2026-12-01T00:00:00Z", "ActionPlan_Monthly_1")
    [mine] = rpc("APIerSv1.GetAccountActionPlan", Account="a")
    assert (mine["ActionsId"], mine["NextExecTime"]) == ("ACT", "2026-12-01T00:00:00Z")
    assert [a["Identifier"] for a in rpc_raw(rpc, "ACT")] == ["*topup_reset", "*cdrlog"]


def rpc_raw(rpc: Rpc, actions_id: str) -> list[dict[str, Any]]:
    shown = rpc("APIerSv2.GetActions", ActionIDs=[actions_id])[actions_id]
    return [{"Identifier": action["ActionType"]} for action in shown]


@pytest.mark.req("CAT-502", "BIL-173")
def test_a_renewal_is_stopped(rpc: Rpc) -> None:
    plan(rpc, "PLAN", Time="*monthly")
    rpc("ApierV2.SetAccount", Account="a", ActionPlanIds=["PLAN"])
    assert rpc("APIerSv1.RemoveActionTiming", Account="a", ActionPlanId="PLAN", ReloadScheduler=True) == "OK"
    assert rpc("APIerSv1.GetAccountActionPlan", Account="a") == []
    rpc("ApierV2.SetAccount", Account="a", ActionPlanIds=["PLAN"])
    assert rpc("ApierV1.RemoveActionPlan", Id="PLAN") == "OK"
    assert rpc("APIerSv1.GetActionPlan", ID="PLAN") == {"error": "NOT_FOUND"}
    assert rpc("ApierV1.GetScheduledActions", Account="a") == {"error": "NOT_FOUND"}


@pytest.mark.req("CAT-498", "CAT-499")
def test_stored_actions_are_carried_out(rpc: Rpc) -> None:
    plan(rpc, "NOW", Time="*asap")
    rpc("ApierV2.SetAccount", Account="a", ActionPlanIds=["NOW"])
    assert value(rpc, "a", "*data") == [("D", 10)], "a plan that is due at once runs when it is attached"
    rpc("APIerSv1.DebitBalance", Account="a", BalanceType="*data", Value=8, Balance={"ID": "D"})
    assert rpc("APIerSv1.ExecuteAction", Account="a", ActionsId="ACT") == "OK"
    assert value(rpc, "a", "*data") == [("D", 10)]
    assert rpc("APIerSv1.ResetAccountActionTriggers", Account="a", Executed=False) == "OK"
    assert rpc("APIerSv1.ExecuteAction", Account="a", ActionsId="NONE") == {"error": "NOT_FOUND"}


def test_actions_that_fail_change_nothing(rpc: Rpc) -> None:
    steps = [
        {"Identifier": "*topup", "BalanceType": "*sms", "BalanceId": "S", "Units": "5", "Weight": 20},
        {"Identifier": "*teleport", "Weight": 10},
    ]
    rpc("ApierV2.SetActions", ActionsId="BAD", Overwrite=True, Actions=steps)
    assert rpc("APIerSv1.ExecuteAction", Account="a", ActionsId="BAD") == {"error": "PARTIALLY_EXECUTED"}
    assert rpc("ApierV2.GetAccount", Account="a")["BalanceMap"] is None


@pytest.mark.req("SVC-517", "SVC-518", "SVC-522", "CAT-503")
def test_profiles_are_kept_and_removed(rpc: Rpc) -> None:
    attribute = {"Path": "*req.PhoneNumber", "Type": "*constant", "Value": "15550100"}
    assert rpc("APIerSv1.SetAttributeProfile", ID="ATTR_1", Contexts=["*any"], Attributes=[attribute]) == "OK"
    shown = rpc("APIerSv1.GetAttributeProfile", ID="ATTR_1")
    assert shown["Attributes"][0]["Value"][0]["Rules"] == "15550100"
    rpc("APIerSv1.SetFilter", ID="F", Rules=[{"Type": "*string", "Element": "~*req.Account", "Values": ["1"]}])
    rpc("APIerSv1.SetResourceProfile", ID="R", FilterIDs=["F"], Limit=2)
    for method, name in (("RemoveAttributeProfile", "ATTR_1"), ("RemoveResourceProfile", "R"), ("RemoveFilter", "F")):
        assert rpc(f"APIerSv1.{method}", ID=name) == "OK"
        assert rpc(f"ApierV1.{method}", ID=name) == {"error": "NOT_FOUND"}


def test_accounts_are_listed_by_page_and_filter(rpc: Rpc) -> None:
    for name in ("a", "b", "c"):
        rpc("ApierV2.SetAccount", Account=name, ExtraOptions={"Disabled": name == "b"})
    rpc("ApierV2.SetAccount", Tenant="other", Account="z")
    assert [a["ID"] for a in rpc("ApierV2.GetAccounts", Offset=1, Limit=1)] == ["cgrates.org:b"]
    assert [a["ID"] for a in rpc("ApierV2.GetAccounts", Filter={"Disabled": True})] == ["cgrates.org:b"]
    assert [a["ID"] for a in rpc("ApierV2.GetAccounts", AccountIDs=["c", "nobody"])] == ["cgrates.org:c"]
    assert rpc("ApierV2.GetAccountsCount") == 3
    assert rpc("ApierV1.GetAccountIDs", Search="b") == ["b"]
    assert rpc("ApierV2.GetAccounts", Tenant="nobody") is None


def test_concurrent_calls_lose_nothing(lab: LabNetwork, rpc: Rpc) -> None:
    request = {"method": "ApierV1.AddBalance", "params": [
        {"Account": "a", "BalanceType": "*sms", "Value": 1, "Balance": {"ID": "S"}}
    ]}  # fmt: skip

    def add(_: int) -> list[int]:
        with httpx.Client(timeout=30) as client:
            url = f"http://{lab.addresses.ocs}/jsonrpc"
            return [client.post(url, json=request).status_code for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        assert {status for statuses in pool.map(add, range(8)) for status in statuses} == {200}
    assert value(rpc, "a", "*sms") == [("S", 160)]


BAD_BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"method": 5, "params": []}',
    b'{"method": "nodots", "params": []}',
    b'{"method": "APIerSv1.AddBalance"}',
    b'{"method": "APIerSv1.AddBalance", "params": {"Account": "a"}}',
    b'{"method": "APIerSv1.AddBalance", "params": [[]]}',
    b'{"method": "APIerSv1.AddBalance", "params": [{"Account": "a", "BalanceType": "*data", "Value": NaN}]}',
    b'{"method": "APIerSv1.AddBalance", "params": [{"Account": "a", "BalanceType": "*data", "Value": 1e999}]}',
    b'{"method": "APIerSv1.AddBalance", "params": [{"Account": "a", "BalanceType": "*data", "Value": 1e300}]}',
    b'{"method": "APIerSv1.SetBalance", "params": [{"Account": "a", "BalanceType": "*d", "Balance": {"Value": []}}]}',
    b'{"method": "APIerSv1.GetActions", "params": [{}]}',
    b'{"method": "APIerSv2.SetActions", "params": [{"ActionsId": "x", "Actions": [null, 5]}]}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"method": "APIerSv1.AddBalance", "params": [{"Account": "a", "Value": ' + b"9" * 6_000 + b"}]}",
]  # fmt: skip


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_the_worst_requests_get_an_error_text(lab: LabNetwork, http: httpx.Client, body: bytes) -> None:
    response = http.post(f"http://{lab.addresses.ocs}/jsonrpc", content=body)
    assert response.status_code == 200
    assert isinstance(response.json()["error"], str)
    assert response.json()["error"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["*monthly", "+1h", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(sorted(METHODS))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_request_breaks_the_engine(lab: LabNetwork, http: httpx.Client, data: st.DataObject) -> None:
    name = data.draw(names)
    struct = METHODS[name].params
    fields = st.sampled_from(sorted(struct.fields)) if struct else st.text(max_size=5)
    params = [data.draw(st.dictionaries(fields, json_values, max_size=8) | json_values)]
    body = json.dumps({"method": name, "params": params, "id": 3})
    response = http.post(f"http://{lab.addresses.ocs}/jsonrpc", content=body)
    assert response.status_code == 200, (body, response.text)
    assert set(response.json()) == {"id", "result", "error"}


def test_a_body_without_end_is_refused(lab: LabNetwork, http: httpx.Client, rpc: Rpc) -> None:
    def endless() -> Any:
        for _ in range(40):
            yield b"x" * 1024 * 1024

    # The lab may hang up before everything was sent, which is as good.
    with contextlib.suppress(httpx.WriteError, httpx.ReadError):
        assert http.post(f"http://{lab.addresses.ocs}/jsonrpc", content=endless()).status_code == 413
    assert rpc("CoreSv1.Ping") == "Pong"
