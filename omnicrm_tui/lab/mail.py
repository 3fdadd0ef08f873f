"""Messages for people: what the mail sink keeps of a mail, and what the SMSC keeps of a text message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

from omnicrm_tui.lab.store import Store

LONGEST_TEXT = 20_000
_DESTINATIONS = ("destination_msisdn", "destinatination_msisdn", "destination")


class Refused(Exception):
    """A message that its receiver does not take; the text says why."""


def keep_smtp(store: Store, sender: str, recipients: list[str], content: bytes) -> int:
    """Keep a mail that came over SMTP and return its id; content that is no mail is kept as text."""
    message = message_from_bytes(content, policy=policy.default)
    detail = {
        "envelope_from": sender,
        "envelope_to": recipients,
        **{name.lower(): _header(message, name) for name in ("From", "To", "Subject")},
        "text": _body(message, "plain"),
        "html": _body(message, "html"),
        "attachments": _attachments(message),
    }
    summary = f"{', '.join(recipients)}: {detail['subject']}"
    return store.record("mail", "smtp", summary, detail, "accepted")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""  # the header parser trips over some malformed headers


def _body(message: EmailMessage, kind: str) -> str:
    for part in message.walk():
        if part.get_content_type() != f"text/{kind}" or part.get_filename():
            continue
        raw = part.get_payload(decode=True)
        if isinstance(raw, bytes):
            return _decoded(raw, part.get_content_charset())[:LONGEST_TEXT]
    return ""


def _decoded(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def _attachments(message: EmailMessage) -> list[dict[str, Any]]:
    found = []
    for part in message.walk():
        name = part.get_filename()
        if name:
            raw = part.get_payload(decode=True)
            size = len(raw) if isinstance(raw, bytes) else 0
            found.append({"filename": name, "content_type": part.get_content_type(), "size": size})
    return found


def keep_mailjet(store: Store, body: object) -> dict[str, Any]:
    """Keep the messages of a Mailjet send request and return its answer (CAT-506); raises Refused."""
    messages = body.get("Messages") if isinstance(body, Mapping) else None
    if not isinstance(messages, list) or not messages:
        raise Refused("Messages is mandatory and must not be empty")
    sent = [_mailjet_recipients(message) for message in messages]
    with store.transaction():
        for message, recipients in zip(messages, sent, strict=True):
            summary = f"{', '.join(recipients)}: {message.get('Subject', '')}"
            store.record("mail", "mailjet", summary, _mailjet_detail(message), "accepted")
    return {"Messages": [{"Status": "success", "To": [_mailjet_sent(to) for to in names]} for names in sent]}


def _mailjet_recipients(message: object) -> list[str]:
    if not isinstance(message, Mapping):
        raise Refused("each of Messages must be an object")
    recipients = message.get("To")
    if not isinstance(recipients, list) or not recipients:
        raise Refused("To is mandatory")
    names = [to.get("Email") if isinstance(to, Mapping) else None for to in recipients]
    if not all(isinstance(name, str) and "@" in name for name in names):
        raise Refused("To needs an Email in each entry")
    return [str(name) for name in names]


def _mailjet_detail(message: Mapping[str, Any]) -> dict[str, Any]:
    detail = {key: value for key, value in message.items() if key != "Attachments"}
    attachments = message.get("Attachments")
    detail["Attachments"] = [
        {
            "Filename": item.get("Filename"),
            "ContentType": item.get("ContentType"),
            "Size": len(str(item.get("Base64Content", ""))) * 3 // 4,
        }
        for item in (attachments if isinstance(attachments, list) else [])
        if isinstance(item, Mapping)
    ]
    return detail


def _mailjet_sent(recipient: str) -> dict[str, Any]:
    identity = uuid4()
    number = identity.int % 10**16
    return {
        "Email": recipient,
        "MessageUUID": str(identity),
        "MessageID": number,
        "MessageHref": f"https://api.mailjet.com/v3/REST/message/{number}",
    }


def keep_sms(store: Store, kind: str, body: object) -> int:
    """Keep a text message and return its id (SVC-118, CAT-510); raises Refused without destination or text.

    The destination may be named `destination_msisdn`, the same with the operators' spelling, or `destination`.
    """
    fields = body if isinstance(body, Mapping) else {}
    destination = next((str(fields[name]) for name in _DESTINATIONS if fields.get(name)), "")
    text = fields.get("message_body", fields.get("message", ""))
    if not destination or not re.search(r"\d", destination):
        raise Refused("a destination number is mandatory")
    if not isinstance(text, str) or not text:
        raise Refused("a message text is mandatory")
    source = str(fields.get("source_msisdn", fields.get("source", "")))
    detail = {"source": source, "destination": destination, "message": text[:LONGEST_TEXT]}
    return store.record("smsc", kind, f"{destination}: {text}", detail, "accepted")
