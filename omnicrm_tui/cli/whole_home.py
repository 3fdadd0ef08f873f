"""The settings of a command that works on the database without opening a Crm, which would look at the home itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.database.migrate import require_whole

if TYPE_CHECKING:
    from omnicrm_tui.settings import Settings


def settings_of_whole_home() -> Settings:
    """Return the settings in force; raises ConfigurationError, and DatabaseProblem while a restore fills the home."""
    settings = load_settings()
    require_whole(settings.home)
    return settings
