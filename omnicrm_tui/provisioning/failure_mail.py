"""The mail about a failed job (SVC-127): who, what, and each task with its colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from omnicrm_tui.provisioning.rules import FAILED, IGNORED, STATUS_NAMES
from omnicrm_tui.provisioning.schemas import EventView, JobView

_COLOURS = {FAILED: "#c0392b", IGNORED: "#d35400"}
_OK_COLOUR = "#1e8449"


@dataclass(frozen=True, slots=True)
class FailureMail:
    """Subject, plain text and HTML."""

    subject: str
    text: str
    html: str


def failure_mail(job: JobView, events: Sequence[EventView]) -> FailureMail:
    """Return the mail for `failure_list`: green ok, orange failed but ignored, red critical with its output."""
    who = f"{job.customer_name or 'no customer'} (customer {job.customer_id})"
    what = f"{job.playbook_description or job.provisioning_play} (play {job.provisioning_play})"
    head = [
        f"Job {job.provision_id} failed: {job.status_reason}.",
        f"Customer: {who}",
        f"Play: {what}",
        f"Product: {job.product_id}   Service: {job.service_id}",
        f"Error: {job.error_message or 'see the tasks below'}",
    ]
    lines = [f"[{STATUS_NAMES[e.provisioning_status]}] {e.event_number}. {e.event_name}" for e in events]
    details = [f"--- {e.event_name}\n{_pretty(e)}" for e in events if e.provisioning_status == FAILED]
    text = "\n".join([*head, "", *lines, "", *details])
    rows = "".join(_html_row(event) for event in events)
    html = f"<p>{'<br>'.join(escape(line) for line in head)}</p><ol>{rows}</ol>"
    return FailureMail(f"Provisioning failed: job {job.provision_id}, {job.provisioning_play}", text, html)


def _html_row(event: EventView) -> str:
    colour = _COLOURS.get(event.provisioning_status, _OK_COLOUR)
    line = f'<span style="color:{colour}">{escape(STATUS_NAMES[event.provisioning_status])}</span> '
    line += escape(event.event_name)
    if event.provisioning_status == FAILED:
        line += f"<pre>{escape(_pretty(event))}</pre>"
    return f"<li>{line}</li>"


def _pretty(event: EventView) -> str:
    try:
        return json.dumps(json.loads(event.provisioning_result_json), indent=2, ensure_ascii=False)
    except json.JSONDecodeError:
        return event.provisioning_result_json
