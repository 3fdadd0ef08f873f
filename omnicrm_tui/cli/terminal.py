"""Opening the application in the terminal at hand: the one command whose start people wait for."""

from __future__ import annotations

import gc
import os
import sys
from gettext import gettext as _
from typing import TYPE_CHECKING

from omnicrm_tui import languages
from omnicrm_tui.errors import CrmError
from omnicrm_tui.lazily import import_lazily

if TYPE_CHECKING:
    from omnicrm_tui.settings import Settings

OVER_SSH = "SSH_CONNECTION"
"""What sshd sets: every frame crosses a network, and other people's terminals run on this machine."""


def open_terminal(*, confined: bool = False) -> None:
    """Run the application until the person leaves. Raises CrmError where it cannot start.

    With `confined` the environment is a stranger's (see `cli.confined`).
    """
    if confined:
        from omnicrm_tui.cli.confined import confine

        confine(os.environ)
        os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # ours again: see `cli.main`
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CrmError(_("The application needs a terminal (over SSH: ssh -t); for programs there is 'omnicrm serve'."))
    gc.disable()  # Importing makes no garbage worth looking for; the application collects once it is open.
    # Libraries import it in passing and use it long after the first frame, if at all.
    import_lazily("importlib.metadata", ["entry_points"])
    import_lazily("platformdirs", ["user_downloads_path"])
    import_lazily("secrets")
    # Where a shell exports its size as it was once, a resize would go unnoticed.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    settings = _in_own_language(_loaded())
    if os.environ.get(OVER_SSH):
        # Read by Textual when it is imported; it paints twice as often by default.
        os.environ["TEXTUAL_FPS"] = str(settings.terminal.frames_over_ssh)
    from screens.early import begin

    early = begin(settings)
    # Textual's palette, which nobody opens (ours is `screens.palette`), would bring trees, lists and selections along.
    palette = ("CommandListItem", "CommandPalette", "DiscoveryHit", "Hit", "Hits", "Provider", "SimpleProvider")
    import_lazily("textual.command", classes=palette)
    from omnicrm_tui.database.migrate import require_known

    require_known(settings)
    from omnicrm_tui.app import run

    run(settings, early)


def _loaded() -> Settings:
    from omnicrm_tui.config_file import ConfigurationError, load_settings

    try:
        return load_settings()
    except ConfigurationError:
        # Once more, to be told in the language that the file names all the same.
        languages.speak(languages.configured())
        return load_settings()


def _in_own_language(settings: Settings) -> Settings:
    """Bind the language, the person's own choice before the configuration's, and return settings that say so."""
    from screens.seat import Seat

    chosen = Seat(settings.home).language or settings.crm.language
    languages.speak(chosen)
    return settings.model_copy(update={"crm": settings.crm.model_copy(update={"language": chosen})})
