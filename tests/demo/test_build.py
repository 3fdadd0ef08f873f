"""The demo: the same every time, believable, and what the services would have written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from omnicrm_tui.billing.models import Invoice, Transaction
from omnicrm_tui.catalog.models import Product
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.models import CustomerService
from omnicrm_tui.customers.models import Contact, Customer, Site
from omnicrm_tui.customers.schemas import ContactInput, CustomerInput
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.demo import accounts
from omnicrm_tui.demo.build import BEGINNING, fill
from omnicrm_tui.demo.catalogue import EMAIL, PASSWORD, PRODUCTS
from omnicrm_tui.demo.words import UNUSUAL_NAMES
from omnicrm_tui.errors import Conflict
from omnicrm_tui.identity.actor import Actor, system_actor
from omnicrm_tui.inventory.models import InventoryItem
from omnicrm_tui.inventory.rules import ITEM_STATES
from omnicrm_tui.inventory.schemas import ItemChange
from omnicrm_tui.lab.store import Store
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.models import Provision, ProvisionEvent
from omnicrm_tui.settings import Settings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CUSTOMERS = 300


def _crm(home: Path, vault: Vault, url: str = "") -> Crm:
    settings = Settings(home=home)
    engine = make_engine(url or settings.database_url)
    metadata.create_all(engine)
    return Crm(settings, engine, FrozenClock(BEGINNING), vault)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crm, list[accounts.Live]]]:
    """A demo of 300 customers, shared by the tests that change nothing."""
    crm = _crm(tmp_path_factory.mktemp("demo"), Vault({1: bytes(range(32))}))
    _counts, live = fill(crm, CUSTOMERS)
    yield crm, live
    crm.close()


@pytest.fixture
def crm_of_demo(demo: tuple[Crm, list[accounts.Live]]) -> Crm:
    """The shared demo."""
    return demo[0]


def _content(connection: Connection, vault: Vault) -> str:
    """Return a hash over every value of every table, secrets opened, random salts left out."""
    digest = hashlib.sha256()
    for table in metadata.sorted_tables:
        for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings():
            values = dict(row) | ({"password_hash": ""} if "password_hash" in row else {})
            for secret in ("ki", "opc", "management_password"):
                if values.get(secret):
                    values[secret] = vault.open(f"inventory.{secret}", values["inventory_id"], values[secret])
            digest.update(repr(values).encode())
    return digest.hexdigest()


def test_two_demos_are_equal(tmp_path: Path, crm_of_demo: Crm) -> None:
    other = _crm(tmp_path, Vault({1: bytes(32)}))
    fill(other, CUSTOMERS)
    with crm_of_demo.engine.connect() as first, other.engine.connect() as second:
        assert _content(first, crm_of_demo.vault) == _content(second, other.vault)
    other.close()


def test_a_customer_is_the_same_in_a_larger_demo(tmp_path: Path, crm_of_demo: Crm) -> None:
    smaller = _crm(tmp_path, Vault({1: bytes(32)}))
    fill(smaller, 40)
    query = select(Customer.__table__).where(Customer.customer_id <= 40).order_by(Customer.customer_id)
    with crm_of_demo.engine.connect() as first, smaller.engine.connect() as second:
        assert first.execute(query).all() == second.execute(query).all()
    smaller.close()


def test_every_database_takes_the_demo(any_database_url: str, tmp_path: Path, vault: Vault, admin: Actor) -> None:
    crm = _crm(tmp_path, vault, any_database_url)
    counts, _live = fill(crm, 60)
    assert counts["customers"] == 60
    with crm.as_actor(admin) as work:
        # Ids go on after those of the demo.
        assert work.customers.create(CustomerInput(customer_name="Next")).customer_id == 61
        contact = work.customers.add_contact(1, ContactInput(contact_firstname="New"))
        assert contact.contact_id == counts["contacts"] + 1
    crm.close()


def test_unusual_names_are_there_to_the_letter(crm_of_demo: Crm, admin: Actor) -> None:
    with crm_of_demo.reading(admin) as work:
        names = [work.customers.get(number).customer_name for number in range(1, len(UNUSUAL_NAMES) + 1)]
    assert names == list(UNUSUAL_NAMES)
    assert any("\x1b[31m" in name for name in names)
    assert any("[bold]" in name for name in names)


def test_customers_of_several_countries_and_scripts(crm_of_demo: Crm) -> None:
    with crm_of_demo.engine.connect() as connection:
        countries = set(connection.scalars(select(Site.country)))
        names = "".join(connection.scalars(select(Customer.customer_name)))
        placed = connection.scalar(select(func.count()).where(Site.latitude.is_not(None)))
        assert placed == connection.scalar(select(func.count()).select_from(Site))
    assert len(countries) >= 10
    for low, high in (("一", "龥"), ("ا", "ي"), ("А", "я"), ("α", "ω"), ("ก", "ฮ"), ("א", "ת"), ("अ", "ह")):
        assert any(low <= character <= high for character in names), (low, high)


def test_histories_are_in_every_state(crm_of_demo: Crm) -> None:
    def values(column: Any) -> set[Any]:
        with crm_of_demo.engine.connect() as connection:
            return set(connection.scalars(select(column).distinct()))

    assert values(InventoryItem.item_state) == set(ITEM_STATES)
    statuses = {"Active", "Suspended", "Pending Cancellation", "Inactive", "Deactivated"}
    assert values(CustomerService.service_status) == statuses
    assert values(Customer.customer_status) >= {"Open", "Active", "Pending", "Suspended", "Inactive", "Closed"}
    assert values(Provision.status_reason) == {"finished", "fatal", "timed_out", "cancelled", "interrupted"}
    assert values(ProvisionEvent.phase) == {"main", "rescue"}
    assert values(Transaction.transaction_type) == {"Debit", "Credit"}
    for flag in (Invoice.paid, Invoice.void, Transaction.void):
        assert values(flag) == {True, False}


def test_money_adds_up(crm_of_demo: Crm) -> None:
    with crm_of_demo.engine.connect() as connection:
        lines: dict[int, Decimal] = {}
        payments: dict[int, Decimal] = {}
        for charge in connection.execute(select(Transaction.__table__).where(Transaction.invoice_id.is_not(None))):
            target = payments if charge.transaction_type == "Credit" else lines
            amount = charge.retail_cost + charge.tax_amount
            target[charge.invoice_id] = target.get(charge.invoice_id, Decimal(0)) + amount
        invoices = connection.execute(select(Invoice.__table__).order_by(Invoice.invoice_id)).all()
    assert len(invoices) > 100
    for invoice in invoices:
        assert invoice.retail_cost == invoice.subtotal + invoice.tax_amount
        assert lines.get(invoice.invoice_id) == (None if invoice.void else invoice.retail_cost)
        assert payments.get(invoice.invoice_id) == (-invoice.retail_cost if invoice.paid else None)
    for year in {invoice.created.year for invoice in invoices}:
        numbers = [invoice.invoice_number for invoice in invoices if invoice.invoice_number[4:8] == str(year)]
        assert numbers == [f"INV-{year}-{number:06d}" for number in range(1, len(numbers) + 1)]


def test_search_texts_are_those_of_the_services(tmp_path: Path, vault: Vault, admin: Actor) -> None:
    crm = _crm(tmp_path, vault)
    fill(crm, 20)
    with crm.as_actor(admin) as work:
        for item in work.session.query(InventoryItem).filter(InventoryItem.customer_id.is_not(None)).limit(10):
            before = item.search_text, item.text_key
            work.inventory.update(item.inventory_id, ItemChange(item_location="Elsewhere"))
            work.inventory.update(item.inventory_id, ItemChange(item_location="Customer"))
            assert (item.search_text, item.text_key) == before
        for number in range(1, 21):
            customer = work.session.get_one(Customer, number)
            before = customer.search_text, customer.name_key
            work.customers._refresh_search_text(customer)
            assert (customer.search_text, customer.name_key) == before
    crm.close()


def test_administrator_logs_in(crm_of_demo: Crm) -> None:
    with crm_of_demo.as_actor(system_actor("test")) as work:
        result = work.identity.login(EMAIL, PASSWORD, "127.0.0.1")
    assert result.actor is not None
    assert result.actor.may("admin")


def test_sim_keys_are_sealed_and_readable(crm_of_demo: Crm, admin: Actor) -> None:
    with crm_of_demo.reading(admin) as work:
        sim = work.session.query(InventoryItem).filter_by(item="SIM Card").order_by(InventoryItem.inventory_id).first()
        assert sim is not None
        ki = crm_of_demo.vault.open("inventory.ki", sim.inventory_id, sim.ki)
    assert ki is not None
    assert len(ki) == 32
    assert sim.ki is not None
    assert ki.encode() not in sim.ki


def test_mobile_products_are_sold_with_sim_and_number(crm_of_demo: Crm, admin: Actor) -> None:
    with crm_of_demo.engine.connect() as connection:
        products = {row.product_slug: row for row in connection.execute(select(Product.__table__))}
    assert len(products) == len(PRODUCTS)
    mobile = products["mobile-sim-only"]
    assert mobile.provisioning_play == "play_psim_only"
    assert mobile.inventory_items_list == "['SIM Card', 'Mobile Number']"
    assert any(row.provisioning_play == "play_simple_service" and row.enabled for row in products.values())
    with crm_of_demo.reading(admin) as work:
        for kind in ("SIM Card", "Mobile Number"):
            assert len(work.inventory.pickable(kind, ListQuery(), FIRST, 50).rows) == 50


def test_lab_knows_the_live_services(demo: tuple[Crm, list[accounts.Live]], tmp_path: Path) -> None:
    crm, live = demo
    settings = Settings(home=tmp_path)
    assert accounts.fill_lab(settings, live, FrozenClock(NOW)) == len(live)
    with crm.engine.connect() as connection:
        over = ("Inactive", "Deactivated")
        query = select(CustomerService.service_uuid).where(CustomerService.service_status.not_in(over))
        uuids = set(connection.scalars(query))
    store = Store(settings.lab_folder, FrozenClock(NOW))
    assert {key.partition(":")[2] for key in store.keys("account")} == uuids
    mobile = next(service for service in live if service.is_mobile)
    account = store.get("account", f"cgrates.org:{mobile.service_uuid}")
    assert account is not None
    assert set(account["balances"]) == {"*monetary", "*data", "*voice", "*sms"}
    assert datetime.fromisoformat(account["balances"]["*data"][0]["expires"]) > NOW
    assert store.get("subscriber", str(mobile.imsi)) is not None
    store.close()


def test_only_an_empty_home_becomes_a_demo(crm_of_demo: Crm) -> None:
    with pytest.raises(Conflict, match="customers already"):
        fill(crm_of_demo, 1)


def test_contacts_belong_to_their_customers(crm_of_demo: Crm, admin: Actor) -> None:
    with crm_of_demo.reading(admin) as work:
        owners = set(work.session.scalars(select(Contact.customer_id)))
        assert owners == set(range(1, CUSTOMERS + 1))
        page = work.customers.page(ListQuery(search="customer7@"), 1, 10)
    assert page.total == 1
