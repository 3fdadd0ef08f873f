"""How well the texts on a screen stand out from what they are written on, by WCAG."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot

from screens import colours, themes
from tests.screens.harness import OmniCrmApp

LEAST = {themes.DARK.name: 4.5, themes.LIGHT.name: 4.5, themes.CONTRAST.name: 7.0}
"""The least contrast of each look: WCAG's level AA, and AAA where one asks for it."""


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
