"""What tests need that walk every route: two customers with something of everything, and calls with their ids."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from omnicrm_tui.crm import Crm
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.permissions import ADMIN, PERMISSIONS

if TYPE_CHECKING:
    from tests.api.conftest import ClientAs, Stage

MARK = "zqb"
"""In every text of the other customer; searches say it in capitals, so that an echo is not taken for a leak."""
UNKNOWN = {"id": 987_654_321, "uuid": "Service_00000000-0000-4000-8000-000000000000"}
SORTS = (
    "customer_id",
    "customer_name",
    "contact_email",
    "created",
    "title",
    "retail_cost",
    "service_name",
    "item",
    "id",
)
PLAY = {"provisioning_play": "play_local_data_addon", "category": "addon", "service_type": "mobile"}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer and the ids of what it has, by the names that routes and bodies use."""

    ids: Mapping[str, Any]
    client: TestClient

    @property
    def customer_id(self) -> int:
        return int(self.ids["customer_id"])


def tenant(client: TestClient, as_its_user: ClientAs, mark: str, number: int) -> Tenant:
    def made(path: str, name: str, body: dict[str, Any]) -> Any:
        answer = client.put(f"/crm/{path}/", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()[name]

    mail = f"{mark}-mail@{mark}.example"
    customer_id = made(
        "customer",
        "customer_id",
        {"customer_name": f"{mark}-name", "customer_email": mail, "customer_notes": f"{mark}-notes"},
    )
    own = {"customer_id": customer_id}
    contact = {"contact_firstname": f"{mark}-first", "contact_email": mail, "contact_phone": f"+6149977700{number}"}
    site = {"site_name": f"{mark}-site", "address_line_1": f"{mark}-street", "country": "AU"}
    ids: dict[str, Any] = {**own, "contact_id": made("contact", "contact_id", own | contact)}
    ids["site_id"] = made("site", "site_id", own | site)
    service = {"service_name": f"{mark}-service", "service_type": "mobile", "service_notes": f"{mark}-notes"}
    ids["service_id"] = made("service", "service_id", own | service)
    ids["service_uuid"] = client.get(f"/crm/service/{ids['service_id']}").json()["service_uuid"]
    item = {"item": "SIM Card", "itemtext1": f"{mark}-iccid", "itemtext2": f"{mark}-imsi", "item_state": "Assigned"}
    ids["inventory_id"] = made("inventory", "inventory_id", own | item | {"service_id": ids["service_id"]})
    charge = {"title": f"{mark}-charge", "retail_cost": "12.50", "description": f"{mark}-text"}
    for _ in range(2):
        ids["transaction_id"] = made("transaction", "transaction_id", own | charge | {"service_id": ids["service_id"]})
    days = {"start_date": "2020-01-01", "end_date": "2040-01-01", "exclude": [ids["transaction_id"]]}
    ids["invoice_id"] = made("invoice", "invoice_id", own | days | {"title": f"{mark}-invoice"})
    ids["product_id"] = made(
        "product", "product_id", PLAY | {"product_name": "For all", "product_slug": f"all-{number}"}
    )
    job = {"product_id": ids["product_id"], "service_id": ids["service_id"], "note": f"{mark}-note"}
    ids["provision_id"] = made("provision", "provision_id", own | job)
    words = {"subject": f"{mark}-subject", "text": f"{mark}-text"}
    assert client.put(f"/crm/customer/{customer_id}/email", json=words).status_code == 200
    outbox = client.get("/crm/outbox", params={"search": f"{mark}-subject"}).json()["data"]
    ids["outbox_id"] = outbox[0]["outbox_id"]
    ids["activity_id"] = client.get(f"/crm/activity/customer_id/{customer_id}").json()["data"][0]["activity_id"]
    rights = frozenset(PERMISSIONS) - {ADMIN}
    user = Actor(ActorKind.CUSTOMER, f"user of {mark}", None, rights, customer_id)
    return Tenant(ids, as_its_user(user))


@dataclass(frozen=True, slots=True)
class Operation:
    """A route and a verb, as the documentation has them."""

    verb: str
    path: str
    queries: tuple[str, ...]
    body: Mapping[str, Any]
    required: frozenset[str]
    said: str

    def at(self, ids: Mapping[str, Any]) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: str(ids.get(match[1], UNKNOWN["id"])), self.path)

    def least(self, ids: Mapping[str, Any]) -> dict[str, Any]:
        """A body with what its schema requires."""
        return {name: ids.get(name, value_of(said)) for name, said in self.body.items() if name in self.required}

    @property
    def names(self) -> set[str]:
        """What its path asks for."""
        return set(re.findall(r"\{(\w+)\}", self.path))


def operations(stage: Stage) -> Iterator[Operation]:
    document = stage.app.openapi()
    for path, verbs in document["paths"].items():
        for verb, said in verbs.items():
            queries = tuple(field["name"] for field in said.get("parameters", ()) if field["in"] == "query")
            content = said.get("requestBody", {}).get("content", {})
            name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
            schema = document["components"]["schemas"][name] if name else {}
            required = frozenset(schema.get("required", ()))
            text = " ".join(said.get("description", "").split())
            yield Operation(verb, path, queries, schema.get("properties", {}), required, text)


def bodies(operation: Operation, ids: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Bodies with somebody's ids: with the ids alone, and with the other fields filled in too."""
    if not operation.body:
        return [{}]
    named = {name: ids[name] for name in operation.body if name in ids}
    rest = {name: value_of(said) for name, said in operation.body.items() if name not in ids}
    return [named, {name: value for name, value in (rest | named).items() if value is not None}]


def value_of(said: Mapping[str, Any]) -> Any:
    kinds = [said, *said.get("anyOf", ())]
    for kind in kinds:
        if "enum" in kind or "const" in kind:
            return kind.get("enum", [kind.get("const")])[0]
        found = {"boolean": False, "integer": 1, "number": "1", "string": "walked", "array": [], "object": {}}
        if kind.get("type") in found:
            return found[kind["type"]]
    return None


def queries(operation: Operation, ids: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Queries that ask for somebody's rows."""
    yield {}
    if "customer_id" in operation.queries:
        yield {"customer_id": ids["customer_id"]}
    if "secrets" in operation.queries:
        yield {"secrets": "true"}
    if "search" in operation.queries:
        for word in (f"{MARK.upper()}-NAME", f"{MARK.upper()}", "+61499777002", str(ids["service_uuid"])):
            yield {"search": word}
        for name in ("customer_id", "service_id", "contact_id", "provision_id"):
            yield {"filters": json.dumps({name: [ids[name]]})}
        for name in SORTS:
            yield {"sort": name, "order": "desc", "per_page": 1000}


def shape(answer: Response) -> tuple[int, str]:
    """What an answer says, whatever the numbers in it."""
    return answer.status_code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", answer.text)


def everything(crm: Crm) -> dict[str, set[tuple[Any, ...]]]:
    with crm.engine.connect() as connection:
        return {
            table.name: {tuple(map(repr, row)) for row in connection.execute(select(table))}
            for table in metadata.sorted_tables
        }


def of(rows: Mapping[str, set[tuple[Any, ...]]], customer_id: int) -> dict[str, set[tuple[Any, ...]]]:
    """The rows that carry the mark or that customer's number."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for table in metadata.sorted_tables:
        owner = [number for number, column in enumerate(table.columns) if column.name == "customer_id"]
        found[table.name] = {
            row
            for row in rows[table.name]
            if any(MARK in cell for cell in row) or any(row[number] == repr(customer_id) for number in owner)
        }
    return found
