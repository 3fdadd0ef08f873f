"""The first start of a real operator's home: what is asked, how each answer is tested, what is made of them."""

from __future__ import annotations

from typing import Final

from omnicrm_tui.settings import Settings

KEPT: Final = "init.json"
"""Answers of a first start that was not finished, without passwords."""


def is_due(settings: Settings) -> bool:
    """Tell whether this home was never set up: it has neither a configuration nor data, or it was left half-way.

    Whoever wrote a configuration or made a demo meanwhile has set it up, whatever was answered before.
    """
    if settings.config_path is not None or settings.demo:
        return False
    own_file = settings.home / "omnicrm.sqlite"
    begun = (settings.home / KEPT).exists()
    return begun or (not own_file.exists() and settings.database_url == f"sqlite:///{own_file}")
