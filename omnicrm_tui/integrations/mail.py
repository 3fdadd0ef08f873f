"""What every way to send mail takes, and what it says when a message can never be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from omnicrm_tui.errors import OutsideSystemError

TIMEOUT_SECONDS = 10.0


class Refused(OutsideSystemError):
    """The other side understood and said no for good: trying again would not help."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one recipient. `message_id` stays the same over retries, so that receivers recognise a repetition."""

    message_id: str
    from_email: str
    from_name: str
    to: str
    subject: str
    text: str
    html: str | None = None


class MailSender(Protocol):
    """A way to send mail."""

    def send(self, mail: Mail) -> None:
        """Hand `mail` over. Raises Refused for good, OutsideSystemError for now."""
        ...

    def check(self) -> str:
        """Log in without sending anything and say what answers; raises OutsideSystemError."""
        ...
