"""The permission catalogue, name by name."""

from __future__ import annotations

import pytest

from omnicrm_tui.identity.permissions import PERMISSIONS

FOUR = ("view", "create", "update", "delete")


@pytest.mark.parametrize(
    ("entity", "own"),
    [
        pytest.param("customer", True, marks=pytest.mark.req("BIL-436")),
        pytest.param("customer_site", True, marks=pytest.mark.req("BIL-437")),
        pytest.param("customer_contact", True, marks=pytest.mark.req("BIL-438")),
        pytest.param("customer_attribute", True, marks=pytest.mark.req("BIL-439")),
        pytest.param("customer_tag", True, marks=pytest.mark.req("BIL-440")),
        pytest.param("customer_service", True, marks=pytest.mark.req("BIL-441")),
        pytest.param("customer_activity", True, marks=pytest.mark.req("BIL-442")),
        pytest.param("customer_stripe_card", True, marks=pytest.mark.req("BIL-443")),
        pytest.param("customer_transaction", True, marks=pytest.mark.req("BIL-444")),
        pytest.param("customer_invoice", True, marks=pytest.mark.req("BIL-445")),
        pytest.param("communication", True, marks=pytest.mark.req("BIL-446")),
        pytest.param("inventory", True, marks=pytest.mark.req("BIL-447")),
        pytest.param("inventory_template", True, marks=pytest.mark.req("BIL-448")),
        pytest.param("product", False, marks=pytest.mark.req("BIL-449")),
        pytest.param("cbc_message", False, marks=pytest.mark.req("BIL-450")),
        pytest.param("provision", True, marks=pytest.mark.req("BIL-451")),
        pytest.param("provision_event", False, marks=pytest.mark.req("BIL-452")),
    ],
)
def test_an_entity_has_four_verbs_and_perhaps_ones_own(entity: str, own: bool) -> None:
    expected = {f"{verb}_{entity}" for verb in FOUR} | ({f"view_own_{entity}"} if own else set())
    found = {name for verb in (*FOUR, "view_own") for name in PERMISSIONS if name == f"{verb}_{entity}"}
    assert found == expected
    assert all(PERMISSIONS[name] for name in expected)


@pytest.mark.req("BIL-435", "BIL-453", "PLT-604", "PLT-154")
def test_there_is_nothing_beside_and_no_dot_in_a_name() -> None:
    others = {name for name in PERMISSIONS if not name.startswith(("view_", "create_", "update_", "delete_"))}
    assert others == {"admin", "can_impersonate"}
    assert len(PERMISSIONS) == 2 + 17 * 4 + 14 == 84
    assert not [name for name in PERMISSIONS if "." in name or name != name.lower()]
