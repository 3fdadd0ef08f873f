"""Acting as another user by keyboard: begun from a contact or a user, shown on every screen, and back again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest
from textual.pilot import Pilot

from omnicrm_tui.app import OmniCrmApp
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import ContactChange
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import ImpersonationRow, UserChange
from omnicrm_tui.listing import ListQuery
from screens.idle import Idle
from screens.lock import LockScreen
from screens.login import LoginScreen
from tests.screens.harness import LARGE, SMALL, screen_lines, screen_text, settled, signed_in_app, type_text, until
from tests.screens.people import PASSWORD, add_people, add_user

HERE = "127.0.0.1"
BANNER = "You are currently logged in as lady"
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


@pytest.fixture
def shop(crm: Crm, admin: Actor) -> Crm:
    """Six customers; Ada (1), who may do everything, and Lady (2), who logs in for the first one's contact."""
    add_user(crm, admin)
    add_people(crm, admin)
    add_user(crm, admin, username="lady", email="lady@mail.example", first_name="Lady", role="Customer", contact_id=1)
    return crm


@pytest.fixture
def ada(shop: Crm) -> Actor:
    return log_in(shop, "ada")


def log_in(crm: Crm, name: str) -> Actor:
    with crm.as_actor(visitor(HERE)) as work:
        actor = work.identity.login(name, PASSWORD, HERE).actor
    assert actor is not None
    return actor


def app_of(pilot: Pilot[None]) -> OmniCrmApp:
    return cast("OmniCrmApp", pilot.app)


def shows(pilot: Pilot[None], text: str) -> Callable[[], bool]:
    return lambda: text in screen_text(pilot.app)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot, dialog=True)


def log_of(crm: Crm, admin: Actor) -> list[ImpersonationRow]:
    with crm.reading(admin) as work:
        return list(work.impersonation.page(ListQuery(), 1, 50).rows)


async def act_as_lady(pilot: Pilot[None]) -> None:
    """From the first customer's contacts, as one would."""
    app_of(pilot).open_customer(1)
    await settled(pilot)
    await press(pilot, "2", "l")
    await until(pilot, shows(pilot, "Log in as Ada Lovelace"))
    await type_text(pilot, "wants her bill explained")
    await press(pilot, "ctrl+s")
    await until(pilot, shows(pilot, BANNER))
    await settled(pilot)


@SIZES
@pytest.mark.req("SVC-367", "SVC-368", "SVC-369", "SVC-379", "BIL-501", "BIL-388")
async def test_a_contact_is_acted_as_and_the_banner_stays_until_f8(
    shop: Crm, admin: Actor, ada: Actor, size: tuple[int, int]
) -> None:
    async with signed_in_app(shop, ada, size) as pilot:
        await act_as_lady(pilot)
        seen = screen_text(pilot.app)
        assert "Ada Lovelace" in seen
        assert "Chen" not in seen
        assert "f8 or click: stop" in screen_lines(pilot.app)[0]
        await press(pilot, "question_mark")
        assert BANNER in screen_lines(pilot.app)[0]
        await press(pilot, "escape", "3")
        assert BANNER in screen_text(pilot.app)
        await press(pilot, "f8")
        await until(pilot, shows(pilot, "You are yourself again"))
        await settled(pilot)
        assert BANNER not in screen_text(pilot.app)
        assert "Customers › Ada Lovelace" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert "Chen" in screen_text(pilot.app)
    [row] = log_of(shop, admin)
    assert (row.end_reason, row.purpose) == ("stopped", "wants her bill explained")


@pytest.mark.req("SVC-367")
async def test_it_is_offered_only_where_somebody_logs_in_for_the_contact(shop: Crm, admin: Actor, ada: Actor) -> None:
    with shop.as_actor(admin) as work:
        work.identity.update_user(2, UserChange(active=False))
    async with signed_in_app(shop, ada, LARGE) as pilot:
        app_of(pilot).open_customer(1)
        await settled(pilot)
        await press(pilot, "2")
        assert "Log in as" not in screen_lines(pilot.app)[-1]
        await press(pilot, "l")
        assert "Log in as" not in screen_text(pilot.app)


