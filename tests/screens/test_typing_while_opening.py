"""What one types into the login screen while the service layer still opens in its thread."""

from __future__ import annotations

from threading import Event

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.settings import Settings
from screens.desk import Desk
from tests.screens.harness import OmniCrmApp, Seat, settled, type_text
from widgets.controls import TextLine


@pytest.mark.req("PLT-168")
async def test_name_and_password_stay_when_the_service_layer_has_opened(crm: Crm) -> None:
    may_open = Event()

    def open_slowly(_settings: Settings) -> Crm:
        assert may_open.wait(20)
        return crm

    app = OmniCrmApp(crm.settings, Desk(crm.settings, open_slowly), Seat(crm.settings.home, {}))
    async with app.run_test() as pilot:
        await pilot.pause()
        await type_text(pilot, "ada@mail.example")
        await pilot.press("tab")
        await type_text(pilot, "half a pass")
        may_open.set()
        await settled(pilot)
        assert app.screen.query_one("#name", TextLine).text == "ada@mail.example"
        assert app.screen.query_one("#password", TextLine).text == "half a pass"
        assert app.focused is app.screen.query_one("#password", TextLine)
