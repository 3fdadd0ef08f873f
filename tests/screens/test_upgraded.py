"""A terminal that is open while the database is upgraded."""

from __future__ import annotations

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.listing import ListQuery
from tests.screens.harness import screen_text, settled, signed_in_app, until


async def test_it_says_so_reads_on_and_saves_nothing(crm: Crm, admin: Actor) -> None:
    async with signed_in_app(crm, admin) as pilot:
        pilot.app.look_around()
        await settled(pilot)
        assert "start again" not in screen_text(pilot.app)

        with crm.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        pilot.app.look_around()
        await until(pilot, lambda: "Upgraded: start again" in screen_text(pilot.app).splitlines()[0])
        assert "nothing you saved" in screen_text(pilot.app)

        await pilot.press("g", "p")
        await settled(pilot)
        assert "Upgraded: start again" in screen_text(pilot.app).splitlines()[0]
        await pilot.press("g", "c", "n")
        await settled(pilot, dialog=True)
        await pilot.press(*"Ada", "ctrl+s")
        await until(pilot, lambda: "was upgraded meanwhile" in " ".join(screen_text(pilot.app).split()))
    with crm.reading(admin) as work:
        assert work.customers.count(ListQuery()).value == 0
