"""`omnicrm tui`: the application, where the command line says more than that."""

from __future__ import annotations

import click

from omnicrm_tui.cli.terminal import open_terminal


@click.command()
@click.option(
    "--confined",
    is_flag=True,
    help="For sshd's ForceCommand: ignore what the client's environment says and refuse other commands.",
)
def tui(confined: bool) -> None:
    """Open the application (the default)."""
    open_terminal(confined=confined)
