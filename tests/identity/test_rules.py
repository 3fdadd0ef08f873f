"""Rules, catalogue, hashes, codes: what needs no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.identity import passwords, rules, totp
from omnicrm_tui.identity.permissions import PERMISSIONS, ROLE_DESIGNS, clean_up_only
from omnicrm_tui.identity.rules import address_is_in, is_common, login_name, password_problem

REAL_PARAMETERS = (passwords.MEMORY_KIB, passwords.ROUNDS)


@pytest.mark.req("BIL-418")
@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("Right-Horse9", None),
        ("Ünicode-9x", None),
        ("Sh0rt!", "at least 8 characters"),
        ("right-horse9", "upper case"),
        ("RIGHT-HORSE9", "lower case"),
        ("Right-Horse", "digit"),
        ("RightHorse9", "special"),
        ("Right Horse9", "special"),
        ("Aa1!" * 65, "at most 256"),
        ("Aa1!" * 32, None),
        ("Schl\u00fcssel-9", None),
        ("Passw0rd!", "commonest"),
        ("Summer2024!", "commonest"),
        ("Summer-of-2024", None),
        ("Cat$8842917341", None),
    ],
)
def test_a_password_says_what_it_still_needs(password: str, problem: str | None) -> None:
    found = password_problem(password)
    assert found == problem if problem is None else found is not None and problem in found


@pytest.mark.req("PLT-594")
def test_a_temporary_password_meets_the_rules_and_is_never_the_same() -> None:
    made = {passwords.temporary_password() for _ in range(50)}
    assert len(made) == 50
    assert {len(password) for password in made} == {12}
    assert {password_problem(password) for password in made} == {None}


@pytest.mark.req("BIL-435", "BIL-436", "BIL-449", "BIL-452", "BIL-453")
def test_the_catalogue_has_84_names_by_the_naming_rule() -> None:
    assert len(PERMISSIONS) == 84
    assert {"admin", "can_impersonate", "view_own_customer_stripe_card", "delete_cbc_message"} <= PERMISSIONS.keys()
    assert not {"view_own_product", "view_own_cbc_message", "view_own_provision_event"} & PERMISSIONS.keys()


@pytest.mark.req("BIL-454", "BIL-455", "BIL-456", "BIL-457", "BIL-458", "BIL-459")
def test_role_designs_use_catalogued_names_and_keep_to_their_kind() -> None:
    designs = {design.name: set(design.permissions) for design in ROLE_DESIGNS}
    assert set(designs) == {"System Admin", "Support", "Finance", "Customer Admin", "Read-only Auditor", "Customer"}
    assert all(permissions <= PERMISSIONS.keys() for permissions in designs.values())
    assert {"view_customer", "view_customer_service", "view_communication", "view_provision"} <= designs["Support"]
    assert {"view_customer_invoice", "view_customer_transaction", "view_product"} <= designs["Finance"]
    assert all(name.startswith("view_own_") for name in designs["Customer Admin"] | designs["Customer"])
    assert designs["Read-only Auditor"] == {
        name for name in PERMISSIONS if name.startswith("view_") and not name.startswith("view_own_")
    }


def test_a_revoked_users_job_can_clean_up_and_nothing_else() -> None:
    assert "create_customer" not in clean_up_only({"admin"})
    assert {"update_inventory", "delete_customer_service", "view_product"} <= clean_up_only({"admin"})
    assert clean_up_only({"create_provision", "update_inventory", "view_product"}) == {
        "update_inventory",
        "view_product",
    }


@pytest.mark.req("PLT-454", "CAT-181")
@pytest.mark.parametrize(
    ("source", "networks", "inside"),
    [
        ("10.0.1.50", ["10.0.1.50"], True),
        ("10.0.1.51", ["10.0.1.50"], False),
        ("10.0.1.51", ["10.0.1.0/24"], True),
        ("::ffff:10.0.1.51", ["10.0.1.0/24"], True),
        ("10.0.2.51", ["10.0.1.0/24", "::1"], False),
        ("not an address", ["0.0.0.0/0"], False),
        ("", ["0.0.0.0/0"], False),
    ],
)
def test_an_address_is_in_a_list_of_addresses_and_networks(source: str, networks: list[str], inside: bool) -> None:
    assert address_is_in(source, networks) is inside


@given(st.text())
def test_a_login_name_is_the_same_however_often_it_is_made(text: str) -> None:
    assert login_name(login_name(text.upper())) == login_name(text.upper())


def test_names_differ_by_more_than_case_and_blanks() -> None:
    assert login_name(" Ada@Mail.Example ") == login_name("ADA@mail.example")
    assert login_name("zoë") != login_name("zoe")


@pytest.mark.req("BIL-421", "PLT-223")
def test_a_hash_is_argon2id_and_never_the_password() -> None:
    made = passwords.hash_password("Right-Horse9")
    assert made.startswith("$argon2id$")
    assert "Right" not in made
    assert passwords.verify(made, "Right-Horse9")
    assert not passwords.verify(made, "Wrong-Horse9")
    assert not passwords.verify(None, "Right-Horse9")
    assert not passwords.verify("not a hash", "Right-Horse9")


def test_the_real_parameters_take_64_mib_and_the_hash_obeys_them() -> None:
    assert REAL_PARAMETERS == (65_536, 4)
    assert f"m={passwords.MEMORY_KIB},t={passwords.ROUNDS}," in passwords.hash_password("Right-Horse9")


@pytest.mark.req("PLT-167", "PLT-559")
@pytest.mark.parametrize(
    ("seconds", "code"),
    [(1234567890, "005924"), (1111111109, "081804"), (2000000000, "279037"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    step = seconds // 30
    assert totp.matching_step(secret, code, now) == step
    assert totp.matching_step(secret, f"{code[:3]} {code[3:]}", now + timedelta(seconds=30)) == step
    assert totp.matching_step(secret, code, now - timedelta(seconds=30)) == step
    assert totp.matching_step(secret, code, now + timedelta(seconds=90)) is None
    assert totp.matching_step("1", code, now) is None


@pytest.mark.req("BIL-418")
def test_the_list_holds_the_10_000_commonest_passwords_each_once_as_they_are_looked_for() -> None:
    lines = (Path(rules.__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if not line.startswith("#")]
    assert len(listed) == len(set(listed)) == 10_000
    assert listed[:3] == ["123456", "password", "12345678"]
    assert [word for word in listed if word != word.casefold().strip()] == []
    assert is_common("QWERTYUIOP")
    assert not is_common("# mit license")


def test_a_password_is_the_same_in_every_way_of_writing_its_letters() -> None:
    whole, in_parts = "Schl\u00fcssel-9 \u2460", "Schlu\u0308ssel-9 1"
    assert passwords.verify(passwords.hash_password(whole), in_parts)
    assert is_common("\uff30assw0rd!")
    assert password_problem("\u2460\uff21bcdefg!") == password_problem("1Abcdefg!")
