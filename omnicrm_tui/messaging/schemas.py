"""What the outbox shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from omnicrm_tui.schemas import Input

MOST_SUBJECT = 300


class CustomerMail(Input):
    """A mail to a customer; `kind` may be an e-mail type of the configuration, which then says who it is from."""

    subject: Annotated[str, Field(min_length=1, max_length=MOST_SUBJECT)]
    text: Annotated[str, Field(min_length=1, max_length=16_000)]
    html: Annotated[str, Field(max_length=64_000)] | None = None
    kind: Annotated[str, Field(max_length=80)] = ""


class DropInput(Input):
    """Why a message is not to be sent."""

    reason: Annotated[str, Field(min_length=3, max_length=300)]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message as the list shows it.

    `status` is waiting, sent, failed (given up) or dropped: by a person, or because there is no way to send it.
    `last_error` says why.
    """

    outbox_id: int
    created: datetime
    channel: str
    recipient: str
    subject: str
    customer_id: int | None
    status: str
    attempts: int
    next_attempt: datetime
    delivered: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class OutboxView:
    """A message, whole; `kind` is what it is about (an e-mail type of the configuration, or a word of our own)."""

    outbox_id: int
    created: datetime
    channel: str
    recipient: str
    subject: str
    kind: str
    text: str
    html: str | None
    customer_id: int | None
    status: str
    attempts: int
    next_attempt: datetime
    delivered: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Leadership:
    """A duty and the process that leads it, as `host:pid:number`; `led` is false once its lease has run out."""

    name: str
    owner: str
    led: bool


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """What the outbox holds besides what was sent.

    `oldest` is when the oldest waiting message was written, `overdue_since` when the one that has been due for the
    longest became so: while somebody delivers, that is never long ago.
    """

    waiting: int
    due: int
    failed: int
    dropped: int
    oldest: datetime | None
    overdue_since: datetime | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages are due, since when, and whether a process is there to deliver them."""

    due: int
    oldest: datetime | None
    led: bool
