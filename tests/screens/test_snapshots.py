"""How the screens of the frame and of the customer rooms look, small and large, in three themes; they can be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.identity.schemas import Enrolment
from omnicrm_tui.identity.second_factor import provisioning_uri
from screens import themes
from screens.enrolment import BackupCodes, Enrol
from screens.password import ChangePassword
from screens.second_factor import SecondFactor
from tests.fixtures.pictures import Compare
from tests.screens.contrast import LEAST, hard_to_read
from tests.screens.every_dialog import CODES, SECRET
from tests.screens.harness import LARGE, SMALL, make_app, press, settled, signed_in_app, type_text
from tests.screens.people import add_people, add_user

Way = Callable[[Pilot[None]], Awaitable[None]]
SIZES = {"80x24": SMALL, "120x40": LARGE}
LOOKS = {"dark": themes.DARK.name, "light": themes.LIGHT.name, "ansi": themes.ANSI}


def keys(*pressed: str, command: str = "") -> Way:
    """Return the way to a screen: a command of the palette, then keys."""

    async def go(pilot: Pilot[None]) -> None:
        if command:
            await press(pilot, "colon")
            await type_text(pilot, command)
            await press(pilot, "enter")
        await press(pilot, *pressed)

    return go


WAYS: dict[str, Way] = {
    "customers": keys("down"),
    "customers-new": keys("n", "ctrl+s"),
    "customers-filter": keys("f", "down", "down", "space"),
    "lock": keys("ctrl+l"),
    "palette": keys("colon", *"cust"),
    "keys": keys("question_mark"),
    "go": keys("g"),
    "customer-overview": keys(command="c 1"),
    "customer-contacts": keys("2", command="c 1"),
    "customer-sites": keys("3", command="c 1"),
    "customer-services": keys("4", command="c 1"),
    "customer-billing": keys("5", command="c 1"),
    "customer-invoices": keys("5", "tab", command="c 1"),
    "customer-inventory": keys("6", command="c 1"),
    "customer-activity": keys("7", command="c 1"),
    "customer-edit": keys("e", command="c 1"),
    "transaction-add": keys("5", "n", command="c 1"),
    "transaction-void": keys("5", "d", command="c 1"),
    "service": keys(command="s 1"),
    "services": keys("g", "s"),
    "billing": keys("g", "b"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", WAYS)
async def test_a_screen_looks_as_it_did(crm: Crm, admin: Actor, same_picture: Compare, name: str, size: str) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, SIZES[size]) as pilot:
        await WAYS[name](pilot)
        await in_each_look(pilot, same_picture, f"{name}-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_login_screen_looks_as_it_did(crm: Crm, admin: Actor, same_picture: Compare, size: str) -> None:
    async with make_app(crm).run_test(size=SIZES[size]) as pilot:
        await settled(pilot)
        await in_each_look(pilot, same_picture, f"login-new-home-{size}")
    add_user(crm, admin)
    async with make_app(crm).run_test(size=SIZES[size]) as pilot:
        await in_each_look(pilot, same_picture, f"login-{size}")


DIALOGS: dict[str, Callable[[], Screen[Any]]] = {
    "password-forced": lambda: ChangePassword(1, challenge="x"),
    "second-factor": lambda: SecondFactor("", remember=False),
    "enrolment": lambda: Enrol(Enrolment(1, SECRET, provisioning_uri("ada@mail.example", SECRET), CODES)),
    "backup-codes": lambda: BackupCodes(CODES),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DIALOGS)
async def test_what_a_login_may_ask_for_looks_as_it_did(
    crm: Crm, admin: Actor, same_picture: Compare, name: str, size: str
) -> None:
    add_user(crm, admin)
    async with make_app(crm).run_test(size=SIZES[size]) as pilot:
        await settled(pilot)
        await pilot.app.push_screen(DIALOGS[name]())
        await in_each_look(pilot, same_picture, f"{name}-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_an_export_looks_as_it_did(crm: Crm, admin: Actor, same_picture: Compare, size: str) -> None:
    add_people(crm, admin)
    crm.settings = crm.settings.model_copy(update={"home": Path("/home/operator/omnicrm")})
    async with signed_in_app(crm, admin, SIZES[size]) as pilot:
        await press(pilot, "E")
        await in_each_look(pilot, same_picture, f"export-{size}")


async def test_a_terminal_that_is_too_small_looks_as_it_did(crm: Crm, admin: Actor, same_picture: Compare) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin, (60, 20)) as pilot:
        await in_each_look(pilot, same_picture, "too-small-60x20")


async def in_each_look(pilot: Pilot[None], same_picture: Compare, name: str, *, dialog: bool = False) -> None:
    """Compare what is shown in the three themes, and read it in all that WCAG's levels are asked of.

    With `dialog`, a worker waits for the answer to what is shown.
    """
    for look, theme in LOOKS.items():
        pilot.app.theme = theme
        await settled(pilot, dialog=dialog)
        same_picture(pilot.app, f"{name}-{look}")
    for theme, least in LEAST.items():
        pilot.app.theme = theme
        await settled(pilot, dialog=dialog)
        assert [(theme, *found) for found in hard_to_read(pilot, least)] == []
