"""Opening the application in the terminal at hand: the one command whose start people wait for."""

from __future__ import annotations

import gc
import os
import sys

from omnicrm_tui.cli.lazily import import_lazily
from omnicrm_tui.errors import CrmError


def open_terminal() -> None:
    """Run the application until the person leaves. Raises CrmError where it cannot start."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CrmError("The application needs a terminal; for programs there is 'omnicrm serve'.")
    gc.disable()  # Importing makes no garbage worth looking for; the application collects once it is open.
    # Libraries import it in passing and use it long after the first frame, if at all.
    import_lazily("importlib.metadata")
    from omnicrm_tui.config_file import load_settings
    from omnicrm_tui.database.migrate import require_known

    # Where a shell exports its size as it was once, a resize would go unnoticed.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    settings = load_settings()
    require_known(settings)
    from screens.early import begin

    early = begin(settings)
    from omnicrm_tui.app import run

    run(settings, early)
