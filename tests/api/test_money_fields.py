"""Every field of transactions and invoices: its name, its type, its default."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from omnicrm_tui.billing.models import Invoice
from omnicrm_tui.crm import Crm
from tests.api.fields import REQUIRED, Entity

MONEY = Entity("/crm/transaction/", "transaction_id", {"customer_id": 1, "title": "Set-up {n}", "retail_cost": 5})
NOON = "2026-11-21T12:00:00Z"
NOVEMBER = {"customer_id": 1, "start_date": "2026-11-01", "end_date": "2026-11-30", "due_date": "2026-12-15"}


@pytest.fixture
def books(client: TestClient) -> TestClient:
    """Customer 1 with site 1 and service 1."""
    for path, body in (
        ("/crm/customer/", {"customer_name": "Ada"}),
        ("/crm/site/", {"customer_id": 1, "site_name": "Home", "country": "Norway"}),
        ("/crm/service/", {"customer_id": 1, "service_name": "Mobile"}),
    ):
        assert client.put(path, json=body).status_code == 200
    return client


@pytest.mark.parametrize(
    ("name", "sent", "shown", "default"),
    [
        pytest.param("customer_id", "1", 1, REQUIRED, marks=pytest.mark.req("PLT-113", "CAT-122")),
        pytest.param("service_id", "1", 1, None, marks=pytest.mark.req("PLT-115", "CAT-123")),
        pytest.param("site_id", 1, 1, None, marks=pytest.mark.req("CAT-124", "BIL-351")),
        pytest.param(
            "title",
            "Mobile - Setup Costs",
            "Mobile - Setup Costs",
            REQUIRED,
            marks=pytest.mark.req("PLT-116", "CAT-125"),
        ),
        pytest.param("description", "Setup costs for SIM", "Setup costs for SIM", "", marks=pytest.mark.req("CAT-126")),
        pytest.param("retail_cost", "15.50", 15.5, REQUIRED, marks=pytest.mark.req("PLT-117", "CAT-128")),
        pytest.param("wholesale_cost", "1.00", 1, 0, marks=pytest.mark.req("PLT-118", "BIL-349")),
        pytest.param("tax_percentage", "12.5", 12.5, 0, marks=pytest.mark.req("PLT-119", "CAT-129")),
        pytest.param(
            "transaction_date",
            "2026-10-01T00:00:00Z",
            "2026-10-01T00:00:00Z",
            NOON,
            marks=pytest.mark.req("BIL-351", "CAT-131"),
        ),
    ],
)
def test_a_transactions_field(books: TestClient, name: str, sent: Any, shown: Any, default: Any) -> None:
    MONEY.check(books, name, sent, shown, default)


@pytest.mark.req("PLT-112", "PLT-118", "PLT-120", "PLT-121", "PLT-114", "CAT-127", "BIL-351", "BIL-363")
def test_what_a_transaction_gets_by_itself(books: TestClient) -> None:
    first, second = (MONEY.make(books, retail_cost="9.99", tax_percentage=10) for _ in range(2))
    assert (first["transaction_id"], second["transaction_id"]) == (1, 2)
    assert (first["tax_amount"], first["created"]) == (1, NOON)
    assert (first["void"], first["invoice_id"]) == (False, None)
    assert books.post("/crm/transaction/1/void").json()["void"] is True
    assert (MONEY.read(books, 1)["void"], MONEY.read(books, 2)["void"]) == (True, False)


@pytest.mark.req("BIL-351", "BIL-353", "BIL-354", "CAT-130")
def test_every_kind_of_debit_and_credit_is_recorded_and_adds_up(books: TestClient, crm: Crm) -> None:
    for title in ("Setup fee", "Monthly fee", "Installation", "Equipment", "Late payment", "Manual"):
        assert MONEY.make(books, title=title)["transaction_type"] == "Debit"
    kinds = ("Cash", "Card", "Bank Transfer", "Goodwill", "Refund", "Discount")
    assert set(kinds) <= set(crm.settings.crm.credit_types)
    for kind in kinds:
        credit = MONEY.make(books, transaction_type="Credit", credit_type=kind, retail_cost=2)
        assert (credit["credit_type"], credit["retail_cost"]) == (kind, -2)
    assert MONEY.refused(books, transaction_type="Credit", credit_type="Beads") == {"credit_type"}
    assert books.get("/crm/transaction/statistics", params={"customer_id": 1}).json()["total"] == 6 * 5 - 6 * 2


@pytest.mark.req("PLT-122", "PLT-123", "PLT-127", "PLT-128", "PLT-129", "CAT-133", "CAT-134", "CAT-007", "PLT-043")
def test_an_invoice_groups_transactions_under_a_number_with_dates_and_a_total(books: TestClient) -> None:
    for cost in (50, 45):
        MONEY.make(books, retail_cost=cost)
    alone = MONEY.make(books, retail_cost=9, transaction_date="2026-10-01T00:00:00Z")
    made = books.put("/crm/invoice/", json=NOVEMBER)
    assert made.status_code == 200, made.text
    invoice = books.get(f"/crm/invoice/invoice_id/{made.json()['invoice_id']}").json()
    dates = {name: invoice[name] for name in ("start_date", "end_date", "due_date")}
    assert dates == {name: NOVEMBER[name] for name in dates}
    assert (invoice["invoice_id"], invoice["customer_id"], invoice["retail_cost"]) == (1, 1, 95)
    assert invoice["invoice_number"] == "INV-2026-000001"
    assert [row["invoice_id"] for row in invoice["transactions"]] == [1, 1]
    assert MONEY.read(books, alone["transaction_id"])["invoice_id"] is None


@pytest.mark.req("PLT-124", "PLT-125", "PLT-126", "CAT-135", "CAT-136", "CAT-137")
@pytest.mark.parametrize(
    ("kept", "status"),
    [
        ({}, "Unpaid"),
        ({"paid": True, "payment_reference": "pi_3Nx", "payment_method": "card"}, "Paid"),
        ({"paid": True, "payment_reference": "Receipt 12", "payment_method": "cash"}, "Paid"),
        ({"paid": True, "refund_reference": "re_3Nx"}, "Refunded"),
        ({"void": True}, "Voided"),
    ],
)
def test_an_invoice_tells_how_it_stands(books: TestClient, crm: Crm, kept: dict[str, Any], status: str) -> None:
    MONEY.make(books)
    assert books.put("/crm/invoice/", json=NOVEMBER).status_code == 200
    if kept:
        with crm.engine.begin() as connection:
            connection.execute(update(Invoice).values(**kept))
    invoice = books.get("/crm/invoice/1").json()
    expected = {"paid": False, "void": False, "payment_reference": None, "payment_method": None} | kept
    assert {name: invoice[name] for name in expected} == expected
    assert invoice["status"] == status


@pytest.mark.req("CAT-002", "PLT-073")
@pytest.mark.parametrize("kind", ["Individual", "Business"])
def test_companies_and_individuals_are_invoiced(client: TestClient, kind: str) -> None:
    client.put("/crm/customer/", json={"customer_name": "ABC Company", "customer_account_type": kind})
    MONEY.make(client, retail_cost=12)
    invoice = client.put("/crm/invoice/", json=NOVEMBER).json()
    assert (invoice["customer_id"], invoice["retail_cost"], invoice["status"]) == (1, 12, "Unpaid")
