"""Puts the demo together and inserts it, in one transaction."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from omnicrm_tui.activity.models import ActivityEntry
from omnicrm_tui.billing.models import Invoice, InvoiceCounter, Transaction
from omnicrm_tui.clock import FrozenClock, SystemClock
from omnicrm_tui.config_file import DEMO_MARKER
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.models import CustomerService
from omnicrm_tui.customers.models import Contact, Customer, Site
from omnicrm_tui.database.base import Base
from omnicrm_tui.database.rows import follow_with_sequence
from omnicrm_tui.demo import accounts, catalogue
from omnicrm_tui.demo.money import Money
from omnicrm_tui.demo.people import TODAY, Person, Row, person
from omnicrm_tui.demo.sales import Sale, Sales
from omnicrm_tui.demo.stock import Stock
from omnicrm_tui.errors import Conflict
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.identity.models import User
from omnicrm_tui.inventory.models import InventoryItem
from omnicrm_tui.lab_process import choose_addresses
from omnicrm_tui.provisioning.models import Provision, ProvisionEvent
from omnicrm_tui.settings import Settings

BEGINNING = TODAY - timedelta(days=5 * 365 + 30)
"""When the operator opened: users, kinds and products are of that day."""

_BATCH = 5_000
_ACTOR = system_actor("demo data")


@dataclass(slots=True)
class _Everything:
    """All rows of a demo before they are inserted."""

    people: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    sites: list[Row] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    activity: list[Row] = field(default_factory=list)


def make_demo(settings: Settings, customers: int) -> dict[str, int]:
    """Make the home of `settings`, with its empty database and lab, a demo; return what there is of each.

    Raises Conflict when somebody or something is in the database already.
    """
    from omnicrm_tui.opening import open_crm

    crm = open_crm(settings, FrozenClock(BEGINNING))
    # A million rows live until they are inserted: looking for garbage among them doubles the time.
    gc.disable()
    try:
        counts, live = fill(crm, customers)
    finally:
        gc.enable()
        crm.close()
    choose_addresses(settings)
    counts["charging accounts"] = accounts.fill_lab(settings, live, SystemClock())
    # Last of all: a home that was interrupted half-way is not taken for a demo.
    (settings.home / DEMO_MARKER).write_text(json.dumps({"customers": customers}) + "\n", "utf-8")
    return counts


def fill(crm: Crm, customers: int) -> tuple[dict[str, int], list[accounts.Live]]:
    """Fill the empty database of `crm`; return how many rows there are of each, and the live services."""
    with crm.as_actor(_ACTOR) as work:
        _refuse_what_is_not_empty(work.session)
        made = catalogue.create(work)
        work.session.flush()
        sales = Sales(made, Stock(made.template_ids, crm.vault))
        money = Money(crm.settings.crm.currency)
        rows = _Everything()
        for number in range(1, customers + 1):
            _add_customer(number, rows, sales, money, made.admin_id)
        stock = list(sales.stock.shelves(customers))
        transactions, invoices, last_numbers = money.finished()
        rows.activity.sort(key=lambda row: (row["timestamp"], row["customer_id"], row["action"]))
        tables: list[tuple[str, type[Base], list[Row]]] = [
            ("customers", Customer, rows.people),
            ("contacts", Contact, rows.contacts),
            ("sites", Site, rows.sites),
            ("services", CustomerService, sales.services),
            ("jobs", Provision, sales.jobs),
            ("job events", ProvisionEvent, sales.events),
            ("items", InventoryItem, sales.items + stock),
            ("invoices", Invoice, invoices),
            ("", InvoiceCounter, [{"year": year, "last": last} for year, last in sorted(last_numbers.items())]),
            ("transactions", Transaction, transactions),
            ("activity entries", ActivityEntry, rows.activity),
        ]
        for _name, model, values in tables:
            _insert(work.session, model, values)
        work.activity.chain_bulk()
        live = accounts.live_services(rows.sales, sales.items)
    return {name: len(values) for name, _model, values in tables if name}, live


def _add_customer(number: int, rows: _Everything, sales: Sales, money: Money, admin_id: int) -> None:
    random = Random(number)  # noqa: S311 - the same customer every time is the point
    who = person(number, random)
    for contact in who.contacts:
        contact["contact_id"] = len(rows.contacts) + 1
        rows.contacts.append(contact)
    for site in who.sites:
        site["site_id"] = len(rows.sites) + 1
        rows.sites.append(site)
    rows.people.append(who.customer)
    bought = sales.of(who, random)
    rows.sales += bought
    money.of(who, bought, random)
    rows.activity += _activity(who, bought, admin_id)


def _activity(who: Person, bought: Sequence[Sale], admin_id: int) -> Iterable[Row]:
    name = {"customer_name": {"old": None, "new": who.customer["customer_name"]}}
    yield _entry(who, "customer", who.number, "Customer created", who.created, name, admin_id)
    for sale in bought:
        service, number = sale.row, sale.row["service_id"]
        details = {"service_name": {"old": None, "new": service["service_name"]}}
        yield _entry(who, "service", number, "Service created", service["created"], details, admin_id, number)
        if service["service_status"] != "Active":
            changed = max(service["last_modified"], service["created"] + timedelta(minutes=5))
            details = {"service_status": {"old": "Active", "new": service["service_status"]}}
            yield _entry(who, "service", number, "Service changed", changed, details, admin_id, number)


def _entry(
    who: Person,
    kind: str,
    object_id: int,
    action: str,
    moment: Any,
    details: dict[str, Any],
    admin_id: int,
    service_id: int | None = None,
) -> Row:
    return {
        "timestamp": moment,
        "customer_id": who.number,
        "service_id": service_id,
        "user_id": admin_id,
        "actor_name": catalogue.EMAIL,
        "source_address": "127.0.0.1",
        "object_type": kind,
        "object_id": object_id,
        "action": action,
        "details": details,
    }


def _refuse_what_is_not_empty(session: Session) -> None:
    for model, words in ((Customer, "customers"), (User, "users")):
        if session.scalar(select(func.count()).select_from(model)):
            raise Conflict(f"This home has {words} already: choose an empty one as OMNICRM_HOME.")


def _insert(session: Session, model: type[Base], rows: list[Row]) -> None:
    table = model.__table__
    assert isinstance(table, Table)
    for start in range(0, len(rows), _BATCH):
        session.execute(insert(table), rows[start : start + _BATCH])
    follow_with_sequence(session.connection(), table)
