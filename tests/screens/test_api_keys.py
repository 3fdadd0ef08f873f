"""API keys by keyboard: from the first one to its end, and how it looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.identity import key_rules
from omnicrm_tui.identity.actor import Actor, ActorKind, system_actor, visitor
from omnicrm_tui.identity.key_schemas import ApiKeyInput, Use
from omnicrm_tui.schemas import parse
from omnicrm_tui.settings import ApiKey, WhitelistEntry
from screens.key_dialogs import ShownOnce
from tests.fixtures.pictures import Compare
from tests.screens.harness import LARGE, SMALL, press, screen_text, settled, signed_in_app, type_text, until
from tests.screens.test_snapshots import SIZES, in_each_look

KEYS = [f"sk_live_{letter * 36}{number:04}" for number, letter in enumerate("AbCdEfGh", 1)]
BILLING, GRAFANA, SHOP, OLD = KEYS[:4]
ADDRESS = "192.0.2.7"


@pytest.fixture(autouse=True)
def _known_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are made in a known order, so that pictures are alike."""
    made = iter(KEYS)
    monkeypatch.setattr(key_rules, "new_key", lambda: next(made))


@pytest.fixture
def keyed(crm: Crm, admin: Actor, clock: FrozenClock) -> Crm:
    """Four keys, one of them expired, one used, and two entries of the configuration."""
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        work.customers.create(CustomerInput(customer_name="Ada"))
        for name, end, permissions in (
            ("Billing Sync QuickBooks", "2026-12-18", ["view_customer", "view_customer_invoice"]),
            ("Monitoring Grafana", None, ["view_status"]),
            ("Web shop", "2027-11-20", ["Support"]),
            ("Old portal", "2026-11-22", ["view_own_customer"]),
        ):
            data = {"name": name, "description": f"For {name}", "expiry_date": end, "permissions": permissions}
            work.identity.create_api_key(parse(ApiKeyInput, data))
    clock.advance(timedelta(days=2))
    with crm.as_actor(system_actor("test")) as work:
        now = clock.now()
        work.identity.record_uses(
            [Use("key 1", ADDRESS, now, now, uses=1234), Use("key 4", ADDRESS, now, now, refused=3)]
        )
    entries = {
        "api_keys": {"0123" + "x" * 32: ApiKey(roles=["admin"], ips=["10.0.0.0/8"], description="charging")},
        "ip_whitelist": {"8.8.8.8": WhitelistEntry(roles=["view_product"])},
    }
    crm.settings = crm.settings.model_copy(update=entries)
    return crm


def key_of(crm: Crm, number: int) -> Any:
    """Return a key as it is stored now."""
    with crm.reading(system_actor("test")) as work:
        return work.identity.api_key(number)


@pytest.mark.req("PLT-259", "PLT-260", "PLT-283", "PLT-262", "PLT-555")
async def test_a_key_is_made_by_keyboard_alone(crm: Crm, admin: Actor) -> None:
    with crm.as_actor(admin) as work:
        work.identity.ensure_catalogue()
        work.customers.create(CustomerInput(customer_name="Ada"))
    async with signed_in_app(crm, admin, SMALL, room="api-keys") as pilot:
        assert "No API keys yet" in screen_text(pilot.app)
        await press(pilot, "n", "down", "down", "down", "down", "enter")
        assert "Customer Portal Backend" in screen_text(pilot.app)
        assert "2027-05-20" in screen_text(pilot.app)
        await press(pilot, "tab", "tab", "tab")
        await type_text(pilot, "77")
        await press(pilot, "ctrl+s")
        assert "There is no customer 77" in screen_text(pilot.app)
        await press(pilot, "backspace", "backspace", "1", "ctrl+s")
        assert "3 marked" in screen_text(pilot.app)
        await type_text(pilot, "view_own_customer_inv")
        await press(pilot, "space")
        assert "[x] View invoices: one's own customer only" in screen_text(pilot.app)
        assert "4 marked" in screen_text(pilot.app)
        await press(pilot, "ctrl+s")
        seen = screen_text(pilot.app)
        assert "Copy this key now - it will not be shown again!" in seen
        assert KEYS[0] in seen
        await press(pilot, "y", "escape")
        assert KEYS[0] not in screen_text(pilot.app)
        assert "sk_live_AAAA...0001" in screen_text(pilot.app)
    made = key_of(crm, 1)
    assert (made.customer_id, made.name, len(made.permissions)) == (1, "Customer Portal Backend", 4)
    with crm.reading(visitor(ADDRESS)) as work:
        assert work.identity.actor_of_api_key(KEYS[0], ADDRESS).own_customer_id == 1


@pytest.mark.req("PLT-260", "PLT-261")
async def test_who_has_not_copied_a_key_is_asked_before_it_is_gone(keyed: Crm, admin: Actor) -> None:
    async with signed_in_app(keyed, admin, SMALL, room="api-keys") as pilot:
        await press(pilot, "R", "y")
        await press(pilot, "escape")
        assert "Close without copying the key?" in screen_text(pilot.app)
        await press(pilot, "n")
        assert isinstance(pilot.app.screen, ShownOnce)
        await press(pilot, "c")
        assert pilot.app.clipboard == KEYS[4]
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, ShownOnce)


