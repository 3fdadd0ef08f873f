"""Accounts as people see them, from answers of a pretend charging system."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from omnicrm_tui.charging.schemas import AccountView
from omnicrm_tui.charging.service import ChargingService
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import ServiceInput
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.errors import NotFound, OutsideSystemError
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.integrations.ocs import OcsClient

NEVER = "0001-01-01T00:00:00Z"


def bucket(balance_id: str, value: object, weight: object = 10, expires: object = NEVER) -> dict[str, Any]:
    return {"ID": balance_id, "Value": value, "Weight": weight, "ExpirationDate": expires, "DestinationIDs": {}}


def found(balance_map: object, **more: Any) -> dict[str, Any]:
    return {"ID": "cgrates.org:A1", "BalanceMap": balance_map, "Disabled": False, **more}


@pytest.fixture
def service_id(crm: Crm, admin: Actor) -> int:
    with crm.as_actor(admin) as work:
        customer_id = work.customers.create(CustomerInput(customer_name="Zoë")).customer_id
        service = ServiceInput(
            customer_id=customer_id, service_name="Mobile", service_uuid="A1", service_usage_visible_to_customer=False
        )
        return work.customer_services.create(service).service_id


def account(crm: Crm, actor: Actor, service_id: int, answer: object, plans: object = None) -> AccountView:
    def handle(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        assert body["params"] == [{"Tenant": "cgrates.org", "Account": "A1"}]
        result = answer if body["method"] == "ApierV2.GetAccount" else plans
        error = "NOT_FOUND" if result is None else None
        return httpx.Response(200, json={"id": body["id"], "result": result, "error": error})

    ocs = OcsClient("ocs.example:2080", "cgrates.org", 1.0, httpx.MockTransport(handle))
    with crm.reading(actor) as work:
        return ChargingService(work, ocs).account(service_id)


@pytest.mark.req("CAT-153", "CAT-154", "CAT-155", "CAT-375", "SVC-328", "SVC-343", "SVC-346", "BIL-175", "CAT-157")
def test_balances_come_in_order_of_type_and_use(crm: Crm, admin: Actor, service_id: int) -> None:
    seen = account(
        crm,
        admin,
        service_id,
        found(
            {
                "*monetary": [bucket("PREPAID_CREDIT", 2550)],
                "*sms": [bucket("SMS_100", 7, 0)],
                "*data": [
                    bucket("DATA_20GB_Monthly", 13421772800, 10, "2026-12-02T12:00:00Z"),
                    bucket("DATA_5GB_Boost", 5368709120, 20, "2026-11-21T12:00:00.000000001Z"),
                    bucket("DATA_old", -5, 20, "2026-11-20T12:00:00Z"),
                ],
                "*voice": [bucket("VOICE_Unlimited", 99999999), bucket("monthly_voice_500min", 7_500_000_000_000, 5)],
            }
        ),
    )
    assert (seen.state, seen.service_uuid, seen.action_plans) == ("active", "A1", ())
    assert [(b.type, b.id, b.text, b.remaining_percent) for b in seen.balances] == [
        ("DATA", "DATA_old", "-5 B remaining", None),
        ("DATA", "DATA_5GB_Boost", "5 GB remaining", 100),
        ("DATA", "DATA_20GB_Monthly", "12.5 GB remaining", 62),
        ("VOICE", "VOICE_Unlimited", "Unlimited minutes", 100),
        ("VOICE", "monthly_voice_500min", "125 minutes remaining", 25),
        ("SMS", "SMS_100", "7 SMS remaining", None),
        ("MONETARY", "PREPAID_CREDIT", "$25.50 credit", None),
    ]
    assert [b.expired for b in seen.balances[:3]] == [True, True, False]
    assert seen.balances[2].expires == datetime(2026, 12, 2, 12, tzinfo=UTC)
    assert (seen.balances[2].expiry_text, seen.balances[3].expiry_text) == ("in 11 days", "never")
    assert (seen.balances[6].value, seen.balances[6].unit) == (Decimal("25.5"), "currency")


@pytest.mark.parametrize(
    ("answer", "state", "texts"),
    [
        (None, "missing", []),
        (found(None), "active", []),
        (found({"*data": None}, Disabled=True), "disabled", []),
        ({"Id": "*out", "balancemap": {"*data*out": [{"Id": "D", "Value": 1024}]}}, "active", ["1 KB remaining"]),
        (found({"*data": [{"ID": "D", "Value": 1024, "ExpiryTime": NEVER}]}), "active", ["1 KB remaining"]),
        (found({"*generic": [bucket("", 2)]}), "active", ["2 remaining"]),
    ],
)
@pytest.mark.req("SVC-330", "SVC-338")
def test_missing_empty_and_older_accounts_are_understood(
    crm: Crm, admin: Actor, service_id: int, answer: object, state: str, texts: list[str]
) -> None:
    seen = account(crm, admin, service_id, answer)
    assert (seen.state, [balance.text for balance in seen.balances]) == (state, texts)


@pytest.mark.req("CAT-158")
@pytest.mark.parametrize(
    ("written", "destinations"),
    [
        ({"INTERNATIONAL": True, "AU": True}, ("AU", "INTERNATIONAL")),
        ("AU;INTERNATIONAL", ("AU", "INTERNATIONAL")),
        (["AU"], ("AU",)),
        ({}, ()),
        (None, ()),
    ],
)
def test_a_buckets_destinations_are_names_however_they_are_written(
    crm: Crm, admin: Actor, service_id: int, written: object, destinations: tuple[str, ...]
) -> None:
    answer = found({"*voice": [bucket("VOICE", 60) | {"DestinationIDs": written}]})
    (balance,) = account(crm, admin, service_id, answer).balances
    assert balance.destinations == destinations


@pytest.mark.req("SVC-331")
@pytest.mark.parametrize(
    "answer",
    [
        "OK",
        [1],
        found([1]),
        found({"*data": 5}),
        found({"*data": [5]}),
        found({"*data": [bucket("D", "many")]}),
        found({"*data": [bucket("D", True)]}),
        found({"*data": [bucket("D", 1e300)]}),
        found({"*data": [bucket("D", 1, "heavy")]}),
        found({"*data": [bucket("D", 1, 1, "soon")]}),
        found({"*data": [bucket("D", 1, 1, 5)]}),
    ],
)
def test_nonsense_is_an_error_that_says_what_to_do(crm: Crm, admin: Actor, service_id: int, answer: object) -> None:
    with pytest.raises(OutsideSystemError, match="Ask the operator"):
        account(crm, admin, service_id, answer)


@pytest.mark.req("CAT-163", "CAT-164", "CAT-165", "CAT-166", "CAT-167", "SVC-356", "SVC-357")
def test_renewals_come_in_order_of_time_with_the_parts_of_their_ids(crm: Crm, admin: Actor, service_id: int) -> None:
    plans = [
        {"ActionPlanId": "AP_RENEW", "NextExecTime": NEVER},
        {"ActionPlanId": "ServiceID_A1__ProductID_456__Monthly", "NextExecTime": "2026-12-02T12:00:00Z"},
        {
            "ActionPlanId": "ProductID_MonthlyPlan__ProductName_20GB_Mobile__ActionPlan_Monthly_Renew",
            "NextExecTime": "2026-11-22T13:00:00Z",
        },
    ]
    seen = account(crm, admin, service_id, found(None), plans).action_plans
    assert [(p.plan_name, p.action_name, p.frequency, p.next_exec_text) for p in seen] == [
        ("20GB Mobile", "Monthly Renew", "Every MonthlyPlan", "tomorrow"),
        ("N/A", "N/A", "N/A", "in 11 days"),
        ("N/A", "N/A", "N/A", "never"),
    ]
    assert seen[1].parts["ProductID"] == "456"


@pytest.mark.req("CAT-063", "CAT-380")
def test_usage_that_is_not_shown_is_not_even_asked_for(crm: Crm, admin: Actor, service_id: int) -> None:
    own = Actor(ActorKind.CUSTOMER, "zoe", permissions=frozenset({"view_own_customer_service"}), own_customer_id=1)
    assert account(crm, own, service_id, "never asked").state == "hidden"
    with pytest.raises(NotFound):
        account(crm, admin, service_id + 1, None)


def test_without_a_configured_system_the_message_names_the_key(crm: Crm, admin: Actor, service_id: int) -> None:
    with crm.reading(admin) as work, pytest.raises(OutsideSystemError, match=r"ocs\.cgrates"):
        work.charging.account(service_id)