@pytest.mark.req("SVC-362", "SVC-367", "BIL-464")
async def test_without_the_permission_there_is_neither_key_nor_name(shop: Crm, admin: Actor) -> None:
    add_user(shop, admin, username="sam", email="sam@mail.example", role="Support")
    async with signed_in_app(shop, log_in(shop, "sam"), LARGE) as pilot:
        app_of(pilot).open_customer(1)
        await settled(pilot)
        await press(pilot, "2")
        assert "lady" not in screen_text(pilot.app)
        assert "Log in as" not in screen_lines(pilot.app)[-1]
        await press(pilot, "l")
        assert "can_impersonate" in screen_text(pilot.app)


@pytest.mark.req("BIL-416", "SVC-365", "SVC-380")
async def test_from_the_users_room_and_the_log_says_so(shop: Crm, ada: Actor, clock: FrozenClock) -> None:
    async with signed_in_app(shop, ada, LARGE, room="users") as pilot:
        assert "Log in as" not in screen_lines(pilot.app)[-1]
        await press(pilot, "down")
        assert "Log in as" in screen_lines(pilot.app)[-1]
        await press(pilot, "l", "ctrl+s")
        await until(pilot, shows(pilot, BANNER))
        clock.advance(timedelta(minutes=2, seconds=5))
        await press(pilot, "f8")
        await until(pilot, shows(pilot, "yourself again"))
        await settled(pilot)
        await press(pilot, "3")
        await settled(pilot)
        assert "2:05" in screen_text(pilot.app)
        await press(pilot, "enter")
        assert "ada as lady" in screen_text(pilot.app)
        assert "stopped" in screen_text(pilot.app)


@pytest.mark.req("SVC-373", "SVC-382")
async def test_what_is_open_at_another_terminal_is_stopped_on_request(shop: Crm, admin: Actor, ada: Actor) -> None:
    with shop.as_actor(log_in(shop, "ada")) as work:
        work.impersonation.start(2)
    async with signed_in_app(shop, ada, room="users") as pilot:
        await press(pilot, "down", "l", "ctrl+s")
        await until(pilot, shows(pilot, "Stop that and go on"))
        await press(pilot, "y")
        await until(pilot, shows(pilot, BANNER))
    assert [row.end_reason for row in log_of(shop, admin)] == ["stopped", ""]


@pytest.mark.req("BIL-503", "SVC-376")
async def test_who_goes_away_is_back_and_then_locked_out(shop: Crm, admin: Actor, ada: Actor) -> None:
    time = [0.0]
    async with signed_in_app(shop, ada) as pilot:
        app_of(pilot).idle = Idle(lambda: time[0])
        await act_as_lady(pilot)
        time[0] += 14 * 60
        app_of(pilot).look_around()
        await settled(pilot)
        assert BANNER in screen_text(pilot.app)
        time[0] += 60
        app_of(pilot).look_around()
        await until(pilot, shows(pilot, "Nobody pressed a key for 15 minutes"))
        app_of(pilot).look_around()
        await until(pilot, lambda: isinstance(pilot.app.screen, LockScreen))
        assert "Locked by ada" in screen_text(pilot.app)
        await type_text(pilot, PASSWORD)
        await press(pilot, "enter")
        assert "Customers › Ada Lovelace" in screen_text(pilot.app)
    assert [row.end_reason for row in log_of(shop, admin)] == ["stopped"]


@pytest.mark.req("BIL-503")
async def test_the_lock_is_ones_own(shop: Crm, ada: Actor) -> None:
    async with signed_in_app(shop, ada) as pilot:
        await act_as_lady(pilot)
        await press(pilot, "ctrl+l")
        await until(pilot, shows(pilot, "Locked by ada"))
        await type_text(pilot, PASSWORD)
        await press(pilot, "enter")
        assert not app_of(pilot).acting


async def test_an_untouched_terminal_locks_and_a_touched_one_does_not(shop: Crm, ada: Actor) -> None:
    time = [0.0]
    async with signed_in_app(shop, ada) as pilot:
        app_of(pilot).idle = Idle(lambda: time[0])
        for _each in range(3):
            time[0] += 14 * 60
            await press(pilot, "down")
            app_of(pilot).look_around()
            await settled(pilot)
        assert not app_of(pilot).locked
        time[0] += 15 * 60
        app_of(pilot).look_around()
        await until(pilot, shows(pilot, "Locked by ada"))
        app_of(pilot).look_around()
        await settled(pilot)
        assert [type(screen) for screen in pilot.app.screen_stack].count(LockScreen) == 1


