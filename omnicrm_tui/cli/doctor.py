"""`omnicrm doctor`: what an installation stands on, and how to mend what is not right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from gettext import gettext as _
from gettext import ngettext

import click

from omnicrm_tui.cli.output import plain
from omnicrm_tui.config_file import load_settings
from omnicrm_tui.doctor.findings import Finding

_NAME_WIDTH = max(15, len(_("Charging system")))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print each finding as JSON on one line.")
@click.option("--quick", is_flag=True, help=_("Do not read every row of the database."))
def doctor(as_json: bool, quick: bool) -> int:
    """Look at configuration, database, outside systems, plays, disk and clock; exit with 1 when something is broken."""
    from omnicrm_tui.doctor.examine import examine

    broken = looks = 0
    for finding in examine(load_settings(), every_row=not quick):
        broken += finding.state == "broken"
        looks += finding.state == "look"
        for line in _lines(finding, as_json):
            print(line, flush=True)
    if not as_json:
        print(_summary(broken, looks), file=sys.stderr)
    return 1 if broken else 0


def _lines(finding: Finding, as_json: bool) -> Iterator[str]:
    if as_json:
        from omnicrm_tui.exports import json_line

        yield json_line(finding)
        return
    words = {"fine": _("fine"), "look": _("LOOK"), "broken": _("BROKEN")}
    wide = max(7, *map(len, words.values()))
    yield plain(f"{words[finding.state]:<{wide}} {finding.name:<{_NAME_WIDTH}} {finding.found}")
    if finding.mend:
        yield plain(f"{'':<{wide + _NAME_WIDTH + 1}} {finding.mend}")


def _summary(broken: int, looks: int) -> str:
    if not broken and not looks:
        return _("All is well.")
    parts = []
    if broken:
        parts.append(ngettext("{n} thing is broken", "{n} things are broken", broken).format(n=broken))
    if looks:
        parts.append(ngettext("{n} deserves a second look", "{n} deserve a second look", looks).format(n=looks))
    return "; ".join(parts) + "."
