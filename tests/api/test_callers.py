"""Who is behind a call: more than one server for one person, machines without a word, and whom a job names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from omnicrm_tui.api.app import create_app
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput
from omnicrm_tui.schemas import parse
from omnicrm_tui.settings import ApiKey, Settings, WhitelistEntry
from tests.api.conftest import Dispatched

PASSWORD = "Tr0mbone!x"
KEY = "k" * 40


@pytest.fixture
def people(crm: Crm, admin: Actor) -> dict[str, int]:
    """The numbers of two administrators and a supporter."""
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        return {
            name: work.identity.create_user(
                parse(
                    UserInput,
                    {
                        "username": name,
                        "email": f"{name}@mail.example",
                        "first_name": name,
                        "last_name": "Test",
                        "password": PASSWORD,
                        "role": role,
                    },
                )
            ).id
            for name, role in (("support", "Support"), ("root", "System Admin"), ("second", "System Admin"))
        }


def door(crm: Crm, address: str = "10.0.0.9", **changes: Any) -> TestClient:
    """Return a client at `address` of one server more on the same database."""
    settings: Settings = crm.settings.model_copy(update=changes)
    other = Crm(settings, make_engine(crm.settings.database_url), crm.clock, crm.vault, crm.dispatcher)
    return TestClient(create_app(other), client=(address, 1))


def login(client: TestClient, name: str) -> dict[str, Any]:
    answer = client.post("/auth/login", json={"email": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.req("PLT-066")
@pytest.mark.usefixtures("people")
def test_any_server_takes_what_another_gave_and_forgets_what_another_ended(crm: Crm, clock: FrozenClock) -> None:
    one, two = door(crm), door(crm)
    session = login(one, "root")
    headers = {"Authorization": f"Bearer {session['token']}"}
    assert two.get("/crm/customer", headers=headers).status_code == 200
    clock.advance(timedelta(seconds=1))
    renewed = two.post("/auth/refresh", json={"refresh_token": session["refresh_token"]}).json()
    headers = {"Authorization": f"Bearer {renewed['token']}"}
    assert one.get("/crm/customer", headers=headers).status_code == 200
    assert two.post("/auth/logout", json={"refresh_token": renewed["refresh_token"]}).status_code == 200
    assert one.get("/crm/customer", headers=headers).status_code == 401


@pytest.fixture
def renewal(client: TestClient) -> str:
    """The address that the charging system calls to renew add-on 1 of service 1."""
    addon = {"product_name": "Boost", "category": "addon", "service_type": "mobile", "provisioning_play": "play_x"}
    client.put("/crm/customer/", json={"customer_name": "Ada"})
    client.put("/crm/service/", json={"customer_id": 1, "service_name": "Mobile", "service_type": "mobile"})
    assert client.put("/crm/product/", json=addon).status_code == 200
    return "/crm/provision/simple_provision_addon/service_id/1/product_id/1"


@pytest.mark.req("CAT-188", "CAT-209", "SVC-003", "CAT-113", "CAT-169")
def test_the_charging_system_renews_with_a_bare_call_from_its_address(
    crm: Crm, people: dict[str, int], renewal: str, dispatched: Dispatched
) -> None:
    listed = {"ip_whitelist": {"10.0.0.9": WhitelistEntry(roles=["admin"])}}
    assert door(crm, "10.0.0.8", **listed).post(renewal).status_code == 403
    answer = door(crm, "10.0.0.9", **listed).post(renewal)
    assert answer.status_code == 200, answer.text
    assert answer.json()["initiating_user"] == people["root"], "the first administrator answers for machines"
    assert dispatched == [answer.json()["provision_id"]]


@pytest.mark.req("CAT-113", "CAT-169", "SVC-003")
def test_a_job_names_who_started_it(crm: Crm, people: dict[str, int], renewal: str) -> None:
    keys = {"api_keys": {KEY: ApiKey(roles=["Support"])}}
    by_key = door(crm, **keys).post(renewal, headers={"X-API-KEY": KEY})
    assert by_key.status_code == 200, by_key.text
    assert by_key.json()["initiating_user"] == people["root"]
    person = door(crm)
    headers = {"Authorization": f"Bearer {login(person, 'support')['token']}"}
    order = {"product_id": 1, "customer_id": 1, "service_id": 1}
    by_hand = person.put("/crm/provision/", json=order, headers=headers)
    assert by_hand.status_code == 200, by_hand.text
    assert by_hand.json()["initiating_user"] == people["support"]
    assert person.post(renewal, headers=headers).status_code == 403
