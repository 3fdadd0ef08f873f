"""`omnicrm tui`: the application."""

from __future__ import annotations

import gc
import sys

import click

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.database.migrate import require_known


@click.command()
def tui() -> None:
    """Open the application (the default)."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.ClickException("The application needs a terminal; for programs there is 'omnicrm serve'.")
    gc.disable()  # Importing makes no garbage worth looking for; the application collects once it is open.
    settings = load_settings()
    require_known(settings)
    from omnicrm_tui.app import run

    run(settings)
