"""An operator's colours become a palette in which every text can be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnicrm_tui.settings import ColoursSection
from screens import themes
from screens.colours import READABLE, branded, contrast, readable

COLOUR = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
TEXTS = ("foreground", "primary", "secondary", "accent", "success", "warning", "error")


@pytest.mark.req("PLT-487", "PLT-488", "PLT-489", "PLT-490", "PLT-491")
@given(chosen=st.fixed_dictionaries({name: st.one_of(st.just(""), COLOUR) for name in ColoursSection.model_fields}))
@settings(max_examples=150, deadline=None)
def test_every_text_of_the_palette_can_be_read(chosen: dict[str, str]) -> None:
    for theme in (themes.DARK, themes.LIGHT):
        made = branded(theme, ColoursSection(**chosen))
        for name in TEXTS:
            for ground in (made.background, made.panel):
                assert contrast(str(getattr(made, name)), str(ground)) >= READABLE, (theme.name, name)
        cursor = made.variables
        assert contrast(cursor["block-cursor-foreground"], cursor["block-cursor-background"]) >= READABLE


@pytest.mark.parametrize(("one", "other", "ratio"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48)])
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert round(contrast(one, other), 2) == ratio == round(contrast(other, one), 2)


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert readable("#405189", "#ffffff") == "#405189"
    assert contrast(readable("#405189", "#10151c"), "#10151c") >= READABLE


def test_without_colours_the_themes_are_ours() -> None:
    assert themes.of_operator(ColoursSection()) == (themes.DARK, themes.LIGHT, themes.CONTRAST)
