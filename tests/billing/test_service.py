"""Transactions, figures and invoices through the service, on all three databases."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from omnicrm_tui.billing.schemas import InvoiceInput, TransactionInput, TransactionView
from omnicrm_tui.catalog.schemas import ProductInput
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import ServiceInput
from omnicrm_tui.customers.schemas import CustomerInput, SiteInput
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.listing import FIRST, Anchor, Edge, ListQuery
from omnicrm_tui.schemas import Input, parse
from omnicrm_tui.settings import CrmSection


def add_customer(crm: Crm, admin: Actor, **more: Any) -> int:
    with crm.as_actor(admin) as work:
        return work.customers.create(CustomerInput(**({"customer_name": "Zoë"} | more))).customer_id


def add(crm: Crm, admin: Actor, customer_id: int, retail_cost: Any, **more: Any) -> TransactionView:
    values = {"customer_id": str(customer_id), "title": "Monthly fee", "retail_cost": retail_cost} | more
    with crm.as_actor(admin) as work:
        return work.billing.add(parse(TransactionInput, values))


@pytest.fixture
def customer(any_crm: Crm, admin: Actor) -> int:
    return add_customer(any_crm, admin)


@pytest.mark.req("BIL-349", "BIL-352", "BIL-366", "BIL-367", "BIL-369", "CAT-122", "CAT-129")
def test_a_charge_has_its_tax_and_is_logged(any_crm: Crm, admin: Actor, customer: int) -> None:
    seen = add(any_crm, admin, customer, "75.00", wholesale_cost="45.00", tax_percentage="10")
    assert (seen.transaction_type, seen.retail_cost, seen.wholesale_cost) == ("Debit", Decimal(75), Decimal(45))
    assert (seen.tax_percentage, seen.tax_amount, seen.currency) == (Decimal(10), Decimal("7.50"), "USD")
    assert (seen.invoice_id, seen.void, seen.transaction_date) == (None, False, any_crm.clock.now())
    with any_crm.reading(admin) as work:
        assert work.billing.get(seen.transaction_id).retail_cost == Decimal(75)
        entry = work.activity.window(ListQuery(descending=True), FIRST, 1, customer).rows[0]
    assert (entry.object_type, entry.action) == ("transaction", "Debit recorded")
    assert entry.details["retail_cost"]["new"] == "75.00"


@pytest.mark.req("BIL-365", "BIL-370", "CAT-283", "CAT-411", "CAT-130")
def test_a_credit_is_entered_positive_kept_negative_and_never_taxed(any_crm: Crm, admin: Actor, customer: int) -> None:
    seen = add(
        any_crm, admin, customer, "10.00", transaction_type="Credit", credit_type="Goodwill", tax_percentage="10"
    )
    assert (seen.retail_cost, seen.tax_percentage, seen.tax_amount) == (Decimal(-10), Decimal(0), Decimal(0))
    with any_crm.reading(admin) as work:
        assert work.billing.figures(customer).uninvoiced == Decimal(-10)


@pytest.mark.req("BIL-182", "CAT-128", "CAT-186", "CAT-205", "CAT-125", "CAT-126")
def test_the_body_that_plays_send_is_taken_as_it_is(crm: Crm, admin: Actor) -> None:
    customer = add_customer(crm, admin)
    body = {"service_id": None, "title": "Plan - Setup Costs", "description": "Setup"}
    charge = add(crm, admin, customer, **body | {"retail_cost": "19.9", "wholesale_cost": 1.1, "invoice_id": None})
    assert (charge.transaction_type, charge.retail_cost, charge.wholesale_cost) == (
        "Debit",
        Decimal("19.90"),
        Decimal("1.10"),
    )
    credit = add(crm, admin, customer, **body | {"retail_cost": -5.5})
    assert (credit.transaction_type, credit.credit_type, credit.retail_cost) == ("Credit", None, Decimal("-5.50"))
    assert add(crm, admin, customer, **body | {"retail_cost": 0}).retail_cost == 0


@pytest.mark.req("BIL-365")
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"retail_cost": "-1", "transaction_type": "Debit"}, "retail_cost"),
        ({"retail_cost": "-1", "transaction_type": "Credit", "credit_type": "Cash"}, "retail_cost"),
        ({"retail_cost": "0", "transaction_type": "Debit"}, "retail_cost"),
        ({"retail_cost": "1", "transaction_type": "Credit"}, "credit_type"),
        ({"retail_cost": "1", "transaction_type": "Credit", "credit_type": "Beads"}, "credit_type"),
        ({"retail_cost": "1", "transaction_type": "Debit", "credit_type": "Cash"}, "credit_type"),
        ({"retail_cost": "1", "title": " "}, "title"),
        ({"retail_cost": "NaN"}, "retail_cost"),
        ({"retail_cost": "1e40"}, "retail_cost"),
        ({"retail_cost": "much"}, "retail_cost"),
        ({"retail_cost": "1", "tax_percentage": "-1"}, "tax_percentage"),
        ({"retail_cost": "1", "invoice_id": 7}, "invoice_id"),
        ({"retail_cost": "1", "site_id": 7}, "site_id"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(crm: Crm, admin: Actor, values: dict[str, Any], field: str) -> None:
    customer = add_customer(crm, admin)
    with pytest.raises(InvalidInput) as refused:
        add(crm, admin, customer, **values)
    assert field in refused.value.fields
    with crm.reading(admin) as work:
        assert work.billing.count(ListQuery()).value == 0


@pytest.mark.req("CAT-124")
def test_a_site_must_be_the_customers(crm: Crm, admin: Actor) -> None:
    own, other = add_customer(crm, admin), add_customer(crm, admin)
    with crm.as_actor(admin) as work:
        site = work.customers.add_site(own, SiteInput(site_name="Home", country="Norway")).site_id
    assert add(crm, admin, own, 1, site_id=site).site_id == site
    with pytest.raises(InvalidInput):
        add(crm, admin, other, 1, site_id=site)
    with pytest.raises(NotFound):
        add(crm, admin, 999, 1)


@pytest.mark.req("BIL-369", "BIL-371", "CAT-123")
def test_without_a_percentage_the_services_product_decides(any_crm: Crm, admin: Actor, customer: int) -> None:
    with any_crm.as_actor(admin) as work:
        product = ProductInput(product_name="Plan", category="standalone", tax_percentage=Decimal("7.5"))
        made = {"customer_id": customer, "product_id": work.catalog.create(product).product_id, "service_name": "Plan"}
        taxed = work.customer_services.create(ServiceInput(**made)).service_id
        exempt = work.customer_services.create(ServiceInput(**made, service_taxable=False)).service_id
    seen = add(any_crm, admin, customer, 10, service_id=taxed)
    assert (seen.service_id, seen.tax_percentage, seen.tax_amount) == (taxed, Decimal("7.5"), Decimal("0.75"))
    assert add(any_crm, admin, customer, 10, service_id=taxed, tax_percentage=0).tax_amount == 0
    assert add(any_crm, admin, customer, 10, service_id=exempt).tax_amount == 0
    assert add(any_crm, admin, customer, -10, service_id=taxed).tax_amount == 0
    with pytest.raises(InvalidInput):
        add(any_crm, admin, add_customer(any_crm, admin), 10, service_id=taxed)


def test_amounts_are_rounded_to_the_customers_currency(any_crm: Crm, admin: Actor) -> None:
    yen, dinar = add_customer(any_crm, admin, currency="JPY"), add_customer(any_crm, admin, currency="BHD")
    seen = add(any_crm, admin, yen, "1000.5", tax_percentage="10")
    assert (seen.currency, seen.retail_cost, seen.tax_amount) == ("JPY", Decimal(1001), Decimal(100))
    seen = add(any_crm, admin, dinar, "1.0005", tax_percentage="10")
    assert (seen.currency, seen.retail_cost, seen.tax_amount) == ("BHD", Decimal("1.001"), Decimal("0.1"))


def test_a_jobs_transaction_knows_its_job(crm: Crm, admin: Actor) -> None:
    from omnicrm_tui.provisioning.models import Provision

    customer = add_customer(crm, admin)
    with crm.as_actor(admin) as work:
        job = Provision(provisioning_play="play_simple_service")
        work.session.add(job)
        work.session.flush()
        provision_id = job.provision_id
    actor = Actor(ActorKind.JOB, "job", permissions=frozenset({"admin"}), provision_id=provision_id)
    assert add(crm, actor, customer, 1).provision_id == provision_id
    assert add(crm, admin, customer, 1).provision_id is None


@pytest.mark.req("SVC-097")
def test_a_job_takes_back_its_own_charges_alone(crm: Crm, admin: Actor) -> None:
    from omnicrm_tui.provisioning.models import Provision

    customer = add_customer(crm, admin)
    with crm.as_actor(admin) as work:
        job = Provision(provisioning_play="play", playbook_description="play", task_count=0)
        work.session.add(job)
        work.session.flush()
        provision_id = job.provision_id
    permissions = frozenset({"create_customer_transaction"})
    actor = Actor(ActorKind.JOB, "job", permissions=permissions, provision_id=provision_id)
    own, other = (add(crm, who, customer, 1).transaction_id for who in (actor, admin))
    with crm.as_actor(actor) as work:
        assert work.billing.void(own).void
    for number in (other, 999_999):
        with pytest.raises(NotPermitted), crm.as_actor(actor) as work:
            work.billing.void(number)


@pytest.mark.req("BIL-361", "BIL-368", "BIL-372", "CAT-132", "CAT-284")
def test_void_leaves_the_list_and_the_figures_and_is_refused_once_invoiced(
    any_crm: Crm, admin: Actor, customer: int
) -> None:
    wrong, right = (add(any_crm, admin, customer, cost).transaction_id for cost in (10, 20))
    with any_crm.as_actor(admin) as work:
        assert work.billing.void(wrong).void
    with any_crm.reading(admin) as work:
        assert [row.transaction_id for row in work.billing.window(ListQuery(), FIRST, 9).rows] == [right]
        assert work.billing.figures(customer).total == Decimal(20)
        void = ListQuery(filters={"void": ["true"]})
        assert [row.transaction_id for row in work.billing.window(void, FIRST, 9).rows] == [wrong]
        everything = ListQuery(filters={"void": ["true", "false"]})
        assert work.billing.count(everything).value == 2
        action = work.activity.window(ListQuery(descending=True), FIRST, 1, customer).rows[0].action
    assert action == "Transaction voided"
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.billing.void(wrong)
    invoice(any_crm, admin, customer)
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.billing.void(right)


@pytest.mark.req("BIL-356", "CAT-131", "CAT-280")
def test_figures_are_exact_and_count_months_in_the_operators_zone(
    any_crm: Crm, clock: FrozenClock, admin: Actor
) -> None:
    zone = any_crm.settings.model_copy(
        update={"crm": any_crm.settings.crm.model_copy(update={"timezone": "Pacific/Auckland"})}
    )
    crm = Crm(zone, any_crm.engine, any_crm.clock, any_crm.vault)
    customer, other, nobody = (add_customer(crm, admin) for _ in range(3))
    # November 2026 in Auckland starts at 2026-10-31T11:00Z.
    for when, cost in (
        ("2026-10-31T11:00:00+0000", "0.10"),
        ("2026-10-31T10:59:59+0000", "0.20"),
        ("2026-09-30T11:00:00+0000", "0.40"),
        ("2026-09-30T10:59:59+0000", "0.80"),
    ):
        add(crm, admin, customer, cost, transaction_date=when)
    add(crm, admin, other, "1000000.01")
    with crm.reading(admin) as work:
        one, everyone = work.billing.figures(customer), work.billing.figures()
    assert (one.total, one.uninvoiced) == (Decimal("1.50"), Decimal("1.50"))
    assert (one.this_month, one.last_month) == (Decimal("0.10"), Decimal("0.60"))
    assert (everyone.total, everyone.currency) == (Decimal("1000001.51"), "USD")
    with crm.reading(admin) as work:
        assert work.billing.figures(nobody).total == 0


@pytest.mark.req("BIL-359", "BIL-360", "BIL-362", "CAT-216", "CAT-281")
def test_transactions_are_sorted_searched_and_filtered(any_crm: Crm, admin: Actor, customer: int) -> None:
    other = add_customer(any_crm, admin)
    ids = [
        add(any_crm, admin, customer, 30, title="b", transaction_date="2026-11-01T00:00:00+0000").transaction_id,
        add(any_crm, admin, customer, 10, title="c", description="50% off").transaction_id,
        add(any_crm, admin, other, 20, title="a", transaction_date="2026-11-02T00:00:00+0000").transaction_id,
        add(any_crm, admin, customer, 10, title="d", transaction_date="2026-11-03T00:00:00+0000").transaction_id,
    ]

    def order(**query: Any) -> list[int]:
        found, anchor = [], FIRST
        with any_crm.reading(admin) as work:
            while True:
                window = work.billing.window(ListQuery(**query), anchor, 2)
                found += [ids.index(row.transaction_id) for row in window.rows]
                if not window.more_after:
                    return found
                anchor = Anchor(Edge.AFTER, window.keys[-1])

    assert order() == [0, 2, 3, 1]
    assert order(descending=True) == [1, 3, 2, 0]
    assert order(sort="title") == [2, 0, 1, 3]
    assert order(sort="retail_cost", descending=True) == [0, 2, 3, 1]
    assert order(search="50%") == [1]
    assert order(search=str(ids[3])) == [3]
    with any_crm.reading(admin) as work:
        page = work.billing.page(ListQuery(sort="transaction_id"), 1, 2, customer)
    assert ([ids.index(row.transaction_id) for row in page.rows], page.total) == ([0, 1], 3)
    invoice(any_crm, admin, other)
    assert order(filters={"invoiced": ["true"]}) == [2]
    assert order(filters={"invoiced": ["false"]}) == [0, 3, 1]


@pytest.mark.req("BIL-378", "BIL-461")
def test_a_customer_sees_its_own_without_wholesale_and_changes_nothing(any_crm: Crm, admin: Actor) -> None:
    own_id, other = add_customer(any_crm, admin), add_customer(any_crm, admin)
    mine, theirs = add(any_crm, admin, own_id, 10, wholesale_cost=4), add(any_crm, admin, other, 99)
    own = Actor(
        ActorKind.CUSTOMER,
        "zoe",
        permissions=frozenset({"view_own_customer_transaction", "view_own_customer_invoice"}),
        own_customer_id=own_id,
    )
    with any_crm.reading(own) as work:
        assert [row.transaction_id for row in work.billing.window(ListQuery(), FIRST, 9).rows] == [mine.transaction_id]
        assert work.billing.get(mine.transaction_id).wholesale_cost is None
        assert work.billing.figures().total == Decimal(10)
        assert work.billing.invoice_figures().total.count == 0
        with pytest.raises(NotFound):
            work.billing.get(theirs.transaction_id)
        with pytest.raises(NotFound):
            work.billing.figures(other)
        with pytest.raises(NotPermitted):
            work.billing.add(TransactionInput(customer_id=own_id, title="x", retail_cost=Decimal(-5)))
        with pytest.raises(NotPermitted):
            work.billing.void(mine.transaction_id)


def invoice(crm: Crm, admin: Actor, customer_id: int, **more: Any) -> Any:
    values = {"customer_id": customer_id, "start_date": date(2026, 11, 1), "end_date": date(2026, 11, 30)} | more
    with crm.as_actor(admin) as work:
        return work.billing.add_invoice(InvoiceInput(**values))


@pytest.mark.req("BIL-313", "BIL-315", "BIL-320", "BIL-373", "CAT-410", "CAT-414", "CAT-138", "CAT-133")
def test_an_invoice_takes_the_open_transactions_of_its_days_and_freezes_the_totals(
    any_crm: Crm, admin: Actor, customer: int
) -> None:
    add(any_crm, admin, customer, 45, title="Mobile plan", tax_percentage=10)
    add(any_crm, admin, customer, 10, transaction_type="Credit", credit_type="Cash")
    out = add(any_crm, admin, customer, 7, title="Disputed").transaction_id
    add(any_crm, admin, customer, 99, transaction_date="2026-12-01T00:00:00+0000")
    void = add(any_crm, admin, customer, 88).transaction_id
    with any_crm.as_actor(admin) as work:
        work.billing.void(void)
    made = invoice(any_crm, admin, customer, exclude=[out], due_date=date(2026, 11, 20))
    assert (made.subtotal, made.tax_amount, made.retail_cost) == (Decimal(35), Decimal("4.5"), Decimal("39.5"))
    assert (made.invoice_number, made.status, len(made.transactions)) == ("INV-2026-000001", "Overdue", 2)
    with any_crm.reading(admin) as work:
        assert work.billing.invoice(made.invoice_id).retail_cost == Decimal("39.5")
        assert work.billing.figures(customer).uninvoiced == Decimal(106)
        figures = work.billing.invoice_figures(customer)
        rows = work.billing.invoice_window(ListQuery(search="INV-2026"), FIRST, 9, customer).rows
        page = work.billing.invoice_page(ListQuery(filters={"paid": ["false"]}), 1, 9)
    assert (figures.total.count, figures.unpaid.amount, figures.this_month.amount, figures.last_month.count) == (
        1,
        Decimal("39.5"),
        Decimal("39.5"),
        0,
    )
    assert [(row.invoice_number, row.status) for row in rows] == [("INV-2026-000001", "Overdue")]
    assert page.total == 1
    mobile = add(any_crm, admin, customer, 5, description="Mobile extra").transaction_id
    narrow = invoice(any_crm, admin, customer, filter_text="Mobile")
    assert [line.transaction_id for line in narrow.transactions] == [mobile]


@pytest.mark.req("BIL-308", "PLT-483")
@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "Invoice for 2026-11-01 - 2026-11-30"), ("fr", "Facture du 2026-11-01 au 2026-11-30")],
)
def test_an_invoice_without_a_title_gets_one_that_its_customer_can_read(
    any_crm: Crm, admin: Actor, customer: int, language: str, title: str
) -> None:
    any_crm.settings = any_crm.settings.model_copy(update={"crm": CrmSection(language=language)})
    add(any_crm, admin, customer, 45)
    assert invoice(any_crm, admin, customer).title == title


@pytest.mark.req("BIL-312", "BIL-314")
def test_nothing_to_invoice_is_said_and_uses_up_no_number(any_crm: Crm, admin: Actor, customer: int) -> None:
    with pytest.raises(InvalidInput):
        invoice(any_crm, admin, customer)
    with pytest.raises(InvalidInput):
        invoice(any_crm, admin, customer, start_date=date(2026, 12, 1))
    add(any_crm, admin, customer, 1)
    assert invoice(any_crm, admin, customer).invoice_number == "INV-2026-000001"


@pytest.mark.req("CAT-133", "BIL-279")
def test_numbers_have_no_gap_however_many_invoice_at_once_and_start_anew_each_year(
    any_crm: Crm, clock: FrozenClock, admin: Actor
) -> None:
    customers = [add_customer(any_crm, admin) for _ in range(6)]
    for number in customers:
        add(any_crm, admin, number, 1)
    gate, made, failed = threading.Barrier(6), [], []

    def run(customer_id: int) -> None:
        gate.wait(30)
        try:
            made.append(invoice(any_crm, admin, customer_id).invoice_number)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in customers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert sorted(made) == [f"INV-2026-{number:06}" for number in range(1, 7)]
    clock.advance(timedelta(days=60))
    add(any_crm, admin, customers[0], 1, transaction_date="2026-11-05T00:00:00+0000")
    assert invoice(any_crm, admin, customers[0]).invoice_number == "INV-2027-000001"


@pytest.mark.req("BIL-315")
def test_two_invoices_at_once_never_bill_a_transaction_twice(any_crm: Crm, admin: Actor, customer: int) -> None:
    for _ in range(5):
        add(any_crm, admin, customer, 1)
    gate, made, refused = threading.Barrier(2), [], []

    def run() -> None:
        gate.wait(30)
        try:
            made.append(invoice(any_crm, admin, customer))
        except InvalidInput as error:
            refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(made), len(refused)) == (1, 1)
    assert made[0].retail_cost == Decimal(5)


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        (TransactionInput, "transaction_date", "0001-01-01T00:00:00+14:00"),
        (TransactionInput, "transaction_date", "9999-12-31T23:59:59-1400"),
        (InvoiceInput, "start_date", "0001-01-01"),
        (InvoiceInput, "end_date", "9999-12-31"),
        (InvoiceInput, "exclude.0", 10**30),
        (InvoiceInput, "exclude", [1] * 10_001),
    ],
)
def test_what_no_calendar_and_no_table_holds_is_told_beside_its_field(
    model: type[Input], field: str, value: object
) -> None:
    given = {"customer_id": 1, "title": "x"}
    given |= {"retail_cost": 1} if model is TransactionInput else {"start_date": "2026-01-01", "end_date": "2026-02-01"}
    name, _, place = field.partition(".")
    with pytest.raises(InvalidInput) as refused:
        parse(model, {**given, name: [value] if place else value})
    assert set(refused.value.fields) == {field}
