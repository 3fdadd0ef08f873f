"""Draw the pictures of README and docs from the real application, on a demo: `python -m scripts.draw_pictures`."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from omnicrm_tui.app import OmniCrmApp
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.demo.build import make_demo
from omnicrm_tui.identity.actor import visitor
from omnicrm_tui.opening import open_crm
from screens.desk import Desk
from screens.seat import Seat

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZE = (100, 30)
CUSTOMER = 2


async def draw(home: Path) -> None:
    """Make a demo in `home`, walk through the application and keep what it shows."""
    make_demo(load_settings({"OMNICRM_HOME": str(home)}), 400)
    settings = load_settings({"OMNICRM_HOME": str(home)})
    crm = open_crm(settings)
    desk = Desk(settings, lambda _settings: crm)
    with crm.reading(visitor("")) as work:
        desk.actor = work.identity.actor_of_user(work.identity.first_admin_id() or 0, "")
    app = OmniCrmApp(settings, desk, Seat(settings.home, {}))
    async with app.run_test(size=SIZE) as pilot:
        await _quiet(pilot)
        _keep(app, "customers")
        app.open_customer(CUSTOMER)
        await _quiet(pilot)
        _keep(app, "customer")
        app.pop_screen()
        app.go("jobs")
        await _quiet(pilot)
        _keep(app, "jobs")


async def _quiet(pilot: Pilot[None]) -> None:
    """Wait until nothing is read or painted any more."""
    for _ in range(20):
        await pilot.pause(0.05)


def _keep(app: OmniCrmApp, name: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / f"{name}.svg").write_text(app.export_screenshot(title="OmniCRM"), encoding="utf-8")


def main() -> None:
    """Draw all pictures."""
    os.environ.pop("NO_COLOR", None)
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(draw(Path(home) / "demo"))


if __name__ == "__main__":
    main()
