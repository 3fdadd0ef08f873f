"""Logging in, by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import DatabaseProblem
from omnicrm_tui.identity.actor import Actor
from screens.desk import Desk
from screens.login import LoginScreen
from tests.fixtures.ssh import Told
from tests.screens.harness import OmniCrmApp, Seat, make_app, press, screen_text, settled, type_text, until
from tests.screens.people import PASSWORD, add_people, add_user


async def log_in(pilot: Pilot[None], name: str, password: str) -> None:
    await type_text(pilot, name)
    await pilot.press("tab")
    await type_text(pilot, password)
    await pilot.press("enter")


@pytest.mark.req("PLT-168", "PLT-172", "PLT-175")
async def test_a_password_opens_the_customer_list(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    add_user(crm, admin)
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        await log_in(pilot, "ada@mail.example", PASSWORD)
        await until(pilot, lambda: "1 of 6" in screen_text(pilot.app))
        assert "Customers" in screen_text(pilot.app)
        assert "ada" in screen_text(pilot.app).splitlines()[0]


@pytest.mark.req("PLT-171")
@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("nobody@mail.example", PASSWORD)])
async def test_a_wrong_name_and_a_wrong_password_look_alike(crm: Crm, admin: Actor, name: str, password: str) -> None:
    add_user(crm, admin)
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        await log_in(pilot, name, password)
        await until(pilot, lambda: "Invalid email or password" in screen_text(pilot.app))
        await settled(pilot)
        assert isinstance(pilot.app.screen, LoginScreen)
        assert password not in screen_text(pilot.app)


@pytest.mark.req("PLT-170")
async def test_the_password_is_shown_and_hidden_by_a_key(crm: Crm) -> None:
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        await log_in(pilot, "", "")
        await pilot.press("tab")
        pilot.app.query_one("#password").focus()
        await type_text(pilot, "secret")
        assert "secret" not in screen_text(pilot.app)
        await press(pilot, "ctrl+t")
        assert "secret" in screen_text(pilot.app)
        await press(pilot, "ctrl+t")
        assert "secret" not in screen_text(pilot.app)


@pytest.mark.req("PLT-169")
async def test_the_operators_name_and_tagline_are_shown(crm: Crm, admin: Actor) -> None:
    add_user(crm, admin)
    brand = crm.settings.crm.model_copy(update={"company_name": "[b]Nordtel[/b]", "tagline": "Calls, plainly."})
    crm.settings = crm.settings.model_copy(update={"crm": brand})
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        assert "[b]Nordtel[/b]" in screen_text(pilot.app)
        assert "Calls, plainly." in screen_text(pilot.app)
        assert "demo" not in screen_text(pilot.app).lower()


async def test_a_demo_shows_its_account(crm: Crm) -> None:
    crm.settings = crm.settings.model_copy(update={"demo": True})
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        assert "admin@demo.example" in screen_text(pilot.app)
        assert "DEMO" in screen_text(pilot.app).splitlines()[0]


async def test_a_new_home_says_how_the_first_administrator_is_made(crm: Crm, admin: Actor) -> None:
    async with make_app(crm).run_test() as pilot:
        await until(pilot, lambda: "Nobody can log in here yet." in screen_text(pilot.app))
        assert "omnicrm user create --email you@example.com" in screen_text(pilot.app)
        assert "omnicrm demo" in screen_text(pilot.app)
    add_user(crm, admin)
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        assert "Nobody can log in" not in screen_text(pilot.app)


@pytest.mark.req("PLT-177")
async def test_a_remembered_session_opens_the_list_at_the_next_start(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    add_user(crm, admin)
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        pilot.app.query_one("#remember").on = True  # type: ignore[attr-defined]
        await log_in(pilot, "ada", PASSWORD)
        await until(pilot, lambda: "1 of 6" in screen_text(pilot.app))
        await pilot.press("ctrl+q")
    kept = crm.settings.home / "session"
    assert kept.stat().st_mode & 0o077 == 0
    async with make_app(crm).run_test() as pilot:
        await until(pilot, lambda: "1 of 6" in screen_text(pilot.app))
        assert "ada" in screen_text(pilot.app).splitlines()[0]


@pytest.mark.req("PLT-177")
async def test_a_session_that_is_over_leads_to_the_login_screen(crm: Crm, admin: Actor) -> None:
    add_user(crm, admin)
    (crm.settings.home / "session").write_text("no such token")
    (crm.settings.home / "session").chmod(0o600)
    async with make_app(crm).run_test() as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, LoginScreen))
        await settled(pilot)
        assert "Password" in screen_text(pilot.app)


@pytest.mark.req("PLT-178")
async def test_a_temporary_password_is_changed_before_anything_else(crm: Crm, admin: Actor) -> None:
    add_user(crm, admin, force_password_change=True)
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        await log_in(pilot, "ada", PASSWORD)
        await until(pilot, lambda: "Choose a password" in screen_text(pilot.app))
        assert pilot.app.desk.actor is None  # type: ignore[attr-defined]
        await pilot.press("ctrl+k", "g", "c")
        assert "Choose a password" in screen_text(pilot.app)
        await pilot.press(*["backspace"] * 3)
        await type_text(pilot, PASSWORD)
        await pilot.press("tab")
        await type_text(pilot, "Other-Horse8")
        await pilot.press("tab")
        await type_text(pilot, "Other-Horse8")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: pilot.app.current_mode == "customers")


@pytest.mark.req("PLT-179")
async def test_too_many_failures_lock_and_say_so(crm: Crm, admin: Actor) -> None:
    add_user(crm, admin)
    async with make_app(crm).run_test() as pilot:
        await settled(pilot)
        await type_text(pilot, "ada")
        await pilot.press("tab")
        for _ in range(crm.settings.security.lockout_failures + 1):
            await type_text(pilot, "wrong")
            await pilot.press("enter")
            await settled(pilot)
        assert "locked" in screen_text(pilot.app)


async def test_a_database_that_cannot_be_opened_is_told_and_tried_again(crm: Crm) -> None:
    attempts: list[int] = []

    def open_crm(_settings: object) -> Crm:
        attempts.append(1)
        if len(attempts) == 1:
            raise DatabaseProblem("The database is locked by another program.")
        return crm

    app = OmniCrmApp(crm.settings, Desk(crm.settings, open_crm), Seat(crm.settings.home, {}))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "locked by another program" in screen_text(app))
        assert "Press r to try again" in screen_text(app)
        await pilot.press("r")
        await until(pilot, lambda: len(attempts) == 2)
        await settled(pilot)
        assert "Trying again" not in screen_text(app)
        await type_text(pilot, "ada")
        assert "ada" in screen_text(app)


def test_a_person_over_ssh_is_remembered_by_key_alone(tmp_path: Path, over_ssh: Told) -> None:
    mine = Seat(tmp_path, over_ssh("publickey ssh-ed25519 AAAA\n"))
    assert mine.source_address == "192.0.2.9"
    assert mine.folder is not None
    assert mine.folder != tmp_path
    assert Seat(tmp_path, over_ssh("publickey ssh-ed25519 AAAA\n")).folder == mine.folder
    assert Seat(tmp_path, over_ssh("publickey ssh-ed25519 BBBB\n")).folder != mine.folder
    told_nothing = {name: value for name, value in over_ssh("").items() if name == "SSH_CONNECTION"}
    for environ in (over_ssh("password\n"), told_nothing):
        assert Seat(tmp_path, environ).session is None
    assert Seat(tmp_path, {}).folder == tmp_path