@pytest.mark.req("PLT-252", "PLT-253", "PLT-255", "PLT-267", "PLT-257", "PLT-258", "PLT-256")
async def test_the_list_has_figures_states_filters_sorts_and_search(keyed: Crm, admin: Actor) -> None:
    async with signed_in_app(keyed, admin, LARGE, room="api-keys") as pilot:
        seen = screen_text(pilot.app)
        for words in ("Total", "Active", "Expire soon", "Expired", "expires soon", "expired", "1,234", "never"):
            assert words in seen
        await press(pilot, "f", "down", "down", "space", "escape")
        seen = screen_text(pilot.app)
        assert ("Old portal" in seen, "Web shop" in seen) == (True, False)
        await press(pilot, "F", "slash", *"0003", "enter")
        await until(pilot, lambda: "1 of 1" in screen_text(pilot.app))
        assert "Web shop" in screen_text(pilot.app)
        await press(pilot, "escape", "s", "s")
        assert "Expires ▲" in screen_text(pilot.app)


@pytest.mark.req("PLT-254", "PLT-263", "PLT-270", "PLT-264", "PLT-265", "PLT-275")
async def test_a_key_is_edited_extended_made_anew_and_revoked(keyed: Crm, admin: Actor) -> None:
    async with signed_in_app(keyed, admin, LARGE, room="api-keys") as pilot:
        await press(pilot, "e")
        await type_text(pilot, " 2")
        await press(pilot, "ctrl+s")
        assert key_of(keyed, 1).name == "Billing Sync QuickBooks 2"
        await press(pilot, "m", "space", "ctrl+s")
        assert key_of(keyed, 1).permissions == ("view_customer_invoice",)
        await press(pilot, "x", "ctrl+s")
        assert key_of(keyed, 1).expiry_date.date().isoformat() == "2027-12-18"
        await press(pilot, "enter", "R")
        assert "Used 1,234 times" in screen_text(pilot.app)
        await press(pilot, "y", "y", "escape")
        assert "#5" in screen_text(pilot.app)
        assert key_of(keyed, 1).status == "revoked"
        await press(pilot, "d")
        assert "It was never used." in screen_text(pilot.app)
        await press(pilot, "y")
        assert "revoked" in screen_text(pilot.app)
        await press(pilot, "d")
        assert "Revoke API key" not in screen_text(pilot.app)
        await press(pilot, "escape")
        assert "1 of 3" in screen_text(pilot.app)
    assert key_of(keyed, 5).status == "revoked"


@pytest.mark.req("PLT-251", "PLT-279")
async def test_a_protected_key_says_why_it_stays(keyed: Crm, admin: Actor) -> None:
    async with signed_in_app(keyed, admin, LARGE, room="api-keys") as pilot:
        await press(pilot, "e", "up", "down", "down", "down", "space", "ctrl+s")
        assert key_of(keyed, 1).protected
        await press(pilot, "d", "y")
        assert "This API key is protected" in screen_text(pilot.app)
    assert key_of(keyed, 1).revoked is None


@pytest.mark.req("PLT-252")
async def test_who_may_not_manage_keys_has_no_such_room(keyed: Crm) -> None:
    agent = Actor(ActorKind.STAFF, "ada", permissions=frozenset({"view_customer"}))
    async with signed_in_app(keyed, agent, SMALL) as pilot:
        await press(pilot, "g", "k")
        assert pilot.app.current_mode == "customers"


async def test_a_manager_is_offered_what_they_hold_and_no_more(keyed: Crm) -> None:
    manager = Actor(ActorKind.STAFF, "mia", permissions=frozenset({"manage_api_keys", "view_product"}))
    async with signed_in_app(keyed, manager, LARGE, room="api-keys") as pilot:
        await press(pilot, "n", "enter")
        await type_text(pilot, "Mine")
        await press(pilot, "ctrl+s")
        lines = [line for line in screen_text(pilot.app).splitlines() if "[ ]" in line]
        assert [line.split("[ ]")[1].split()[-2] for line in lines] == ["view_product", "manage_api_keys"]


Way = Callable[[Pilot[None]], Awaitable[None]]


def keys(*pressed: str) -> Way:
    """Return the way from the list: these keys."""

    async def go(pilot: Pilot[None]) -> None:
        await press(pilot, *pressed)
        await settled(pilot)

    return go


WAYS = {
    "api-keys": keys(),
    "api-keys-configured": keys("2"),
    "api-keys-configured-entry": keys("2", "down", "enter"),
    "api-key": keys("enter"),
    "api-key-expired": keys("down", "down", "enter"),
    "api-key-edit": keys("e"),
    "api-key-kind": keys("n"),
    "api-key-new": keys("n", "down", "down", "down", "down", "enter"),
    "api-key-permissions": keys("m"),
    "api-key-revoke": keys("d"),
    "api-key-shown-once": keys("R", "y"),
}


@pytest.mark.req("PLT-253", "PLT-255", "PLT-267")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", WAYS)
async def test_a_screen_looks_as_it_did(keyed: Crm, admin: Actor, same_picture: Compare, name: str, size: str) -> None:
    async with signed_in_app(keyed, admin, SIZES[size], room="api-keys") as pilot:
        await WAYS[name](pilot)
        await in_each_look(pilot, same_picture, f"{name}-{size}")
