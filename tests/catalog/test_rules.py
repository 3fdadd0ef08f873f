"""Eligibility, dates, lists, features, variables and margins, without a database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.catalog import rules
from omnicrm_tui.errors import InvalidInput
from tests.fixtures.databases import NOON

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Offer:
    product_name: str = "Mobile SIM Only"
    category: str = "standalone"
    service_type: str = "mobile"
    enabled: bool = True
    residential: bool = True
    business: bool = True
    customer_can_purchase: bool = True
    available_from: datetime | None = None
    available_until: datetime | None = None


@pytest.mark.req("CAT-364", "CAT-441", "BIL-074", "BIL-082", "BIL-083")
@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        (Offer(), True),
        (Offer(enabled=False), False),
        (Offer(available_from=NOON), True),
        (Offer(available_from=NOON + DAY), False),
        (Offer(available_until=NOON), True),
        (Offer(available_until=NOON - DAY), False),
        (Offer(available_from=NOON - DAY, available_until=NOON + DAY), True),
    ],
)
def test_a_product_is_on_sale_when_enabled_and_within_its_dates(offer: Offer, expected: bool) -> None:
    assert rules.available(offer, NOON) is expected


@pytest.mark.req("SVC-192")
@pytest.mark.parametrize(
    ("category", "days", "renews", "once"),
    [
        ("addon", 0, "false", True),
        ("addon", 30, "false", False),
        ("addon", 0, "prompt", False),
        ("addon", 0, "true", False),
        ("standalone", 0, "false", False),
    ],
)
def test_an_add_on_without_contract_and_renewal_is_paid_once(category: str, days: int, renews: str, once: bool) -> None:
    assert rules.charged_once(category, days, renews) is once


@pytest.mark.req("CAT-360", "CAT-361", "CAT-365", "CAT-567", "BIL-080", "BIL-081")
@pytest.mark.parametrize(
    ("residential", "business", "individual", "company"),
    [(True, True, True, True), (True, False, True, False), (False, True, False, True), (False, False, True, False)],
)
def test_flags_say_for_whom_a_product_is(residential: bool, business: bool, individual: bool, company: bool) -> None:
    offer = Offer(residential=residential, business=business, customer_can_purchase=False)
    assert rules.eligible(offer, "Individual", by_customer=False) is individual
    assert rules.eligible(offer, "Business", by_customer=False) is company
    assert not rules.eligible(offer, "Individual", by_customer=True)


@pytest.mark.parametrize(
    ("offer", "by_customer", "problem"),
    [
        (Offer(), True, None),
        (Offer(enabled=False), False, "not on sale"),
        (Offer(residential=False), False, "not for individual"),
        (Offer(customer_can_purchase=False), True, "only be ordered by staff"),
        (Offer(customer_can_purchase=False), False, None),
    ],
)
def test_a_refused_order_says_why(offer: Offer, by_customer: bool, problem: str | None) -> None:
    found = rules.order_problem(offer, "Individual", NOON, by_customer=by_customer)
    assert (found is None) if problem is None else (found is not None and problem in found)


@pytest.mark.req("CAT-368", "BIL-087", "CAT-102")
def test_every_dependency_has_to_be_there() -> None:
    assert rules.dependencies_met((), set(), set())
    assert rules.dependencies_met(("mobile", "12"), {12}, {"mobile"})
    assert not rules.dependencies_met(("mobile", "12"), {11}, {"mobile"})


@pytest.mark.req("CAT-105", "CAT-101", "BIL-086", "BIL-112", "PLT-108")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("['SIM Card', 'Mobile Number']", ("SIM Card", "Mobile Number")),
        ('["SIM Card", "Mobile Number"]', ("SIM Card", "Mobile Number")),
        ("[\n  'SIM Card',\n]", ("SIM Card",)),
        ("[12, 'mobile']", ("12", "mobile")),
        ("[]", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_a_list_is_read_in_both_spellings(text: str | None, expected: tuple[str, ...]) -> None:
    assert rules.parse_list(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "SIM Card",
        "['SIM Card'",
        "{'a': 1}",
        "[['a']]",
        "[None]",
        "[True]",
        "__import__('os')",
        "[__import__('os')]",
        "[" * 5000,
        "[" + "-" * 15_000 + "1]",
        "['" + "x" * rules.LONGEST_LIST + "']",
    ],
)
def test_anything_else_is_no_list(text: str) -> None:
    with pytest.raises(InvalidInput):
        rules.parse_list(text)


@given(st.lists(st.text(min_size=1, max_size=30), max_size=8))
def test_lists_survive_both_spellings(names: list[str]) -> None:
    import json

    assert rules.parse_list(repr(names)) == tuple(names)
    assert rules.parse_list(json.dumps(names)) == tuple(names)


@given(st.text(max_size=200))
def test_features_never_fail_and_hold_no_blanks(text: str) -> None:
    assert all(feature.strip() for feature in rules.parse_features(text))
    rules.feature_warnings(text)


@pytest.mark.req("BIL-121", "BIL-122", "BIL-123", "BIL-129", "CAT-098")
def test_features_are_sentences_or_a_list_and_never_break_the_page() -> None:
    expected = ("20 GB data", "Unlimited calls", "EU roaming")
    assert rules.parse_features("20 GB data. Unlimited calls. EU roaming") == expected
    assert rules.parse_features("20 GB data. Unlimited\n calls. EU roaming.") == expected
    assert rules.parse_features("['20 GB data',\n 'Unlimited calls', 'EU roaming']") == expected
    assert rules.parse_features("['Up to 2.5. Mbps']") == ("Up to 2.5. Mbps",)
    assert rules.parse_features("['20 GB") == ("['20 GB",)
    assert "cannot be read" in rules.feature_warnings("['20 GB")[0]
    assert "50" in rules.feature_warnings("x" * 51)[0]
    assert rules.feature_warnings("['20 GB']") == ()


@pytest.mark.req("CAT-100", "BIL-091", "PLT-107")
def test_variables_are_a_json_object_or_nothing() -> None:
    assert rules.parse_vars("") == rules.parse_vars(None) == {}
    assert rules.parse_vars('{"days": 30, "voice_minutes": "unlimited"}') == {"days": 30, "voice_minutes": "unlimited"}
    for text in ("[]", "{'days': 30}", "days=30", "[" * 100_000):
        with pytest.raises(InvalidInput):
            rules.parse_vars(text)


@pytest.mark.req("CAT-117", "CAT-100", "CAT-471")
@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"days": 30, "wifi_password": "correct-horse"}, "wifi_password"),
        ({"wifi": [{"ssid": "home", "psk": "correct-horse"}]}, "wifi.psk"),
        ({"pin": 1234}, "pin"),
        ({"settings": [{"name": "api_key", "value": "abc"}]}, "settings.value"),
    ],
)
def test_no_secret_is_stored_with_a_product_or_service(variables: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match="Give it with the order") as refused:
        rules.stored_vars(json.dumps(variables))
    assert refused.value.message.startswith(f"{named}: ")


def test_placeholders_are_no_secrets() -> None:
    blanks = {"password": "", "ki": None, "token_type": "x", "customer_id": 5, "wifi": {"psk": ""}}
    assert rules.stored_vars(json.dumps(blanks)) == blanks


@pytest.mark.req("BIL-067", "CAT-421", "BIL-152")
def test_margins_are_those_of_the_worked_example() -> None:
    retail, wholesale = Decimal(15), Decimal(5)
    assert (rules.markup(retail, wholesale), rules.margin(retail, wholesale)) == (Decimal(200), Decimal("66.67"))
    assert (rules.markup(Decimal(0), Decimal(1)), rules.margin(Decimal(0), Decimal(1))) == (Decimal(-100), None)
    assert rules.markup(Decimal(1), Decimal(0)) is None


@pytest.mark.req("CAT-078", "BIL-113")
def test_slugs_and_duplicates() -> None:
    assert rules.is_slug("prepaid-mobile-20gb")
    assert not any(rules.is_slug(text) for text in ("Mobile-SIM", "a b", "-a", "a--b", "", "ä"))
    assert rules.slug_of("mobile sim: £5!") == "mobile-sim-5"
    assert rules.slug_of("李") == "product"
    assert rules.duplicates(("a", "b", "a", "a")) == ("a",)
