"""States of items and named values, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.inventory.rules import ITEM_STATES, TEXT_COUNT, may_follow, named_values

states = st.sampled_from(ITEM_STATES)


@pytest.mark.req("PLT-405", "PLT-406", "PLT-407", "PLT-408", "PLT-411", "PLT-413", "SVC-171")
@pytest.mark.parametrize(
    ("state", "following"),
    [
        ("New", "Assigned"),
        ("In Stock", "Assigned"),
        ("Assigned", "Used"),
        ("New", "Internal Use"),
        ("Assigned", "Damaged"),
        ("Damaged", "New"),
        ("Used", "New"),
        ("In Transit", "In Stock"),
        ("In Stock", "Allocated"),
        ("Allocated", "In Use"),
        ("In Use", "Decommissioned"),
    ],
)
def test_documented_steps_are_a_matter_of_course(state: str, following: str) -> None:
    assert may_follow(state, following)


@pytest.mark.parametrize(
    ("state", "following"),
    [
        ("Decommissioned", "New"),
        ("Lost", "In Stock"),
        ("Stolen", "Lost"),
        ("Damaged", "Assigned"),
        ("Used", "Assigned"),
    ],
)
def test_other_steps_are_not(state: str, following: str) -> None:
    assert not may_follow(state, following)


@pytest.mark.req("PLT-409", "PLT-410", "PLT-412")
@given(states)
def test_any_item_at_hand_can_get_lost_stolen_or_out_of_service(state: str) -> None:
    at_hand = state not in ("Lost", "Stolen")
    for following in ("Lost", "Stolen", "Out Of Service"):
        assert may_follow(state, following) is (at_hand or state == following)
    assert may_follow(state, state)


@pytest.mark.req("CAT-146", "CAT-152", "SVC-102")
def test_labels_name_iccid_imsi_and_msisdn_wherever_they_stand() -> None:
    rest = [None] * (TEXT_COUNT - 3)
    found = named_values(["Type", " imsi ", "ICCID", *rest], ["Physical", "310120", "8961", *rest])
    assert found == {"iccid": "8961", "imsi": "310120", "msisdn": None}
    assert named_values(["Phone Number", None, None, *rest], ["+6141", None, None, *rest])["msisdn"] == "+6141"
