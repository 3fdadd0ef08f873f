"""Products, services and money over REST: what plays call, and what people look at."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.charging.schemas import AccountView, ActionPlanView, BalanceView
from omnicrm_tui.charging.service import ChargingService
from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.identity.actor import Actor, ActorKind
from tests.api.conftest import ClientAs

PRODUCT = {
    "product_name": "Mobile SIM",
    "product_slug": "mobile-sim",
    "category": "standalone",
    "service_type": "mobile",
    "comment": "Physical SIM card",
    "retail_cost": "15.5",
    "retail_setup_cost": 1,
    "wholesale_cost": 3.0,
    "tax_percentage": "12.5",
    "features_list": "['Unlimited calls', '10 GB']",
    "provisioning_play": "play_psim_only",
    "inventory_items_list": "['SIM Card']",
}


@pytest.fixture
def product(client: TestClient) -> dict[str, Any]:
    answer = client.put("/crm/product/", json=PRODUCT)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def service(client: TestClient, product: dict[str, Any]) -> dict[str, Any]:
    """A service as the play's PUT makes it: ids and costs quoted, a date without a colon in its offset."""
    customer = client.put("/crm/customer/", json={"customer_name": "Ada"}).json()
    answer = client.put(
        "/crm/service/",
        json={
            "customer_id": str(customer["customer_id"]),
            "product_id": str(product["product_id"]),
            "service_name": "Mobile SIM - Local_abc",
            "service_type": "mobile",
            "service_uuid": "Local_abc",
            "service_billed": True,
            "service_taxable": True,
            "service_provisioned_date": "2026-11-21T11:00:00+0000",
            "service_status": "Active",
            "wholesale_cost": "3",
            "retail_cost": "15.5",
        },
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.req("CAT-195", "CAT-213")
def test_a_product_is_made_read_changed_and_cloned(client: TestClient, product: dict[str, Any]) -> None:
    path = f"/crm/product/product_id/{product['product_id']}"
    read = client.get(path).json()
    assert (read["product_name"], read["comment"]) == ("Mobile SIM", "Physical SIM card")
    assert (read["retail_cost"], read["retail_setup_cost"], read["wholesale_cost"]) == (15.5, 1, 3)
    assert read["inventory_items_list"] == "['SIM Card']"
    assert client.patch(path, json={**read, "enabled": False}).json()["enabled"] is False
    assert client.post(f"{path}/clone").json()["product_name"] == "Mobile SIM clone"
    assert client.post("/crm/product", json=PRODUCT).status_code == 409


@pytest.mark.req("CAT-196", "CAT-197", "CAT-360")
def test_only_what_is_on_sale_is_offered_and_management_sees_all(client: TestClient, product: dict[str, Any]) -> None:
    client.put("/crm/product/", json={**PRODUCT, "product_slug": "later", "available_from": "2027-01-01"})
    client.put("/crm/product/", json={**PRODUCT, "product_slug": "top-up", "category": "addon"})

    def slugs(path: str, **parameters: str) -> set[str]:
        return {found["product_slug"] for found in client.get(path, params=parameters).json()["data"]}

    assert slugs("/crm/product/") == {"mobile-sim", "top-up"}
    assert slugs("/crm/product/", account_type="Individual", group="plans") == {"mobile-sim"}
    assert slugs("/crm/product/", include_disabled="true") == {"mobile-sim", "later", "top-up"}
    assert slugs("/crm/product/paginated", filters='{"category": ["addon"]}') == {"top-up"}
    assert client.get("/crm/product/", params={"account_type": "Martian"}).status_code == 400
    assert product["product_slug"] == "mobile-sim"


@pytest.mark.req("CAT-185", "CAT-186", "CAT-187", "CAT-198", "CAT-199", "CAT-201", "CAT-203")
def test_a_service_is_made_found_and_removed_as_plays_do(client: TestClient, service: dict[str, Any]) -> None:
    assert service["service_provisioned_date"] == "2026-11-21T11:00:00Z"
    path = f"/crm/service/service_id/{service['service_id']}"
    assert client.get(path).json()["service_uuid"] == "Local_abc"
    assert client.get("/crm/service/service_uuid/Local_abc").json()["service_id"] == service["service_id"]
    assert client.get("/crm/service/service_uuid/other").status_code == 404
    assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404


@pytest.mark.req("CAT-073", "CAT-074", "CAT-202")
def test_a_patch_changes_the_editable_fields_and_leaves_the_others(client: TestClient, service: dict[str, Any]) -> None:
    path = f"/crm/service/{service['service_id']}"
    whole = {**service, "service_notes": "Roof", "service_uuid": "stolen", "customer_id": 99, "invoiced": True}
    changed = client.patch(path, json=whole)
    assert changed.status_code == 200, changed.text
    assert changed.json()["service_notes"] == "Roof"
    for name in ("service_uuid", "customer_id", "invoiced"):
        assert changed.json()[name] == service[name]
    assert client.patch(path, json={"service_colour": "red"}).status_code == 400
    assert client.patch(path, json={"service_status": "Dancing"}).json()["errors"].keys() == {"service_status"}


@pytest.mark.req("CAT-205", "CAT-128", "CAT-216", "CAT-217", "BIL-182", "BIL-368", "BIL-369")
def test_a_charge_is_recorded_listed_and_voided(client: TestClient, service: dict[str, Any]) -> None:
    charge = {
        "customer_id": service["customer_id"],
        "service_id": str(service["service_id"]),
        "title": "Mobile SIM - Setup Costs",
        "description": "Setup costs for Physical SIM card",
        "invoice_id": None,
        "retail_cost": "50.00",
    }
    made = client.put("/crm/transaction/", json=charge).json()
    assert (made["retail_cost"], made["tax_amount"], made["invoice_id"]) == (50, 6.25, None)
    path = f"/crm/transaction/transaction_id/{made['transaction_id']}"
    assert client.get(path).json() == made
    of_customer = f"/crm/transaction/customer_id/{service['customer_id']}"
    assert [row["transaction_id"] for row in client.get(of_customer).json()["data"]] == [made["transaction_id"]]
    statistics = {"customer_id": str(service["customer_id"])}
    assert client.get("/crm/transaction/statistics", params=statistics).json()["uninvoiced"] == 50
    assert client.delete(path).json()["void"] is True
    assert client.post(f"{path}/void").status_code == 409
    assert client.get("/crm/transaction/statistics", params=statistics).json()["uninvoiced"] == 0


@pytest.mark.req("CAT-218", "CAT-219")
def test_an_invoice_takes_the_open_transactions(client: TestClient, service: dict[str, Any]) -> None:
    customer = service["customer_id"]
    client.post("/crm/transaction/", json={"customer_id": customer, "title": "Fee", "retail_cost": 10})
    days = {"customer_id": customer, "start_date": "2026-11-01", "end_date": "2026-11-30"}
    invoice = client.post("/crm/invoice/", json=days).json()
    assert [line["title"] for line in invoice["transactions"]] == ["Fee"]
    assert client.get(f"/crm/invoice/invoice_id/{invoice['invoice_id']}").json() == invoice
    assert client.get(f"/crm/invoice/customer_id/{customer}").json()["data"][0]["start_date"] == "2026-11-01"
    assert client.get("/crm/invoice/statistics").json()["total"] == {"count": 1, "amount": 10}


ACCOUNT = AccountView(
    service_id=1,
    service_uuid="Local_abc",
    state="active",
    balances=(
        BalanceView(
            type="DATA",
            id="DATA_10GB",
            name="10GB Data Pack",
            value=Decimal(5_368_709_120),
            unit="bytes",
            text="5 GB remaining",
            granted=None,
            remaining_percent=None,
            unlimited=False,
            expires=datetime(2026, 12, 2, tzinfo=UTC),
            expired=False,
            expiry_text="in 11 days",
            weight=10.0,
            destinations=("AU",),
        ),
    ),
    action_plans=(
        ActionPlanView(
            action_plan_id="ServiceID_Local_abc__ProductID_456",
            plan_name="Monthly_Renewal_Plan",
            action_name="Action_mobile-sim",
            frequency="monthly",
            next_exec_time=None,
            next_exec_text="tomorrow",
            parts={"ServiceID": "Local_abc", "ProductID": "456"},
        ),
    ),
)


@pytest.mark.req("CAT-200", "CAT-155", "CAT-158", "CAT-161", "CAT-163", "CAT-167")
def test_a_service_comes_with_its_live_account(
    client: TestClient, service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChargingService, "account", lambda _self, _service_id: ACCOUNT)
    for path in (f"/crm/service/{service['service_id']}", "/crm/service/service_uuid/Local_abc"):
        cgrates = client.get(path).json()["cgrates"]
        assert cgrates["BalanceMap"]["DATA"] == [
            {
                "ID": "DATA_10GB",
                "Value": 5_368_709_120,
                "ExpirationDate": "2026-12-02T00:00:00Z",
                "Weight": 10.0,
                "DestinationIDs": ["AU"],
                "custom_Name_hr": "10GB Data Pack",
                "custom_Expiration": "in 11 days",
                "custom_Description_String": "5 GB remaining",
            }
        ]
        plan = cgrates["ActionPlans"][0]
        assert plan["ActionPlanId_split_dict"] == {"ServiceID": "Local_abc", "ProductID": 456}
        assert (plan["PlanName"], plan["custom_NextExecTime_hr"]) == ("Monthly_Renewal_Plan", "tomorrow")


def test_a_charging_system_that_is_away_does_not_take_the_service_with_it(
    client: TestClient, service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> NoReturn:
        raise OutsideSystemError("The charging system did not answer.")

    monkeypatch.setattr(ChargingService, "account", away)
    answer = client.get(f"/crm/service/{service['service_id']}")
    assert answer.status_code == 200
    assert answer.json()["service_uuid"] == "Local_abc"
    assert (answer.json()["cgrates"], answer.json()["cgrates_problem"]) == (None, "The charging system did not answer.")


@pytest.mark.req("BIL-378")
def test_nothing_of_another_customer_is_there(client: TestClient, client_as: ClientAs, service: dict[str, Any]) -> None:
    """Even with every permission there is, a customer's user is confined to its own customer."""
    customer, number = service["customer_id"], service["service_id"]
    charge = {"customer_id": customer, "title": "Fee", "retail_cost": 10}
    charged = client.post("/crm/transaction/", json=charge).json()["transaction_id"]
    days = {"customer_id": customer, "start_date": "2026-11-01", "end_date": "2026-11-30"}
    invoiced = client.post("/crm/invoice/", json=days).json()["invoice_id"]
    paths = [
        f"/crm/service/{number}",
        "/crm/service/service_uuid/Local_abc",
        f"/crm/service/customer_id/{customer}",
        f"/crm/inventory/service_id/{number}",
        f"/crm/transaction/{charged}",
        f"/crm/transaction/customer_id/{customer}",
        f"/crm/transaction/statistics?customer_id={customer}",
        f"/crm/invoice/{invoiced}",
        f"/crm/invoice/customer_id/{customer}",
        f"/crm/invoice/statistics?customer_id={customer}",
        f"/crm/activity/customer_id/{customer}",
    ]
    assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    other = client.put("/crm/customer/", json={"customer_name": "Eve"}).json()["customer_id"]
    eve = client_as(Actor(ActorKind.CUSTOMER, "eve", 9, frozenset({"admin"}), other))
    assert {path: eve.get(path).status_code for path in paths} == dict.fromkeys(paths, 404)
    assert eve.patch(f"/crm/service/{number}", json={"service_notes": "mine"}).status_code == 404
    assert eve.delete(f"/crm/service/{number}").status_code == 404
    assert eve.post("/crm/transaction/", json=charge).status_code == 404
    for path in ("/crm/service/", "/crm/transaction/", "/crm/invoice/"):
        assert eve.get(path).json()["pagination"]["total_items"] == 0
