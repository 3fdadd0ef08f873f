"""The frame: rooms, palette, keys, locking, leaving, and terminals that are too small."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.schemas import UserChange
from screens import desk, themes
from screens.dialogs import Confirm, Reading
from screens.lock import LockScreen
from screens.login import LoginScreen
from screens.palette import commands
from tests.screens.harness import make_app, press, screen_text, settled, signed_in_app, type_text, until
from tests.screens.people import PASSWORD, add_people, add_user


@pytest.mark.req("CAT-261")
async def test_g_and_a_letter_go_to_a_room_and_back_to_where_one_was(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "down", "down", "g")
        assert "s Services" in screen_text(pilot.app)
        await press(pilot, "s")
        assert pilot.app.current_mode == "services"
        assert "Mobile 20GB" in screen_text(pilot.app)
        await press(pilot, "g", "c")
        assert "3 of 6" in screen_text(pilot.app)


async def test_g_and_the_letter_of_the_room_one_is_in_go_back_to_its_list(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, room="inventory") as pilot:
        for number in (1, 2):
            pilot.app.open_customer(number)  # type: ignore[attr-defined]
            await settled(pilot)
        await press(pilot, "g", "i")
        assert "No items yet" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert "No items yet" in screen_text(pilot.app)


async def test_g_twice_goes_to_the_first_row_and_other_letters_do_nothing(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "down", "down", "g", "g")
        assert "1 of 6" in screen_text(pilot.app)
        await press(pilot, "g", "n")
        assert "New customer" not in screen_text(pilot.app)
        assert "c Customers" not in screen_text(pilot.app)


@pytest.mark.req("PLT-046")
async def test_rooms_without_permission_are_not_offered(crm: Crm) -> None:
    clerk = Actor(ActorKind.STAFF, "clerk", permissions=frozenset({"view_customer"}))
    async with signed_in_app(crm, clerk) as pilot:
        await press(pilot, "g")
        assert "c Customers" in screen_text(pilot.app)
        assert "Inventory" not in screen_text(pilot.app)
        await press(pilot, "i")
        assert pilot.app.current_mode == "customers"


@pytest.mark.req("PLT-007")
async def test_the_palette_finds_actions_rooms_and_tasks(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "create a cust")
        assert "Create a customer" in screen_text(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: "New customer" in screen_text(pilot.app))
        await press(pilot, "escape", "ctrl+k")
        await type_text(pilot, "go to serv")
        await press(pilot, "enter")
        await until(pilot, lambda: pilot.app.current_mode == "services")


@pytest.mark.parametrize("typed", ["c 2", "c2", "customer 2"])
async def test_the_palette_opens_by_number(crm: Crm, admin: Actor, typed: str) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, typed)
        await press(pilot, "enter")
        await until(pilot, lambda: "[bold]Bold & Sons[/bold] #2" in screen_text(pilot.app))


async def test_an_unknown_number_is_said_and_nothing_stays_open(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "c 999")
        await press(pilot, "enter")
        await until(pilot, lambda: "There is no customer 999." in screen_text(pilot.app))
        assert len(pilot.app.screen_stack) == 1


async def test_the_keys_of_the_place_are_told(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin, (120, 60)) as pilot:
        await press(pilot, "question_mark")
        shown = screen_text(pilot.app)
        for text in ("Search in this list", "New customer", "On this screen", "g, then the room's letter"):
            assert text in shown
        await press(pilot, "escape")
        assert "On this screen" not in screen_text(pilot.app)


@pytest.mark.req("CAT-266")
async def test_a_theme_is_chosen_and_remembered(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "colon")
        await type_text(pilot, "theme: light")
        await press(pilot, "enter")
        await until(pilot, lambda: pilot.app.theme == themes.LIGHT.name)
    assert make_app(crm, admin).theme == themes.LIGHT.name


@pytest.mark.parametrize(("term", "chosen"), [("linux", themes.ANSI), ("xterm-256color", themes.DARK.name)])
def test_a_terminal_of_sixteen_colours_gets_its_own(term: str, chosen: str) -> None:
    assert themes.first("no such theme", {"TERM": term}) == chosen


@pytest.mark.req("CAT-267")
async def test_a_small_terminal_is_told_so_takes_no_keys_and_recovers(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, (79, 24)) as pilot:
        await settled(pilot)
        assert "It has 79x24; 80x24 is the least." in screen_text(pilot.app)
        assert "Ada" not in screen_text(pilot.app)
        await press(pilot, "n")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "Ada Lovelace" in screen_text(pilot.app))
        assert "too small" not in screen_text(pilot.app)
        assert "New customer" not in screen_text(pilot.app)


async def test_the_lock_hides_everything_until_the_password(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    user_id = add_user(crm, admin)
    ada = Actor(ActorKind.STAFF, "ada", user_id=user_id, permissions=frozenset({"admin"}))
    async with signed_in_app(crm, ada) as pilot:
        await press(pilot, "n")
        await type_text(pilot, "Half typed")
        await press(pilot, "ctrl+l")
        assert "Ada Lovelace" not in screen_text(pilot.app)
        assert "Half typed" not in screen_text(pilot.app)
        await press(pilot, "escape", "ctrl+k")
        assert "Locked" in screen_text(pilot.app)
        await type_text(pilot, "wrong")
        await press(pilot, "enter")
        assert "Invalid email or password" in screen_text(pilot.app)
        await type_text(pilot, PASSWORD)
        await press(pilot, "enter")
        await until(pilot, lambda: "Half typed" in screen_text(pilot.app))


async def locked(pilot: Pilot[None]) -> bool:
    """Tell whether only the lock is seen, once everything is done and painted."""
    await settled(pilot, dialog=True)
    return isinstance(pilot.app.screen, LockScreen) and "Ada Lovelace" not in screen_text(pilot.app)


async def test_what_ends_under_the_lock_does_not_lift_it(crm: Crm, admin: Actor) -> None:
    """A form whose saving ends late closes itself when the lock is gone."""
    add_people(crm, admin)
    answers: list[bool | None] = []
    async with signed_in_app(crm, admin) as pilot:
        dialog = Confirm("Sure?")
        await pilot.app.push_screen(dialog, answers.append)
        await press(pilot, "ctrl+l")
        dialog.finish(True)
        dialog.finish(False)
        assert await locked(pilot)
        await pilot.app.pop_screen()
        await until(pilot, lambda: not isinstance(pilot.app.screen, (Confirm, LockScreen)))
    assert answers == [True]


@pytest.mark.parametrize("place", ["customer", "service", "item", "product", "job"])
async def test_a_place_that_is_not_there_does_not_lift_the_lock(crm: Crm, admin: Actor, place: str) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        app: Any = pilot.app
        app.open_place(place, 4711)
        app.action_lock()
        assert await locked(pilot)


async def test_a_task_of_the_palette_that_begins_late_does_not_lift_the_lock(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        app: Any = pilot.app
        task = next(one for one in commands(app, app.screen) if one.title == "Create a customer")
        app.action_lock()
        await task.run()
        assert await locked(pilot)


async def test_what_is_asked_under_the_lock_waits_for_the_password(crm: Crm, admin: Actor) -> None:
    """The next question of an order comes when the one before was answered, and that may take a while."""
    add_people(crm, admin)
    user_id = add_user(crm, admin)
    ada = Actor(ActorKind.STAFF, "ada", user_id=user_id, permissions=frozenset({"admin"}))
    async with signed_in_app(crm, ada) as pilot:
        await press(pilot, "ctrl+l")
        pilot.app.push_screen(Reading("Activity", ["Ada Lovelace"]))
        assert await locked(pilot)
        await press(pilot, *PASSWORD, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Reading))
        assert "Ada Lovelace" in screen_text(pilot.app)


async def test_leaving_asks_while_something_is_unsaved(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "n")
        await type_text(pilot, "Ada")
        await press(pilot, "ctrl+q")
        assert "It will be lost." in screen_text(pilot.app)
        await press(pilot, "n")
        assert "Ada" in screen_text(pilot.app)
        await pilot.press("ctrl+q", "y")
        await until(pilot, lambda: not pilot.app.is_running)


@pytest.mark.req("CAT-262")
async def test_logging_out_forgets_what_the_rooms_showed(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "enter", "colon")
        await type_text(pilot, "log out")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LoginScreen))
        assert "Lovelace" not in screen_text(pilot.app)
        await press(pilot, "escape", "ctrl+k")
        assert "Commands" not in screen_text(pilot.app)


async def test_no_cursor_blinks(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        await press(pilot, "n")
        for line in pilot.app.screen.query(Input):
            assert not line.cursor_blink


@pytest.mark.req("BIL-431", "BIL-384")
async def test_who_sits_at_a_session_that_is_ended_elsewhere_is_signed_out_at_the_next_step(
    crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_people(crm, admin)
    user_id = add_user(crm, admin)
    with crm.as_actor(visitor("192.0.2.7")) as work:
        ada, other = (work.identity.login("ada", PASSWORD, "192.0.2.7").actor for _ in range(2))
    assert ada is not None
    assert other is not None
    monkeypatch.setattr(desk, "RECHECK_SECONDS", 0.0)
    async with signed_in_app(crm, ada) as pilot:
        with crm.as_actor(admin) as work:
            work.identity.end_session(user_id, other.session_id)
        await press(pilot, "g", "i")
        assert "No items yet" in screen_text(pilot.app)
        with crm.as_actor(admin) as work:
            work.identity.end_session(user_id, ada.session_id)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, LoginScreen))
        assert "Lovelace" not in screen_text(pilot.app)


@pytest.mark.req("BIL-378")
async def test_a_customers_user_stays_signed_in(crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    add_people(crm, admin)
    add_user(crm, admin, role="", contact_id=1)
    with crm.as_actor(visitor("192.0.2.7")) as work:
        ada = work.identity.login("ada", PASSWORD, "192.0.2.7").actor
    assert ada is not None
    monkeypatch.setattr(desk, "RECHECK_SECONDS", 0.0)
    async with signed_in_app(crm, ada) as pilot:
        await press(pilot, "r")
        assert "Lovelace" in screen_text(pilot.app)
        assert "Chen" not in screen_text(pilot.app)


@pytest.mark.req("BIL-374")
@pytest.mark.parametrize("step", ["enter", "slash", "g i"])
async def test_who_is_revoked_is_signed_out_at_the_next_step(
    crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    add_people(crm, admin)
    add_user(crm, admin, username="root", email="root@mail.example")
    user_id = add_user(crm, admin)
    ada = Actor(ActorKind.STAFF, "ada", user_id=user_id, permissions=frozenset({"admin"}))
    async with signed_in_app(crm, ada) as pilot:
        with crm.as_actor(admin) as work:
            work.identity.update_user(user_id, UserChange(active=False))
        monkeypatch.setattr(desk, "RECHECK_SECONDS", 0.0)
        await pilot.press(*step.split(), *("a" if step == "slash" else ""))
        await until(pilot, lambda: isinstance(pilot.app.screen, LoginScreen))
        assert "Lovelace" not in screen_text(pilot.app)
