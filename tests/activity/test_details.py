"""What the log keeps of old and new values."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.listing import FIRST, ListQuery


@pytest.mark.req("SVC-147", "SVC-129", "CAT-118")
def test_the_log_shows_values_and_hides_secrets_wherever_they_stand(crm: Crm, admin: Actor) -> None:
    old = {"name": "Basic internet", "price": Decimal("5.00"), "ki": "00112233", "note": None, "count": 4, "same": 1}
    new = {
        "name": "Basic television",
        "price": Decimal("6.50"),
        "ki": "44556677889900",
        "note": "login: password=correct-horse, then 44556677889900",
        "count": 5,
        "same": 1,
        "pin": 123456,
        "active": True,
        "force_password_change": True,
        "since": datetime(2026, 11, 21, tzinfo=UTC),
        "variables": '{"wifi_password": "battery-staple", "days": 30}',
        "nested": {"wifi": {"psk": "battery-staple"}},
    }
    with crm.as_actor(admin) as work:
        work.activity.record("product", 1, "Product changed", old=old, new=new)
    with crm.reading(admin) as work:
        details = work.activity.window(ListQuery(descending=True), FIRST, 1).rows[0].details
    assert {name: change["new"] for name, change in details.items()} == {
        "name": "Basic television",
        "price": "6.50",
        "ki": "(hidden)",
        "note": "login: password=********, then ********",
        "count": 5,
        "pin": "(hidden)",
        "active": True,
        "force_password_change": True,
        "since": "2026-11-21 00:00:00+00:00",
        "variables": '{"wifi_password": "********", "days": 30}',
        "nested": "{'wifi': {'psk': '********'}}",
    }
    assert details["price"]["old"] == "5.00"
    assert details["ki"]["old"] == "(hidden)"
    assert details["note"]["old"] is None
