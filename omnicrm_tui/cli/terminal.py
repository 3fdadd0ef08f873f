"""Opening the application in the terminal at hand: the one command whose start people wait for."""

from __future__ import annotations

import gc
import os
import sys
from gettext import gettext as _
from typing import TYPE_CHECKING

from omnicrm_tui import languages
from omnicrm_tui.cli.lazily import import_lazily
from omnicrm_tui.errors import CrmError

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
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CrmError(_("The application needs a terminal (over SSH: ssh -t); for programs there is 'omnicrm serve'."))
    gc.disable()  # Importing makes no garbage worth looking for; the application collects once it is open.
    # Libraries import it in passing and use it long after the first frame, if at all.
    import_lazily("importlib.metadata", "entry_points")
    from omnicrm_tui.config_file import load_settings

    # Where a shell exports its size as it was once, a resize would go unnoticed.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    settings = _in_own_language(load_settings())
    if os.environ.get(OVER_SSH):
        # Read by Textual when it is imported; it paints twice as often by default.
        os.environ["TEXTUAL_FPS"] = str(settings.terminal.frames_over_ssh)
    from omnicrm_tui.database.migrate import require_known

    require_known(settings)
    from screens.early import begin

    early = begin(settings)
    from omnicrm_tui.app import run

    run(settings, early)


def _in_own_language(settings: Settings) -> Settings:
    """Bind the language, the person's own choice before the configuration's, and return settings that say so."""
    from screens.seat import Seat

    chosen = Seat(settings.home).language or settings.crm.language
    languages.speak(chosen)
    return settings.model_copy(update={"crm": settings.crm.model_copy(update={"language": chosen})})
