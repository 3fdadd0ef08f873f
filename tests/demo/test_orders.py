"""Whatever the demo sells can be ordered, and its job ends well in the demo's lab."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from omnicrm_tui.catalog.rules import parse_vars
from omnicrm_tui.catalog.schemas import ProductView
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.models import CustomerService
from omnicrm_tui.customers.models import Customer
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.demo import accounts
from omnicrm_tui.demo.build import BEGINNING, fill
from omnicrm_tui.demo.catalogue import GIB, PRODUCTS
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.job.runner import Job
from omnicrm_tui.lab.network import LabNetwork
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.rules import SUCCESS
from omnicrm_tui.provisioning.schemas import ProvisionRequest
from omnicrm_tui.settings import HssSection, OcsSection, Settings
from omnicrm_tui.shipped import PLAYS
from omnicrm_tui.work import Work
from tests.fixtures.operator import RecordingDispatcher

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORDERABLE = [str(product["product_slug"]) for product in PRODUCTS if product.get("enabled", True)]

GRANTS = {
    "data_gb": ("DATA", GIB),
    "voice_minutes": ("VOICE", 60),
    "sms_count": ("SMS", 1),
    "monetary": ("MONETARY", 1),
}


@pytest.mark.req("PLT-432")
def test_the_types_of_what_is_sold_are_those_that_are_configured_and_mean_the_same() -> None:
    types = {product["product_slug"]: product["service_type"] for product in PRODUCTS}
    assert set(types.values()) <= set(Settings(home=Path("/nowhere")).service_types)
    meant = {"mobile-sim-only": "mobile", "home-internet-100": "internet", "business-voice-line": "voip"}
    assert {slug: types[slug] for slug in meant} == meant


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """A demo of 60 customers with its lab running."""
    home = tmp_path_factory.mktemp("demo")
    settings = Settings(home=home)
    engine = make_engine(settings.database_url)
    metadata.create_all(engine)
    vault = Vault({1: bytes(range(32))})
    _counts, live = fill(Crm(settings, engine, FrozenClock(BEGINNING), vault), 60)
    clock = FrozenClock(NOW)
    accounts.fill_lab(settings, live, clock)
    with LabNetwork(settings.lab_folder, clock=clock) as lab:
        addresses = lab.addresses
        settings = settings.model_copy(
            update={
                "ocs": OcsSection(cgrates=addresses.ocs, ocsTenant=addresses.tenant),
                "hss": HssSection(hss_peers=[addresses.hss]),
            }
        )
        crm = Crm(settings, engine, clock, vault, RecordingDispatcher())
        yield crm
        crm.close()


@pytest.mark.req("CAT-443", "SVC-060", "SVC-180", "CAT-352")
@pytest.mark.ansible
@pytest.mark.parametrize("slug", ORDERABLE)
def test_what_the_demo_sells_can_be_had(demo: Crm, admin: Actor, slug: str) -> None:
    with demo.as_actor(admin) as work:
        products = work.catalog.page(ListQuery(search=slug), 1, 50).rows
        product = work.catalog.get(next(row.product_id for row in products if row.product_slug == slug))
        provision_id = work.provisioning.start(_order(work, product)).provision_id
    assert Job(demo, provision_id).run() == 0
    with demo.reading(admin) as work:
        job = work.provisioning.get(provision_id)
        assert (job.provisioning_status, job.error_message) == (SUCCESS, None)
        account = work.charging.account(job.service_id or 0)
    wanted = parse_vars(product.provisioning_json_vars)
    granted = {(kind, wanted[name] * size) for name, (kind, size) in GRANTS.items() if name in wanted}
    assert granted <= {(balance.type, balance.value) for balance in account.balances}


@pytest.mark.req("CAT-352")
def test_every_product_names_a_play_that_is_there() -> None:
    assert {f"{product['provisioning_play']}.yaml" for product in PRODUCTS} <= {
        file.name for file in PLAYS.glob("play_*.yaml")
    }


def _order(work: Work, product: ProductView) -> ProvisionRequest:
    """Order the product for the first customer that may have it, an add-on for a service of its kind."""
    kind = Customer.customer_account_type == "Business"
    open_for_sale = Customer.customer_status.in_(work.settings.crm.statuses_for_sale) & Customer.customer_enabled
    customers = select(Customer.customer_id).where(kind if not product.residential else ~kind, open_for_sale)
    inventory = {name: _first(work, name) for name in product.inventory_items}
    if product.category != "addon":
        customer_id = work.session.scalars(customers.order_by(Customer.customer_id)).first()
        return ProvisionRequest(product_id=product.product_id, customer_id=customer_id, inventory=inventory)
    service = work.session.scalars(
        select(CustomerService)
        .where(CustomerService.service_type == product.service_type, CustomerService.service_status == "Active")
        .where(CustomerService.customer_id.in_(customers))
        .order_by(CustomerService.service_id)
    ).first()
    assert service is not None
    return ProvisionRequest(
        product_id=product.product_id,
        customer_id=service.customer_id,
        service_id=service.service_id,
        inventory=inventory,
    )


def _first(work: Work, kind: str) -> int:
    return work.inventory.pickable(kind, ListQuery(), FIRST, 1).rows[0].inventory_id
