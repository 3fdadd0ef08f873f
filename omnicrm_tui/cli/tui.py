"""`omnicrm tui`: the application, where the command line says more than that."""

from __future__ import annotations

import click

from omnicrm_tui.cli.terminal import open_terminal


@click.command()
def tui() -> None:
    """Open the application (the default)."""
    open_terminal()
