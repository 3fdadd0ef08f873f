"""A palette from the operator's colours (PLT-487..492): the hue is theirs, the lightness is what can be read."""

from __future__ import annotations

import colorsys
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.theme import Theme

if TYPE_CHECKING:
    from omnicrm_tui.settings import ColoursSection

READABLE = 4.5
"""The least contrast of a text (WCAG, level AA)."""

_CALM = 12.0
"""The least contrast of black or white on a background of the operator's: what is written there needs room."""

_MUTED = 5.5
"""The least contrast of what is muted: fields for typing are a little lighter than what surrounds them."""

_STEPS = 200
_BLACK, _WHITE = "#000000", "#ffffff"


def luminance(colour: str) -> float:
    """Return the relative luminance of `#RRGGBB`, from 0 to 1 (WCAG)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 (none) to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str, *backgrounds: str, least: float = READABLE) -> str:
    """Return `colour`, made lighter or darker as far as its contrast to each of `backgrounds` needs it."""
    away = 1.0 if luminance(backgrounds[0]) < luminance("#777777") else 0.0
    for shade in _shades(colour, away):
        if all(contrast(shade, background) >= least for background in backgrounds):
            return shade
    return _WHITE if away else _BLACK


def branded(theme: Theme, colours: ColoursSection) -> Theme:
    """Return `theme` in the operator's colours; those that are not configured stay as they are."""
    if not any(colours.model_dump().values()):
        return theme
    dark = theme.dark
    background, panel = _grounds(theme, colours)
    grounds = (background, panel)
    foreground = readable((colours.light if dark else colours.dark) or str(theme.foreground), *grounds, least=7.0)
    primary = (dark and colours.primary_dark) or colours.primary or theme.primary
    cursor = readable(primary, _WHITE)
    return replace(
        theme,
        background=background,
        surface=background,
        panel=panel,
        foreground=foreground,
        primary=readable(primary, *grounds),
        secondary=readable(colours.secondary or str(theme.secondary), *grounds),
        accent=readable(colours.tertiary or str(theme.accent), *grounds),
        success=readable(colours.success or str(theme.success), *grounds),
        warning=readable(colours.warning or str(theme.warning), *grounds),
        error=readable(colours.danger or str(theme.error), *grounds),
        variables={
            **theme.variables,
            "block-cursor-background": cursor,
            "block-cursor-foreground": _WHITE,
            "text-muted": readable(_towards(foreground, background, 0.3), *grounds, least=_MUTED),
            "info": readable(colours.info or theme.variables["info"], *grounds),
        },
    )


def _grounds(theme: Theme, colours: ColoursSection) -> tuple[str, str]:
    """Return background and panel: the operator's own colour, as calm as text on it asks for."""
    chosen = colours.dark if theme.dark else colours.light
    if not chosen:
        return str(theme.background), str(theme.panel)
    background = readable(chosen, _WHITE if theme.dark else _BLACK, least=_CALM)
    return background, _towards(background, _WHITE if theme.dark else _BLACK, 0.08)


def _shades(colour: str, away: float) -> list[str]:
    """Return the colour, then ever lighter (`away` 1) or darker (0) ones of the same hue."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    steps = (lightness + (away - lightness) * step / _STEPS for step in range(1, _STEPS + 1))
    return [colour, *(_hex(colorsys.hls_to_rgb(hue, step, saturation)) for step in steps)]


def _towards(colour: str, other: str, share: float) -> str:
    return _hex(tuple(a + (b - a) * share for a, b in zip(_parts(colour), _parts(other), strict=True)))


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(parts: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
