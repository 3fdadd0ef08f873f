"""The mail about a failed job (SVC-127): who, what, and each task with its colour, in the operator's language."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from html import escape

from omnicrm_tui.languages import catalogue_of, said
from omnicrm_tui.provisioning.play_failures import told_event, told_message
from omnicrm_tui.provisioning.rules import FAILED, IGNORED, REASONS, STATUS_NAMES
from omnicrm_tui.provisioning.schemas import EventView, JobView

_COLOURS = {FAILED: "#c0392b", IGNORED: "#d35400"}
_OK_COLOUR = "#1e8449"


@dataclass(frozen=True, slots=True)
class FailureMail:
    """Subject, plain text and HTML."""

    subject: str
    text: str
    html: str


def failure_mail(job: JobView, events: Sequence[EventView], language: str) -> FailureMail:
    """Return the mail for `failure_list`: green ok, orange failed but ignored, red critical with its output.

    `language` is `crm.language`: jobs and workers speak English, those who read the mail may not.
    """
    texts = catalogue_of(language)
    _ = texts.gettext
    events = [told_event(event, texts) for event in events]
    head = _head(job, texts)
    lines = [f"[{_status(event, texts)}] {event.event_number}. {event.event_name}" for event in events]
    failed = [event for event in events if event.provisioning_status == FAILED]
    details = [f"--- {event.event_name}\n{_pretty(event)}" for event in failed]
    text = "\n".join([*head, "", *lines, "", *details])
    rows = "".join(_html_row(event, texts) for event in events)
    html = f"<p>{'<br>'.join(escape(line) for line in head)}</p><ol>{rows}</ol>"
    subject = _("Provisioning failed: job {id}, {play}").format(id=job.provision_id, play=job.provisioning_play)
    return FailureMail(subject, text, html)


def _head(job: JobView, texts: NullTranslations) -> list[str]:
    _ = texts.gettext
    status = [STATUS_NAMES[FAILED], *filter(None, [REASONS.get(job.status_reason)])]
    return [
        _("Job {id}: {status}").format(id=job.provision_id, status=", ".join(said(word, texts) for word in status)),
        _("Customer: {name} (customer {id})").format(name=job.customer_name or _("no customer"), id=job.customer_id),
        _("Play: {words} (play {name})").format(
            words=job.playbook_description or job.provisioning_play, name=job.provisioning_play
        ),
        _("Product: {product}   Service: {service}").format(product=job.product_id, service=job.service_id),
        _("Error: {why}").format(why=told_message(job.error_message, texts) or _("see the tasks below")),
    ]


def _status(event: EventView, texts: NullTranslations) -> str:
    return said(STATUS_NAMES[event.provisioning_status], texts)


def _html_row(event: EventView, texts: NullTranslations) -> str:
    colour = _COLOURS.get(event.provisioning_status, _OK_COLOUR)
    line = f'<span style="color:{colour}">{escape(_status(event, texts))}</span> '
    line += escape(event.event_name)
    if event.provisioning_status == FAILED:
        line += f"<pre>{escape(_pretty(event))}</pre>"
    return f"<li>{line}</li>"


def _pretty(event: EventView) -> str:
    try:
        return json.dumps(json.loads(event.provisioning_result_json), indent=2, ensure_ascii=False)
    except json.JSONDecodeError:
        return event.provisioning_result_json
