"""`omnicrm status`: how the system does, for scripts and screen readers."""

from __future__ import annotations

import sys

import click

from omnicrm_tui.cli.caller import calling
from omnicrm_tui.cli.printing import print_record
from omnicrm_tui.reporting.rules import problems


@click.command()
@click.option("--json", "form", flag_value="json", help="Print JSON.")
def status(form: str | None) -> int:
    """Tell how jobs, messages, duties and the disk do; exit with 1 when something is not as it should be."""
    with calling() as caller:
        figures = caller.read(lambda work: work.reporting.figures())
    found = list(problems(figures))
    print_record(figures, form or "text")
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0
