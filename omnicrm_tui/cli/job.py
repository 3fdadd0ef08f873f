"""`omnicrm job`: the jobs, and following one to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from gettext import gettext as _
from itertools import takewhile
from typing import Any

import click

from omnicrm_tui.cli.caller import Caller, calling
from omnicrm_tui.cli.output import plain
from omnicrm_tui.cli.records import Id, add_twin
from omnicrm_tui.cli.twins import TWINS
from omnicrm_tui.exports import json_line
from omnicrm_tui.languages import said
from omnicrm_tui.provisioning.play_failures import told_message, told_name
from omnicrm_tui.provisioning.rules import REASONS, RUNNING, STATUS_NAMES, SUCCESS
from omnicrm_tui.provisioning.schemas import EventView, JobView


@click.group()
def job() -> None:
    """List provisioning jobs, show one, or follow one to its end."""


add_twin(job, TWINS["job"])


@job.command()
@click.argument("number", metavar="ID", type=Id)
@click.option("--json", "as_json", is_flag=True, help="Print each task, and at last the job, as JSON on one line.")
def follow(number: int, as_json: bool) -> int:
    """Print each task of a job as it ends, until the job has; exit with 1 when the job failed."""
    with calling() as caller:
        ended: JobView | None = None
        for happened in _followed(caller, number):
            print(_line(happened, as_json), flush=True)
            ended = happened if isinstance(happened, JobView) else None
    return 0 if ended is not None and ended.provisioning_status == SUCCESS else 1


def _followed(caller: Caller, number: int) -> Iterator[EventView | JobView]:
    """Yield each task that has ended, in order, then the job when it has."""
    seen = 0
    while True:
        # The job first: what happens between the two reads is seen now, not missed.
        now = caller.read(lambda work: work.provisioning.get(number))
        for event in _ended(caller, now, seen):
            seen = event.event_number
            yield event
        if now.provisioning_status != RUNNING:
            yield now
            return
        time.sleep(caller.crm.settings.provisioning.poll_seconds)


def _ended(caller: Caller, job: JobView, after: int) -> Iterator[EventView]:
    """Return the tasks after number `after`, up to the one that still runs."""
    events = caller.read(lambda work: work.provisioning.events(job.provision_id, after=after))
    over = job.provisioning_status != RUNNING
    return takewhile(lambda event: over or event.provisioning_status != RUNNING, events)


def _line(happened: Any, as_json: bool) -> str:
    if as_json:
        return json_line(happened)
    status = said(STATUS_NAMES.get(happened.provisioning_status, "?"))
    if isinstance(happened, EventView):
        return plain(f"{happened.event_number}. {told_name(happened.event_name)}: {status}")
    reason = said(REASONS.get(happened.status_reason, ""))
    ended = _("Job {id}: {status}").format(id=happened.provision_id, status=f"{status}, {reason}" if reason else status)
    why = told_message(happened.error_message).splitlines()
    return plain(": ".join([ended, *why]))
