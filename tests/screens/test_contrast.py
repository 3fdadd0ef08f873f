"""Every text can be read in an operator's colours that were never meant for it.

In ours that is looked at where pictures are compared (`test_snapshots.in_each_look`): each screen and dialog has one.
"""

from __future__ import annotations

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.settings import BrandingSection, ColoursSection
from screens import colours, themes
from tests.screens.contrast import hard_to_read
from tests.screens.harness import settled, signed_in_app
from tests.screens.people import add_people
from tests.screens.test_snapshots import WAYS

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
