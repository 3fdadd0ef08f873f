"""A service's page: where to look when it does not work, and which types it can have."""

from __future__ import annotations

import pytest

from omnicrm_tui.charging.schemas import AccountState, AccountView
from omnicrm_tui.crm import Crm
from omnicrm_tui.customer_services.schemas import ServiceChange
from omnicrm_tui.identity.actor import Actor
from screens.dialogs import FormDialog
from screens.service import balance_facts
from screens.views import type_choices
from tests.screens.harness import press, settled, signed_in_app
from tests.screens.people import add_people


@pytest.mark.req("SVC-189")
@pytest.mark.parametrize(
    ("state", "over", "told"),
    [
        ("missing", False, True),
        ("disabled", False, True),
        ("missing", True, False),
        ("active", False, False),
        ("hidden", False, False),
    ],
)
def test_a_service_without_a_live_account_says_where_to_look(state: AccountState, over: bool, told: bool) -> None:
    text = "\n".join(fact.label for fact in balance_facts(AccountView(1, "Mobile_1", state), over=over))
    for place in ("charging account:", "HLR or HSS", "RADIUS and DPI", "tasks skipped"):
        assert (place in text) is told


@pytest.mark.req("PLT-101")
def test_a_type_is_chosen_among_the_configured_ones_and_another_is_kept() -> None:
    assert type_choices(["mobile", "voip"]) == [("", "–"), ("mobile", "mobile"), ("voip", "voip")]
    assert type_choices(["mobile"], "dongle")[1:] == [("mobile", "mobile"), ("dongle", "dongle")]


@pytest.mark.req("PLT-101", "CAT-048")
async def test_editing_a_service_offers_the_types_and_changes_nothing_by_itself(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    with crm.as_actor(admin) as work:
        work.customer_services.update(1, ServiceChange(service_type="dongle"))
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.open_place("service", 1)  # type: ignore[attr-defined]
        await settled(pilot)
        await press(pilot, "e")
        dialog = pilot.app.screen
        assert isinstance(dialog, FormDialog)
        control = dialog.form.control("service_type")
        assert control.text == "dongle"
        control.choose("voip")  # type: ignore[union-attr]
        await press(pilot, "ctrl+s")
    with crm.reading(admin) as work:
        assert work.customer_services.get(1).service_type == "voip"
