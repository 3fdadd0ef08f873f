"""Every text of every screen can be read, in the dark look and in the light one."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor
from screens import themes
from tests.screens.harness import OmniCrmApp, settled, signed_in_app
from tests.screens.people import add_people
from tests.screens.test_snapshots import WAYS

READABLE = 4.5
"""The least contrast of WCAG's level AA."""


@pytest.mark.parametrize("name", WAYS)
async def test_text_stands_out_from_what_it_is_written_on(crm: Crm, admin: Actor, name: str) -> None:
    add_people(crm, admin)
    async with signed_in_app(crm, admin) as pilot:
        await WAYS[name](pilot)
        for theme in (themes.DARK.name, themes.LIGHT.name):
            pilot.app.theme = theme
            await settled(pilot)
            assert [(theme, *found) for found in hard_to_read(pilot)] == []


def hard_to_read(pilot: Pilot[None]) -> list[tuple[str, float]]:
    """Return the texts on the screen with too little contrast, and how much they have."""
    app = pilot.app
    assert isinstance(app, OmniCrmApp)
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    segments = [segment for strips in update.strips for strip in strips for segment in strip]  # type: ignore[union-attr]
    written = [(segment.text.strip(), contrast(segment)) for segment in segments if any(map(str.isalnum, segment.text))]
    return [(text, ratio) for text, ratio in written if ratio < READABLE]


def contrast(segment: Segment) -> float:
    """Return the contrast of a segment, from 1 (none) to 21."""
    style = segment.style or Style()
    assert style.color is not None
    assert style.bgcolor is not None
    light, dark = sorted(
        (luminance(Color.from_rich_color(colour)) for colour in (style.color, style.bgcolor)), reverse=True
    )
    return round((light + 0.05) / (dark + 0.05), 1)


def luminance(colour: Color) -> float:
    """Return the relative luminance of WCAG."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
