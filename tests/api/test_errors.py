"""Bad input and bad luck over REST: a status, a sentence, never a traceback."""

from __future__ import annotations

import json
import logging
from typing import NoReturn

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnicrm_tui import errors
from omnicrm_tui.api.bodies import MAX_BODY_BYTES
from omnicrm_tui.customers.service import CustomersService

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("no", {"x": "wrong"}), 400),
        (errors.NotAuthenticated("no"), 401),
        (errors.NotPermitted("no"), 403),
        (errors.NotFound("no"), 404),
        (errors.Conflict("no"), 409),
        (errors.AccountLocked("no"), 423),
        (errors.TooManyRequests("no"), 429),
        (errors.OutsideSystemError("no"), 503),
        (errors.DatabaseProblem("no"), 503),
        (OverflowError("int too large"), 400),
    ],
)
def test_each_error_has_its_status(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(CustomersService, "get", fail)
    answer = client.get("/crm/customer/1")
    assert answer.status_code == status
    assert answer.json().keys() == {"message", "errors"}
    assert answer.json()["errors"] == getattr(error, "fields", {})


def test_an_unforeseen_error_is_told_by_a_reference_that_the_log_has(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> NoReturn:
        raise RuntimeError("the secret is 4711")

    monkeypatch.setattr(CustomersService, "get", fail)
    with caplog.at_level(logging.ERROR, "omnicrm.api"):
        answer = client.get("/crm/customer/1")
    assert answer.status_code == 500
    assert "4711" not in answer.text
    assert "RuntimeError" not in answer.text
    reference = answer.json()["message"].split()[-1].rstrip(".")
    assert reference in caplog.text


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.5", "9223372036854775808", "9" * 5000, "%C2%B2"])
def test_an_id_that_cannot_exist_is_unknown(client: TestClient, number: str) -> None:
    assert client.get(f"/crm/customer/{number}").status_code == 404


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("{", JSON, 400),
        ("[1]", JSON, 400),
        ('"text"', JSON, 400),
        ("null", JSON, 400),
        ("", JSON, 400),
        (b"\xff\xfe{}", JSON, 400),
        ('{"customer_name": "a\\u0000b"}', JSON, 400),
        ('{"customer_name": "\\ud800"}', JSON, 400),
        ('{"\\ud800": 1, "customer_name": "x"}', JSON, 400),
        ('{"customer_name": NaN}', JSON, 400),
        ('{"customer_name": 1e999}', JSON, 400),
        ('{"customer_name": ' + "9" * 6000 + "}", JSON, 400),
        ('{"customer_name": 9223372036854775808}', JSON, 400),
        ('{"custom_fields": ' + "[" * 100_000 + "]" * 100_000 + "}", JSON, 400),
        ('{"custom_fields": ' + '{"a":' * 50 + "1" + "}" * 50 + "}", JSON, 400),
        ('{"customer_name": "x"}', {"content-type": "text/plain"}, 415),
        ("customer_name=x", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (json.dumps({"customer_name": "x", "customer_notes": "é" * 16_001}), JSON, 400),
        (b" " * (MAX_BODY_BYTES + 1), JSON, 413),
        ('{"customer_name": "x"}', {"content-type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_a_body_is_judged_before_it_is_used(
    client: TestClient, body: str | bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.put("/crm/customer/", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["message"]
        assert client.get("/crm/customers").json()["pagination"]["total_items"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=x",
        "per_page=1001",
        "page=99999999999999999999",
        "order=sideways",
        "sort=nothing",
        "filters=[1]",
        "filters={",
        'filters={"colour": ["red"]}',
        'filters={"customer_status": [{"a": 1}]}',
        'filters={"customer_status": ["\\ud800"]}',
        "search=%00",
    ],
)
def test_wrong_parameters_are_told(client: TestClient, query: str) -> None:
    answer = client.get(f"/crm/customers?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


def test_unknown_addresses_and_methods_are_told_in_the_same_form(client: TestClient) -> None:
    assert client.get("/crm/nothing/here").json() == {"message": "There is nothing at this address.", "errors": {}}
    wrong = client.delete("/crm/customers")
    assert wrong.status_code == 405
    assert "GET" in wrong.headers["allow"]
    assert client.get("/crm/customer/a%00b").status_code == 400


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["customer_name", "customer_status", "contract_end_date", "custom_fields", "version", "site"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(FIELDS, ANYTHING, max_size=4))
def test_no_body_breaks_the_server(client: TestClient, values: dict[str, object]) -> None:
    body = json.dumps(values)
    for answer in (
        client.put("/crm/customer/", content=body, headers=JSON),
        client.patch("/crm/customer/1", content=body, headers=JSON),
    ):
        assert answer.status_code < 500, answer.text
