"""Every field of items and their templates: its name, its type, its default."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.inventory.rules import ITEM_STATES
from omnicrm_tui.listing import FIRST, ListQuery
from tests.api.fields import REQUIRED, Entity, exact

TEMPLATES = "/crm/inventory/template/"
ITEM = Entity("/crm/inventory/", "inventory_id", {"item": "SIM Card", "itemtext1": "8961{n}"})


@pytest.fixture
def stock(client: TestClient) -> TestClient:
    """Customer 1 with service 1, and template 1 with prices."""
    for path, body in (
        ("/crm/customer/", {"customer_name": "Ada"}),
        ("/crm/service/", {"customer_id": 1, "service_name": "Mobile"}),
        (TEMPLATES, {"item": "SIM Card", "wholesale_cost": 2, "retail_cost": 10}),
    ):
        assert client.put(path, json=body).status_code == 200
    return client


@pytest.mark.parametrize(
    ("name", "sent", "shown", "default"),
    [
        pytest.param("item", "eSIM", "eSIM", REQUIRED, marks=pytest.mark.req("PLT-345", "PLT-159")),
        pytest.param("icon", "fa-solid fa-wifi", "fa-solid fa-wifi", "", marks=pytest.mark.req("PLT-346")),
        pytest.param("wholesale_cost", "2.50", 2.5, 0, marks=pytest.mark.req("PLT-347")),
        pytest.param("retail_cost", "10.00", 10, 0, marks=pytest.mark.req("PLT-348")),
        pytest.param("itemtext1_label", "ICCID", "ICCID", "Model Number", marks=pytest.mark.req("PLT-349", "PLT-159")),
        pytest.param("itemtext2_label", "IMSI", "IMSI", "Serial Number", marks=pytest.mark.req("PLT-350", "PLT-159")),
        pytest.param("itemtext3_label", "PUK", "PUK", None, marks=pytest.mark.req("PLT-351", "CAT-013")),
        pytest.param("itemtext20_label", "Rack", "Rack", None, marks=pytest.mark.req("PLT-351", "CAT-013")),
        pytest.param("allow_dropdown_staff", False, False, True, marks=pytest.mark.req("PLT-352")),
        pytest.param("allow_dropdown_customer", True, True, False, marks=pytest.mark.req("PLT-353")),
    ],
)
def test_a_templates_field(client: TestClient, name: str, sent: Any, shown: Any, default: Any) -> None:
    def read(**values: Any) -> Any:
        made = client.put(TEMPLATES, json=values)
        assert made.status_code == 200, made.text
        return client.get(f"{TEMPLATES}item/{values['item']}").json()[name]

    assert exact(read(**{"item": "Modem", name: sent})) == exact(shown)
    if default is REQUIRED:
        assert client.put(TEMPLATES, json={"icon": "x"}).json()["errors"].keys() == {name}
    else:
        assert exact(read(item="Router")) == exact(default)


@pytest.mark.req("PLT-344", "PLT-345", "BIL-100")
def test_a_templates_name_is_its_key_to_the_letter(client: TestClient) -> None:
    names = ["SIM Card", "SIM card", "SIM  Card"]
    made = [client.put(TEMPLATES, json={"item": name}).json()["inventory_template_id"] for name in names]
    assert made == [1, 2, 3]
    assert client.put(TEMPLATES, json={"item": "SIM Card"}).status_code == 409
    assert client.put("/crm/inventory/", json={"item": "sim card", "itemtext1": "1"}).status_code in (400, 404)
    assert (
        client.put("/crm/inventory/", json={"item": "SIM card", "itemtext1": "1"}).json()["inventory_template_id"] == 2
    )


@pytest.mark.req("PLT-351", "CAT-013")
def test_there_are_twenty_labels_and_no_more(client: TestClient) -> None:
    labels = {f"itemtext{number}_label": f"Label {number}" for number in range(1, 21)}
    client.put(TEMPLATES, json={"item": "Modem", **labels})
    template = client.get(f"{TEMPLATES}item/Modem").json()
    assert {name: template[name] for name in labels} == labels
    answer = client.put(TEMPLATES, json={"item": "Router", "itemtext21_label": "Label 21"})
    assert answer.json()["errors"].keys() == {"itemtext21_label"}


@pytest.mark.parametrize(
    ("name", "sent", "shown", "default"),
    [
        pytest.param("item", "SIM Card", "SIM Card", REQUIRED, marks=pytest.mark.req("PLT-367", "PLT-158")),
        pytest.param("customer_id", "1", 1, None, marks=pytest.mark.req("PLT-369", "PLT-157", "CAT-014")),
        pytest.param("service_id", "1", 1, None, marks=pytest.mark.req("PLT-370", "PLT-157", "CAT-014")),
        pytest.param("item_location", "Oslo, shelf 3", "Oslo, shelf 3", "", marks=pytest.mark.req("PLT-371")),
        pytest.param("item_state", "In Transit", "In Transit", "New", marks=pytest.mark.req("PLT-372", "PLT-158")),
        pytest.param(
            "itemtext1", 8961234567890123456, "8961234567890123456", REQUIRED, marks=pytest.mark.req("PLT-373")
        ),
        pytest.param("itemtext2", "310120123456789", "310120123456789", None, marks=pytest.mark.req("PLT-374")),
        pytest.param("itemtext3", "HomeNet", "HomeNet", None, marks=pytest.mark.req("PLT-374", "CAT-145")),
        pytest.param("itemtext20", "last", "last", None, marks=pytest.mark.req("PLT-374", "PLT-158")),
        pytest.param("wholesale_cost", "1.25", 1.25, 2, marks=pytest.mark.req("PLT-375")),
        pytest.param("retail_cost", 12, 12, 10, marks=pytest.mark.req("PLT-375")),
        pytest.param(
            "sold_date", "2026-11-20T09:00:00Z", "2026-11-20T09:00:00Z", None, marks=pytest.mark.req("PLT-376")
        ),
        pytest.param("address_line_1", "1 Main St", "1 Main St", None, marks=pytest.mark.req("PLT-377", "CAT-147")),
        pytest.param("address_line_2", "Unit 4", "Unit 4", None, marks=pytest.mark.req("PLT-377")),
        pytest.param("city", "Sydney", "Sydney", None, marks=pytest.mark.req("PLT-377", "CAT-147")),
        pytest.param("state", "NSW", "NSW", None, marks=pytest.mark.req("PLT-377", "CAT-147")),
        pytest.param("zip_code", "2000", "2000", None, marks=pytest.mark.req("PLT-377")),
        pytest.param("country", "Australia", "Australia", None, marks=pytest.mark.req("PLT-377")),
        pytest.param("google_maps_place_id", "ChIJ", "ChIJ", None, marks=pytest.mark.req("PLT-378")),
        pytest.param("plus_code", "4RRH46J5+FP", "4RRH46J5+FP", None, marks=pytest.mark.req("PLT-378")),
        pytest.param("latitude", "-33.8688", "-33.8688", None, marks=pytest.mark.req("PLT-379", "CAT-147")),
        pytest.param("longitude", 151.2093, "151.2093", None, marks=pytest.mark.req("PLT-379", "CAT-147")),
        pytest.param(
            "management_url",
            "LPA:1$smdp.example$A-B",
            "LPA:1$smdp.example$A-B",
            None,
            marks=pytest.mark.req("PLT-380", "PLT-158", "CAT-148"),
        ),
        pytest.param("management_username", "admin_7", "admin_7", None, marks=pytest.mark.req("PLT-381", "CAT-148")),
        pytest.param(
            "management_password", "s3cret-Word", "(hidden)", None, marks=pytest.mark.req("PLT-382", "CAT-148")
        ),
        pytest.param(
            "config_content",
            "line 1\nline 2" * 5000,
            "line 1\nline 2" * 5000,
            None,
            marks=pytest.mark.req("PLT-383", "PLT-158", "CAT-149"),
        ),
        pytest.param("config_file_path", "git:cpe/7.cfg", "git:cpe/7.cfg", None, marks=pytest.mark.req("PLT-384")),
        pytest.param(
            "inventory_notes",
            "Provisioned: 2026-11-21",
            "Provisioned: 2026-11-21",
            None,
            marks=pytest.mark.req("PLT-385", "CAT-150"),
        ),
    ],
)
def test_an_items_field(stock: TestClient, name: str, sent: Any, shown: Any, default: Any) -> None:
    ITEM.check(stock, name, sent, shown, default)


@pytest.mark.req("PLT-366", "PLT-156", "CAT-142", "PLT-368", "PLT-157", "PLT-386", "PLT-387")
def test_an_items_number_kind_and_times_are_the_systems(stock: TestClient, clock: FrozenClock) -> None:
    numbers = [ITEM.make(stock)["inventory_id"] for _ in range(2)]
    assert numbers == [1, 2]
    clock.advance(timedelta(hours=1))
    assert stock.patch("/crm/inventory/1", json={"inventory_id": 9, "item_location": "Store"}).status_code == 200
    item = ITEM.read(stock, 1)
    assert (item["inventory_id"], item["inventory_template_id"], item["item"]) == (1, 1, "SIM Card")
    assert (item["created"], item["last_modified"]) == ("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z")


@pytest.mark.req("PLT-403", "PLT-404", "PLT-597", "PLT-372", "BIL-119")
def test_one_enumeration_of_thirteen_states(stock: TestClient) -> None:
    documented = "New Used Internal_Use Assigned Damaged Out_Of_Service Lost Stolen"
    narrated = "In_Transit In_Stock Allocated In_Use Decommissioned"
    names = [name.replace("_", " ") for name in f"{documented} {narrated}".split()]
    assert sorted(ITEM_STATES) == sorted(names)
    assert [ITEM.make(stock, item_state=name)["item_state"] for name in names] == names
    assert ITEM.refused(stock, item_state="Borrowed") == {"item_state"}


@pytest.mark.req("PLT-382")
def test_a_password_is_sealed_where_it_is_kept(stock: TestClient, crm: Crm) -> None:
    number = ITEM.make(stock, management_password="s3cret-Word")["inventory_id"]
    with crm.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM inventory")).mappings().one()
        logged = connection.execute(text("SELECT * FROM activity_log")).all()
    assert b"s3cret-Word" not in bytes(row["management_password"])
    assert "s3cret-Word" not in str(dict(row)) + str(logged)
    assert (
        stock.get(f"/crm/inventory/{number}", params={"secrets": True}).json()["management_password"] == "s3cret-Word"
    )


@pytest.mark.req("PLT-415")
def test_an_item_with_a_customer_is_sold_and_out_of_stock(stock: TestClient, crm: Crm, admin: Actor) -> None:
    number = ITEM.make(stock)["inventory_id"]
    stock.patch(f"/crm/inventory/{number}", json={"customer_id": 1, "item_state": "Assigned"})
    assert ITEM.read(stock, number)["sold_date"] == "2026-11-21T12:00:00Z"
    with crm.reading(admin) as work:
        assert list(work.inventory.pickable("SIM Card", ListQuery(), FIRST, 10).rows) == []


@pytest.mark.req("CAT-151", "BIL-116", "PLT-345")
def test_an_operators_names_are_kept_verbatim(client: TestClient) -> None:
    names = """SIM Card|Phone Number|Mobile Number|Modem Router|IPv4 Address|WiFi Router CPE|Static IP Address
    |Fixed Wireless CPE|IPv6 Prefix (/56 or /64)|DID Number|ONT Device|GPON Port|Fiber Drop Cable|Rental Modem
    |Primary SIM Card|Secondary SIM Card|Dual SIM Kit"""
    wanted = [name.strip() for name in names.split("|")]
    for name in wanted:
        assert client.put(TEMPLATES, json={"item": name}).status_code == 200
        made = client.put("/crm/inventory/", json={"item": name, "itemtext1": "1"})
        assert made.json()["item"] == name
    assert {found["item"] for found in client.get(TEMPLATES).json()["data"]} == set(wanted)
