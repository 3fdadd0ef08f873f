"""`omnicrm serve`: the REST API, and with it the lab network where that is asked for."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from omnicrm_tui.cli.signals import until_told_to_end
from omnicrm_tui.config_file import load_settings

if TYPE_CHECKING:
    from omnicrm_tui.lab_process import LabAddresses

KEPT_CONNECTIONS = 5
"""Requests come beside each other all the time; a connection that is made anew costs some milliseconds."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=5000, show_default=True, help="0 takes a free one.")
@click.option("--lab", "with_lab", is_flag=True, help="Run the home's lab network with it.")
def serve(host: str, port: int, with_lab: bool) -> None:
    """Serve the REST API until told to end; when ready, print one JSON line with the addresses."""
    settings = load_settings()
    with ExitStack() as stack:
        ending = stack.enter_context(until_told_to_end())
        lab = None
        if with_lab:
            from omnicrm_tui.lab_process import running_lab, with_lab_addresses

            lab = stack.enter_context(running_lab(settings))
            settings = with_lab_addresses(settings, lab)
        from omnicrm_tui import chores, logs
        from omnicrm_tui.opening import open_crm

        logs.begin(settings, "serve")
        crm = open_crm(settings, kept_connections=KEPT_CONNECTIONS)
        stack.callback(crm.close)
        stack.enter_context(chores.doing(crm))
        from omnicrm_tui.api.server import ApiServer

        server = stack.enter_context(ApiServer(crm, host=host, port=port))
        click.echo(json.dumps(ready_line(server.url, lab)))
        ending.wait()


def ready_line(api: str, lab: LabAddresses | None) -> dict[str, str | None]:
    """Return what is where: null for what this command does not run."""
    names = ("ocs", "tenant", "hss", "smsc", "mail")
    return {"api": api} | {name: getattr(lab, name) if lab else None for name in names}
