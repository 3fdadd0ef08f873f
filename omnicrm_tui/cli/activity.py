"""`omnicrm activity`: the activity log, and the proof that nobody has changed it."""

from __future__ import annotations

from gettext import gettext as _

import click

from omnicrm_tui.cli.records import add_twin
from omnicrm_tui.cli.twins import TWINS


@click.group()
def activity() -> None:
    """List the activity log, show an entry, or prove that nobody has changed it."""


add_twin(activity, TWINS["activity"])


@activity.command()
def verify() -> None:
    """Walk along the chain of all entries; name the first that was changed, removed or slipped in."""
    from omnicrm_tui.config_file import load_settings
    from omnicrm_tui.identity.actor import system_actor
    from omnicrm_tui.opening import open_crm

    # Whoever may run commands on this machine may read the database's file as well: nobody needs to be logged in.
    crm = open_crm(load_settings())
    try:
        with crm.reading(system_actor("command line")) as work:
            report = work.activity.verify_chain()
    finally:
        crm.close()
    if report.problem:
        raise click.ClickException(report.problem)
    click.echo(
        _("{entries} entries, none changed, removed or slipped in. The last one's hash is {hash}.").format(
            entries=f"{report.entries:,}", hash=report.last_hash
        )
    )
