"""Every text of every screen can be read, in each look and in an operator's colours."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.settings import BrandingSection, ColoursSection
from screens import colours, themes
from tests.screens.harness import OmniCrmApp, settled, signed_in_app
from tests.screens.people import add_people
from tests.screens.test_snapshots import WAYS
from tests.screens.test_work_snapshots import WAYS as WORK
from tests.screens.test_work_snapshots import busy_shop as busy_shop

LEAST = {themes.DARK.name: 4.5, themes.LIGHT.name: 4.5, themes.CONTRAST.name: 7.0}
"""The least contrast of each look: WCAG's level AA, and AAA where one asks for it."""

UGLY = ColoursSection(
    primary="#ffff00",
    primary_dark="#00003f",
    secondary="#7f7f7f",
    tertiary="#ff00ff",
    success="#c8ffc8",
    info="#808080",
    warning="#ffffcc",
    danger="#ff0000",
    light="#808080",
    dark="#7f7f7f",
)


@pytest.mark.parametrize("name", WAYS)
async def test_text_stands_out_from_what_it_is_written_on(crm: Crm, admin: Actor, name: str) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await WAYS[name](pilot)
        for theme, least in LEAST.items():
            pilot.app.theme = theme
            await settled(pilot)
            assert [(theme, *found) for found in hard_to_read(pilot, least)] == []


@pytest.mark.parametrize(
    "name", ["catalogue-terms", "job-failed", "job-output", "jobs", "item-edit", "product", "inventory", "lab-switch"]
)
async def test_work_can_be_read_in_high_contrast(busy_shop: Crm, admin: Actor, name: str) -> None:
    async with signed_in_app(busy_shop, admin, theme=themes.CONTRAST.name) as pilot:
        await WORK[name](pilot)
        assert hard_to_read(pilot, LEAST[themes.CONTRAST.name]) == []


@pytest.mark.req("PLT-487", "PLT-488", "PLT-489", "PLT-490", "PLT-491")
@pytest.mark.parametrize("name", ["customers", "customer-overview", "customers-new", "palette"])
async def test_text_stands_out_in_colours_that_were_never_meant_for_it(crm: Crm, admin: Actor, name: str) -> None:
    add_people(crm, admin)
    crm.settings = crm.settings.model_copy(update={"branding": BrandingSection(colours=UGLY)})
    async with signed_in_app(crm, admin) as pilot:
        await WAYS[name](pilot)
        for theme in (themes.DARK.name, themes.LIGHT.name):
            pilot.app.theme = theme
            await settled(pilot)
            assert pilot.app.current_theme.primary not in (themes.DARK.primary, themes.LIGHT.primary)
            assert [(theme, *found) for found in hard_to_read(pilot, colours.READABLE)] == []


def hard_to_read(pilot: Pilot[None], least: float) -> list[tuple[str, float]]:
    """Return the texts on the screen with less contrast than `least`, and how much they have."""
    app = pilot.app
    assert isinstance(app, OmniCrmApp)
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    segments = [segment for strips in update.strips for strip in strips for segment in strip]  # type: ignore[union-attr]
    written = [(segment.text.strip(), contrast(segment)) for segment in segments if any(map(str.isalnum, segment.text))]
    return [(text, ratio) for text, ratio in written if ratio < least]


def contrast(segment: Segment) -> float:
    """Return the contrast of a segment, from 1 (none) to 21."""
    style = segment.style or Style()
    assert style.color is not None
    assert style.bgcolor is not None
    one, other = (Color.from_rich_color(colour).hex6 for colour in (style.color, style.bgcolor))
    return round(colours.contrast(one, other), 1)
