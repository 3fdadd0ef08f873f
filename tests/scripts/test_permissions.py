"""The page of who may do what is as the code is."""

from __future__ import annotations

import pytest

from omnicrm_tui.identity.permissions import BESIDE, PERMISSIONS
from scripts.permissions import PAGE, page


@pytest.mark.req("BIL-374")
def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make permissions`"


def test_every_permission_that_a_use_case_needs_is_in_the_catalogue() -> None:
    known = {*PERMISSIONS, *BESIDE}
    table, listed = page().split("## By permission")
    asked = {line.split("|")[2].strip().strip("`") for line in table.splitlines() if line.startswith("| `")} - {""}
    assert {name for names in asked for name in names.replace("`", "").split(" or ")} <= known
    assert "`view_customer` | `" in listed
