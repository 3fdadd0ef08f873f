"""A forgotten password, from the log-in to the first list, by keyboard."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity import password_reset
from omnicrm_tui.identity.actor import Actor
from screens.login import LoginScreen
from tests.screens.harness import make_app, screen_text, settled, type_text, until
from tests.screens.people import PASSWORD, add_people, add_user

CODE, NEW = "ABCD-EFGH-JKMN-PQRS", "Fresh-Horse8"


@pytest.fixture(autouse=True)
def _known_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail's code is known here."""
    monkeypatch.setattr(password_reset, "new_code", lambda: CODE)


async def ask_for_code(pilot: Pilot[None], email: str) -> None:
    await settled(pilot)
    await type_text(pilot, email)
    await pilot.press("ctrl+r")
    await until(pilot, lambda: "Send me a code by mail" in screen_text(pilot.app))
    await pilot.press("enter")
    await until(pilot, lambda: "a code goes there" in screen_text(pilot.app))
    await pilot.press("enter")
    await until(pilot, lambda: "Code of the mail" in screen_text(pilot.app))


@pytest.mark.req("PLT-197", "PLT-198", "PLT-202", "PLT-203", "PLT-204", "PLT-205", "PLT-590", "BIL-419")
async def test_who_forgot_the_password_gets_in_with_a_mailed_code(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    add_user(crm, admin)
    async with make_app(crm).run_test(size=(80, 24), notifications=True) as pilot:
        await ask_for_code(pilot, "ada@mail.example")
        assert "have been sent to your email" in " ".join(screen_text(pilot.app).split())
        with crm.reading(admin) as work:
            assert work.messaging.get(1).recipient == "ada@mail.example"
        await type_text(pilot, "abcd efgh jkmn pqrt")
        for _ in range(2):
            await pilot.press("tab")
            await type_text(pilot, NEW)
        await pilot.press("enter")
        await until(pilot, lambda: "is not valid, or no longer" in screen_text(pilot.app))
        await pilot.press("end", "backspace")
        await type_text(pilot, "s")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Password has been reset successfully" in screen_text(pilot.app))
        assert isinstance(pilot.app.screen, LoginScreen)
        pilot.app.query_one("#password").focus()
        await type_text(pilot, NEW)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "customers")


@pytest.mark.req("PLT-199")
@pytest.mark.parametrize("told", [False, True], ids=["by default", "by the setting"])
async def test_an_unknown_address_looks_like_a_known_one_unless_the_operator_wants_it_told(
    crm: Crm, admin: Actor, told: bool
) -> None:
    add_user(crm, admin)
    security = crm.settings.security.model_copy(update={"tell_unknown_email": told})
    crm.settings = crm.settings.model_copy(update={"security": security})
    async with make_app(crm).run_test(size=(80, 24), notifications=True) as pilot:
        if not told:
            await ask_for_code(pilot, "nobody@mail.example")
            assert "have been sent to your email" in " ".join(screen_text(pilot.app).split())
            return
        await settled(pilot)
        await type_text(pilot, "nobody@mail.example")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Send me a code by mail" in screen_text(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: "a code goes there" in screen_text(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: "No account found with that email address" in screen_text(pilot.app))


@pytest.mark.req("PLT-197")
async def test_leaving_leads_back_to_the_log_in(crm: Crm, admin: Actor) -> None:
    add_user(crm, admin)
    async with make_app(crm).run_test(size=(80, 24)) as pilot:
        await ask_for_code(pilot, "ada@mail.example")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, LoginScreen))
        pilot.app.query_one("#password").focus()
        await type_text(pilot, PASSWORD)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "customers")
