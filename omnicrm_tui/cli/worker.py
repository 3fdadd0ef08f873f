"""`omnicrm worker`: the chores of an installation, in a process of their own."""

from __future__ import annotations

import json
from contextlib import ExitStack
from gettext import gettext as _

import click

from omnicrm_tui.chores import QUEUES
from omnicrm_tui.cli.signals import until_told_to_end
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.errors import ProgramOutdated

_LOOK_SECONDS = 1.0


def _queues(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in QUEUES]
    if unknown or not names:
        known = ", ".join(QUEUES)
        if not unknown:
            raise click.BadParameter(_("name some of {known}: none is named.").format(known=known))
        wrong = _("name some of {known}: {name!r} is none of them.")
        raise click.BadParameter(wrong.format(known=known, name=unknown[0]))
    return [name for name in QUEUES if name in names]


@click.command()
@click.option(
    "--queues", default=",".join(QUEUES), show_default=True, callback=_queues, help="What to lead, with commas between."
)
def worker(queues: list[str]) -> None:
    """Deliver mail and SMS, recover and start jobs, keep the schedule; until told to end or the database is upgraded.

    Each queue is led by one process at a time: several workers are one and its replacements. When ready, print one
    JSON line.
    """
    from omnicrm_tui import chores, logs
    from omnicrm_tui.opening import open_crm

    settings = load_settings()
    logs.begin(settings, "worker")
    with ExitStack() as stack:
        ending = stack.enter_context(until_told_to_end())
        crm = open_crm(settings, kept_connections=len(queues))
        stack.callback(crm.close)
        threads = stack.enter_context(chores.doing(crm, queues))
        click.echo(json.dumps({"worker": queues}))
        while not ending.wait(_LOOK_SECONDS):
            # Whoever started us starts the newer program; a worker that does nothing must not look alive.
            if not any(thread.is_alive() for thread in threads):
                raise ProgramOutdated(_("The database was upgraded meanwhile: start the worker again."))
