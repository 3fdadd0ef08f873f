"""Coming over SSH with a key that the configuration trusts: in without a password, and out again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.models import User
from omnicrm_tui.identity.ssh_keys import shown_to_sshd
from omnicrm_tui.security_settings import SecuritySection
from screens.customers import CustomersScreen
from screens.lock import LockScreen
from screens.login import LoginScreen
from screens.password import ChangePassword
from screens.second_factor import SecondFactor
from tests.fixtures.ssh import ADDRESS, Told
from tests.identity.test_second_factor import code_of, enrol
from tests.screens.harness import make_app, press, screen_text, settled, type_text, until
from tests.screens.people import PASSWORD, add_people, add_user

ADAS_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


@pytest.fixture
def environ(over_ssh: Told) -> dict[str, str]:
    return over_ssh(f"publickey ssh-ed25519 {ADAS_KEY}\n")


@pytest.fixture
def trusting(crm: Crm, admin: Actor, environ: dict[str, str]) -> Iterator[Crm]:
    """Customers, the user `ada`, and her key in the configuration."""
    add_people(crm, admin)
    add_user(crm, admin)
    key = shown_to_sshd(environ["SSH_USER_AUTH"])
    assert key is not None
    section = SecuritySection.model_validate({"ssh_identities": [{"key": key.fingerprint, "user": "ada"}]})
    crm.settings = crm.settings.model_copy(update={"security": section})
    return crm


def at(pilot: Pilot[None], kind: type[Any]) -> bool:
    return isinstance(pilot.app.screen, kind)


async def test_a_trusted_key_opens_the_first_room(trusting: Crm, environ: dict[str, str]) -> None:
    app = make_app(trusting, environ=environ)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "1 of 6" in screen_text(app))
        assert app.desk.actor is not None
        assert (app.desk.actor.name, app.desk.actor.source_address) == ("ada", ADDRESS)
        app.action_sign_out()
        await until(pilot, lambda: at(pilot, LoginScreen))
        await settled(pilot)
        assert at(pilot, LoginScreen)
        assert app.desk.actor is None
        await type_text(pilot, "ada")
        await press(pilot, "tab", *PASSWORD, "enter")
        await until(pilot, lambda: at(pilot, CustomersScreen))
        await press(pilot, "ctrl+l")
        assert "ctrl+o" not in screen_text(app)


async def test_a_key_that_stands_for_nobody_leads_to_the_login(trusting: Crm, over_ssh: Told) -> None:
    other = ADAS_KEY[:-8] + "AAAAAAAA"
    app = make_app(trusting, environ=over_ssh(f"publickey ssh-ed25519 {other}\n"))
    async with app.run_test() as pilot:
        await settled(pilot)
        assert at(pilot, LoginScreen)
        await type_text(pilot, "ada")
        await press(pilot, "tab", *PASSWORD, "enter")
        await until(pilot, lambda: at(pilot, CustomersScreen))


async def test_the_second_factor_is_still_asked_for(trusting: Crm, clock: FrozenClock, environ: dict[str, str]) -> None:
    secret = enrol(trusting, clock, 1).secret
    app = make_app(trusting, environ=environ)
    async with app.run_test() as pilot:
        await until(pilot, lambda: at(pilot, SecondFactor))
        await press(pilot, "escape")
        assert at(pilot, LoginScreen)
        assert app.desk.actor is None
    app = make_app(trusting, environ=environ)
    async with app.run_test() as pilot:
        await until(pilot, lambda: at(pilot, SecondFactor))
        await type_text(pilot, code_of(secret, clock))
        await until(pilot, lambda: at(pilot, CustomersScreen))


async def test_who_may_not_log_in_is_told_and_may_try_a_password(
    trusting: Crm, admin: Actor, environ: dict[str, str]
) -> None:
    with trusting.as_actor(admin) as work:
        work.session.get_one(User, 1).active = False
    app = make_app(trusting, environ=environ)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "stands for nobody who may log in" in screen_text(app))
        await type_text(pilot, "ada")
        await press(pilot, "tab", *PASSWORD, "enter")
        await until(pilot, lambda: "Invalid email or password" in screen_text(app))


@pytest.mark.req("PLT-178")
async def test_a_temporary_password_has_to_be_changed_first(
    trusting: Crm, admin: Actor, environ: dict[str, str]
) -> None:
    with trusting.as_actor(admin) as work:
        work.identity.set_password(1, "Temp-Horse9")
    app = make_app(trusting, environ=environ)
    async with app.run_test() as pilot:
        await until(pilot, lambda: at(pilot, ChangePassword))
        await type_text(pilot, "Temp-Horse9")
        await press(pilot, "tab", *"Other-Horse9", "tab", *"Other-Horse9", "ctrl+s")
        await until(pilot, lambda: at(pilot, CustomersScreen))


async def test_who_has_no_password_ends_the_session_at_the_lock(trusting: Crm, environ: dict[str, str]) -> None:
    app = make_app(trusting, environ=environ)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "1 of 6" in screen_text(app))
        await press(pilot, "n")
        await type_text(pilot, "Half Typed")
        await press(pilot, "ctrl+l")
        assert at(pilot, LockScreen)
        assert "ctrl+o ends the session" in " ".join(screen_text(app).split())
        actor = app.desk.actor
        assert actor is not None
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app._exit)
    assert app.return_code == 0
    with trusting.reading(actor) as work:
        assert work.identity.sessions_of(1) == []
    app = make_app(trusting, environ=environ)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "unfinished draft" in screen_text(app))
