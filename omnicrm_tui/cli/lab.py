"""`omnicrm lab`: the pretend network of this home, in a process of its own."""

from __future__ import annotations

import json
from gettext import gettext as _

import click

from omnicrm_tui.cli.signals import until_told_to_end
from omnicrm_tui.config_file import load_settings

_LOOK_EVERY_SECONDS = 30.0
_LINGER_LOOKS = 20
"""A lab that nobody uses ends after ten minutes: a job may outlive the terminal that started it."""


@click.command()
@click.option("--while-used", is_flag=True, help="End by itself some time after the last program that uses it.")
def lab(while_used: bool) -> None:
    """Run the pretend network of this home: charging system, HSS, SMS centre and mail sink."""
    from dataclasses import asdict

    from omnicrm_tui.lab_process import is_in_use, is_running, own_output, running_lab

    settings = load_settings()
    if is_running(settings):
        raise click.ClickException(_("The lab network of this home runs already."))
    unused, output = 0, own_output(settings)

    def goes_on() -> bool:
        nonlocal unused
        unused = 0 if not while_used or is_in_use(settings.lab_folder) else unused + 1
        return unused < _LINGER_LOOKS

    with until_told_to_end() as ending, running_lab(settings) as addresses:
        click.echo(json.dumps(asdict(addresses)))
        while goes_on() and not ending.wait(_LOOK_EVERY_SECONDS):
            output.renew()
