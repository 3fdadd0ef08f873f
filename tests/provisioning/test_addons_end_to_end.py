"""Real jobs that add to an existing service: what they add, and that a failure leaves nothing of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from omnicrm_tui.catalog.schemas import ProductChange, ProductInput
from omnicrm_tui.charging.schemas import BalanceView
from omnicrm_tui.customer_services.schemas import ServiceChange, ServiceInput, ServiceView
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import UserInput
from omnicrm_tui.inventory.schemas import ItemInput, TemplateInput
from omnicrm_tui.job.runner import Job
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.provisioning.rules import FAILED, SUCCESS
from omnicrm_tui.provisioning.schemas import JobView, ProvisionRequest
from tests.fixtures.operator import Operator

pytestmark = pytest.mark.ansible

GIB = 1024**3
BREAK = "- name: Break here\n  fail: {msg: the gateway is closed}\n"


@dataclass
class Shop:
    """The operator with a mobile service that has 3 of 20 GB left, and products to add to it."""

    operator: Operator
    service_id: int
    products: dict[str, int]

    def order(self, play: str, actor: Actor | None = None, **more: object) -> JobView:
        """Order the product of that play for the service and run the job to its end."""
        request = ProvisionRequest(
            product_id=self.products[play],
            customer_id=self.operator.customer_id,
            service_id=self.service_id,
            **more,  # type: ignore[arg-type]
        )
        return self.run(request, actor)

    def take_away(self, play: str, **variables: object) -> JobView:
        """Deprovision an add-on of the service."""
        request = ProvisionRequest(
            service_id=self.service_id, action="deprovision", provisioning_play=play, variables=variables
        )
        return self.run(request)

    def run(self, request: ProvisionRequest, actor: Actor | None = None) -> JobView:
        crm, admin = self.operator.crm, self.operator.admin
        with crm.as_actor(actor or admin) as work:
            provision_id = work.provisioning.start(request).provision_id
        assert Job(crm, provision_id).run() == 0
        with crm.reading(admin) as work:
            return work.provisioning.get(provision_id)

    def added(self) -> list[BalanceView]:
        """What the account holds besides its plan."""
        with self.operator.crm.reading(self.operator.admin) as work:
            account = work.charging.account(self.service_id)
        return [balance for balance in account.balances if balance.id != "DATA_20GB"]

    def charges(self) -> list[tuple[str, Decimal]]:
        """What is in the books of the service, voided charges left out."""
        with self.operator.crm.reading(self.operator.admin) as work:
            rows = work.billing.window(ListQuery(), FIRST, 10).rows
        return [(row.title, row.retail_cost) for row in rows if row.service_id == self.service_id]

    def service(self) -> ServiceView:
        """The service, but for the time of its last change."""
        with self.operator.crm.reading(self.operator.admin) as work:
            view = work.customer_services.get(self.service_id)
        return replace(view, last_modified=view.created, version=0)


@pytest.fixture
def shop(operator: Operator) -> Shop:
    with operator.crm.as_actor(operator.admin) as work:
        service = work.customer_services.create(
            ServiceInput(
                customer_id=operator.customer_id,
                product_id=operator.product_ids["play_simple_service"],
                service_name="Mobile",
                service_uuid="Mobile_SIM_00000001",
                service_type="mobile",
                service_status="Active",
            )
        )
        plays = ("play_local_data_addon", "play_topup_no_charge", "play_addon_assign_modem")
        products = {play: work.catalog.create(_product(play)).product_id for play in plays}
        work.inventory.create_template(TemplateInput(item="Rental Modem", itemtext1_label="MAC Address"))
    _call(operator, "ApierV2.SetAccount", ExtraOptions={"AllowNegative": False})
    plan = {"ID": "DATA_20GB", "Value": 3 * GIB, "ExpiryTime": "+720h", "Weight": 10}
    _call(operator, "ApierV1.AddBalance", BalanceType="*data", Balance=plan)
    return Shop(operator, service.service_id, products)


def _call(operator: Operator, method: str, **params: object) -> None:
    body = {"method": method, "params": [{"Tenant": operator.lab.addresses.tenant, **ACCOUNT, **params}], "id": 1}
    answer = httpx.post(f"http://{operator.lab.addresses.ocs}/jsonrpc", json=body).json()
    assert answer["result"] == "OK", answer


ACCOUNT = {"Account": "Mobile_SIM_00000001"}


def _product(play: str) -> ProductInput:
    modem = play == "play_addon_assign_modem"
    return ProductInput(
        product_name=f"Product of {play}",
        product_slug=play.replace("_", "-"),
        category="addon",
        service_type="mobile",
        retail_cost="5.00",
        wholesale_cost="1.50",
        provisioning_play=play,
        provisioning_json_vars='{"service_id": ""}' if modem else '{"data_gb": 5, "days": 7}',
        inventory_items_list="['Rental Modem']" if modem else "[]",
    )


@pytest.mark.req("SVC-057", "SVC-180", "CAT-372", "CAT-488", "CAT-489", "BIL-156", "BIL-157", "BIL-159", "BIL-160")
@pytest.mark.req("BIL-161", "SVC-117", "PLT-443")
def test_an_addon_is_used_before_the_plan_and_charged(shop: Shop) -> None:
    job = shop.order("play_local_data_addon", variables={"voice_minutes": 90, "sms_count": 20, "monetary": "2.50"})
    assert (job.provisioning_status, job.error_message) == (SUCCESS, None)
    added = shop.added()
    assert [(balance.type, balance.value) for balance in added] == [
        ("DATA", 5 * GIB),
        ("VOICE", 90 * 60),
        ("SMS", 20),
        ("MONETARY", Decimal("2.50")),
    ]
    assert {balance.weight for balance in added} == {30}
    assert [balance.remaining_percent for balance in added] == [100, 100, 100, None]
    ends = shop.operator.crm.clock.now() + timedelta(days=7)
    assert {balance.expires for balance in added if balance.expires} == {ends.replace(microsecond=0)}
    assert shop.charges() == [("Product of play_local_data_addon", Decimal("5.00"))]
    with shop.operator.crm.reading(shop.operator.admin) as work:
        assert len(work.customer_services.window(ListQuery(), FIRST, 10).rows) == 1


@pytest.mark.req("CAT-445", "CAT-483", "SVC-120")
def test_a_top_up_moves_the_end_on_and_costs_nothing(shop: Shop) -> None:
    ends = datetime(2999, 1, 31, 12, tzinfo=UTC)
    _ends(shop, ends)
    job = shop.order("play_topup_no_charge")
    assert (job.provisioning_status, job.error_message) == (SUCCESS, None)
    assert [(balance.type, balance.value) for balance in shop.added()] == [("DATA", 5 * GIB)]
    assert shop.service().service_deactivate_date == ends + timedelta(days=7)
    assert shop.charges() == []


@pytest.mark.req("CAT-416", "CAT-445")
def test_a_service_that_was_over_is_active_again_from_today(shop: Shop) -> None:
    crm, admin = shop.operator.crm, shop.operator.admin
    over = ServiceChange(service_status="Inactive", service_deactivate_date=datetime(2020, 1, 31, tzinfo=UTC))
    with crm.as_actor(admin) as work:
        # An add-on is refused to a service that is over; what brings one back is sold as something else.
        work.catalog.update(shop.products["play_topup_no_charge"], ProductChange(category="promo"))
        work.customer_services.update(shop.service_id, over)
    begun = datetime.now(UTC).replace(microsecond=0)
    assert shop.order("play_topup_no_charge").provisioning_status == SUCCESS
    service = shop.service()
    assert service.service_status == "Active"
    assert service.service_deactivate_date is not None
    assert begun <= service.service_deactivate_date - timedelta(days=7) <= datetime.now(UTC)


@pytest.mark.req("CAT-445")
def test_a_service_without_an_end_is_given_none(shop: Shop) -> None:
    assert shop.order("play_topup_no_charge").provisioning_status == SUCCESS
    assert (shop.service().service_deactivate_date, shop.service().service_status) == (None, "Active")


@pytest.mark.req("SVC-088", "SVC-090", "SVC-097", "CAT-449", "BIL-158")
@pytest.mark.parametrize(
    ("play", "broken"),
    [
        ("play_local_data_addon", "task_charge_addon.yaml"),
        ("play_local_data_addon", "task_addon_sms.yaml"),
        ("play_topup_no_charge", "task_addon_sms.yaml"),
    ],
    ids=["charge", "after the charge", "after the expiry"],
)
def test_a_failure_leaves_balances_charges_and_expiry_as_they_were(
    shop: Shop, tmp_path: Path, play: str, broken: str
) -> None:
    _ends(shop, datetime(2999, 1, 31, 12, tzinfo=UTC))
    assert shop.order("play_local_data_addon").provisioning_status == SUCCESS
    before = (shop.added(), shop.charges(), shop.service())
    (tmp_path / "plays").mkdir()
    (tmp_path / "plays" / broken).write_text(BREAK)
    job = shop.order(play, _supporter(shop))
    assert (job.provisioning_status, "the gateway is closed" in (job.error_message or "")) == (FAILED, True)
    assert "Could not be undone" not in (job.error_message or "")
    assert (shop.added(), shop.charges(), shop.service()) == before


@pytest.mark.req("SVC-097", "SVC-123", "BIL-158")
def test_a_refused_balance_delivers_and_charges_nothing(shop: Shop) -> None:
    shop.operator.lab.switch("ocs", "fail", only_for="AddBalance")
    job = shop.order("play_local_data_addon")
    shop.operator.lab.switch("ocs", "ok")
    assert job.provisioning_status == FAILED
    assert (shop.added(), shop.charges()) == ([], [])


@pytest.mark.req("BIL-157")
def test_nothing_is_added_to_a_service_without_an_account_or_that_is_suspended(shop: Shop) -> None:
    _call(shop.operator, "ApierV2.RemoveAccount")
    job = shop.order("play_local_data_addon")
    assert (job.provisioning_status, shop.operator.accounts()) == (FAILED, [])
    with shop.operator.crm.as_actor(shop.operator.admin) as work:
        work.customer_services.update(shop.service_id, ServiceChange(service_status="Suspended"))
    job = shop.order("play_local_data_addon")
    assert "is Suspended" in (job.error_message or "")
    assert shop.charges() == []


@pytest.mark.req("SVC-090", "SVC-099", "BIL-191")
def test_deprovisioning_takes_away_what_was_added_and_keeps_the_plan(shop: Shop) -> None:
    for _ in range(2):
        assert shop.order("play_local_data_addon").provisioning_status == SUCCESS
    first, second = shop.added()
    job = shop.take_away("play_local_data_addon", addon_id=first.id.rpartition("_")[2])
    assert (job.provisioning_status, job.error_message) == (SUCCESS, None)
    assert shop.added() == [second]
    for _ in range(2):
        assert shop.take_away("play_local_data_addon").provisioning_status == SUCCESS
        assert shop.added() == []
    with shop.operator.crm.reading(shop.operator.admin) as work:
        assert [balance.id for balance in work.charging.account(shop.service_id).balances] == ["DATA_20GB"]
    assert len(shop.charges()) == 2
    assert shop.service().service_status == "Active"


@pytest.mark.req("BIL-162", "SVC-180", "SVC-093", "SVC-097")
def test_a_modem_is_lent_and_comes_back(shop: Shop, tmp_path: Path) -> None:
    crm, admin = shop.operator.crm, shop.operator.admin
    with crm.as_actor(admin) as work:
        modem = work.inventory.create(ItemInput(item="Rental Modem", itemtext1="02:DE:30:00:00:01")).inventory_id
        owner = {"customer_id": shop.operator.customer_id, "service_id": shop.service_id}
        sim = work.inventory.create(ItemInput(item="SIM Card", itemtext1="89001", **owner)).inventory_id

    def state(number: int) -> tuple[str, int | None]:
        with crm.reading(admin) as work:
            item = work.inventory.get(number)
        return item.item_state, item.service_id

    fresh, kept = state(modem), state(sim)
    override = tmp_path / "plays" / "task_charge_addon.yaml"
    override.parent.mkdir()
    override.write_text(BREAK)
    assert shop.order("play_addon_assign_modem", inventory={"Rental Modem": modem}).provisioning_status == FAILED
    assert (state(modem), shop.charges()) == (fresh, [])
    override.unlink()
    assert shop.order("play_addon_assign_modem", inventory={"Rental Modem": modem}).provisioning_status == SUCCESS
    assert state(modem) == ("Assigned", shop.service_id)
    assert shop.charges() == [("Product of play_addon_assign_modem", Decimal("5.00"))]
    assert shop.take_away("play_addon_assign_modem").provisioning_status == SUCCESS
    assert (state(modem), state(sim)) == (("Used", None), kept)


def _ends(shop: Shop, moment: datetime) -> None:
    with shop.operator.crm.as_actor(shop.operator.admin) as work:
        work.customer_services.update(shop.service_id, ServiceChange(service_deactivate_date=moment))


def _supporter(shop: Shop) -> Actor:
    """Somebody who may order and not void charges."""
    with shop.operator.crm.as_actor(shop.operator.admin) as work:
        user = work.identity.create_user(
            UserInput(
                username="support",
                email="support@operator.example",
                password="Supp0rt!pass",
                first_name="Sue",
                last_name="Support",
                role="Support",
            )
        )
        return work.identity.actor_of_user(user.id, "192.0.2.2")