async def test_zero_minutes_is_never(shop: Crm, ada: Actor) -> None:
    security = shop.settings.security.model_copy(update={"lock_minutes": 0})
    shop.settings = shop.settings.model_copy(update={"security": security})
    time = [0.0]
    async with signed_in_app(shop, ada) as pilot:
        app_of(pilot).idle = Idle(lambda: time[0])
        time[0] += 1e6
        app_of(pilot).look_around()
        await settled(pilot)
        assert not app_of(pilot).locked


@pytest.mark.req("BIL-503", "SVC-377")
async def test_the_account_is_out_of_reach(shop: Crm, ada: Actor) -> None:
    async with signed_in_app(shop, ada) as pilot:
        await act_as_lady(pilot)
        await press(pilot, "colon")
        await type_text(pilot, "password")
        assert "Change password" not in screen_text(pilot.app)
        await pilot.press(*["backspace"] * 8)
        await type_text(pilot, "acting as")
        await press(pilot, "enter")
        await until(pilot, shows(pilot, "yourself again"))


async def test_who_is_revoked_while_acting_loses_both(shop: Crm, admin: Actor, ada: Actor) -> None:
    add_user(shop, admin, username="root", email="root@mail.example")
    async with signed_in_app(shop, ada) as pilot:
        await act_as_lady(pilot)
        with shop.as_actor(admin) as work:
            work.identity.delete_user(1)
        app_of(pilot).desk.check_anew()
        await press(pilot, "4")
        await until(pilot, lambda: isinstance(pilot.app.screen, LoginScreen))
        assert "Chen" not in screen_text(pilot.app)
    assert [row.end_reason for row in log_of(shop, admin)] == ["session over"]


async def test_the_target_is_deleted_and_one_is_oneself_again(shop: Crm, admin: Actor, ada: Actor) -> None:
    async with signed_in_app(shop, ada) as pilot:
        await act_as_lady(pilot)
        with shop.as_actor(admin) as work:
            work.identity.delete_user(2)
        app_of(pilot).desk.check_anew()
        await press(pilot, "4")
        await until(pilot, shows(pilot, "Customers › Ada Lovelace"))
        assert BANNER not in screen_text(pilot.app)


async def test_leaving_ends_it(shop: Crm, admin: Actor, ada: Actor) -> None:
    async with signed_in_app(shop, ada) as pilot:
        await act_as_lady(pilot)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: pilot.app._exit)
    assert [row.end_reason for row in log_of(shop, admin)] == ["stopped"]


@pytest.mark.req("SVC-371", "BIL-502")
async def test_the_customers_history_names_both(shop: Crm, ada: Actor) -> None:
    async with signed_in_app(shop, ada, LARGE) as pilot:
        await act_as_lady(pilot)
        actor = app_of(pilot).desk.actor
        assert actor is not None
        with shop.as_actor(actor) as work:
            work.activity.record("customer", 1, "Looked", customer_id=1)
        await press(pilot, "f8")
        await settled(pilot)
        await press(pilot, "7")
        await settled(pilot)
        assert "ada → lady" in screen_text(pilot.app)
        assert "Acting as another user began" in screen_text(pilot.app)


async def test_a_draft_is_not_left_to_the_other(shop: Crm, admin: Actor, ada: Actor) -> None:
    with shop.as_actor(admin) as work:
        role = next(one for one in work.identity.role_list() if one.name == "Customer")
        wanted = [one.id for one in work.identity.permissions() if one.name == "update_customer_contact"]
        work.identity.add_permissions(role.id, wanted)
        work.customers.update_contact(1, ContactChange(contact_firstname="Augusta"))
    async with signed_in_app(shop, ada) as pilot:
        app_of(pilot).open_customer(1)
        await settled(pilot)
        await press(pilot, "2", "l", "ctrl+s")
        await until(pilot, shows(pilot, BANNER))
        await press(pilot, "2", "e")
        await type_text(pilot, "x")
        app_of(pilot).leaving.keep_drafts()
    assert not list((shop.settings.home / "drafts").rglob("*.json"))
