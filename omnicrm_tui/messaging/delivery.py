"""Delivery: outbox messages go out after the change that caused them, outside any transaction.

An attempt is counted, and the next one scheduled, before the message is handed over. A process that dies in
between loses nothing, and two couriers never hand over the same attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CursorResult, select, update

from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.integrations.mail import Mail, MailSender, Refused
from omnicrm_tui.messaging.models import SEALED_TEXT, UNTIL, OutboxMessage, is_due
from omnicrm_tui.messaging.rules import MOST_ATTEMPTS, wait_after

if TYPE_CHECKING:
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.settings import Settings

BATCH = 50
LONGEST_ERROR = 2000


class OutboxCourier:
    """Delivers what is due. Any process may call it; who should is decided by the lease (see `messaging.leading`)."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._actor = system_actor("outbox")

    def deliver_due(self, now: datetime | None = None, go_on: Callable[[], bool] = lambda: True) -> int:
        """Deliver all messages that are due at `now` (default: the clock's now); return how many were sent.

        `go_on` is asked before each message. What fails is tried again with growing pauses, MOST_ATTEMPTS times.
        """
        moment = now or self._crm.clock.now()
        sent = 0
        while due := self._due(moment):
            for outbox_id, attempts in due:
                if not go_on():
                    return sent
                sent += self._attempt(outbox_id, attempts, moment)
        return sent

    def _due(self, now: datetime) -> list[tuple[int, int]]:
        statement = (
            select(OutboxMessage.outbox_id, OutboxMessage.attempts)
            .where(OutboxMessage.status == "waiting", is_due(now))
            .order_by(OutboxMessage.next_attempt, OutboxMessage.outbox_id)
            .limit(BATCH)
        )
        with self._crm.reading(self._actor) as work:
            return [(row[0], row[1]) for row in work.session.execute(statement)]

    def _attempt(self, outbox_id: int, attempts: int, now: datetime) -> bool:
        """Claim one attempt, make it, and write down what came of it; tell whether the message was sent."""
        if attempts >= MOST_ATTEMPTS:
            self._write(outbox_id, attempts, status="failed", sealed_text=None)
            return False
        number = attempts + 1
        if not self._write(outbox_id, attempts, attempts=number, next_attempt=now + wait_after(number)):
            return False
        with self._crm.reading(self._actor) as work:
            message = work.session.get_one(OutboxMessage, outbox_id)
        try:
            outcome = _too_late(message, self._crm.clock.now()) or _send(self._crm, message)
        except OutsideSystemError as error:
            given_up = isinstance(error, Refused) or number >= MOST_ATTEMPTS
            told = {"last_error": error.message[:LONGEST_ERROR]}
            if given_up:
                self._write(outbox_id, number, status="failed", sealed_text=None, **told)
            else:
                self._write(outbox_id, number, status="waiting", **told)
            return False
        if outcome is not None:
            self._write(outbox_id, number, status="dropped", last_error=outcome, sealed_text=None)
            return False
        self._write(
            outbox_id, number, status="sent", delivered=self._crm.clock.now(), last_error=None, sealed_text=None
        )
        return True

    def _write(self, outbox_id: int, seen_attempts: int, **values: Any) -> bool:
        """Change a waiting message, unless somebody else has counted an attempt since; tell whether we did.

        What was sent is sent, even if somebody dropped it in that moment.
        """
        before = ("waiting", "dropped") if values.get("status") == "sent" else ("waiting",)
        unchanged = (
            OutboxMessage.outbox_id == outbox_id,
            OutboxMessage.status.in_(before),
            OutboxMessage.attempts == seen_attempts,
        )
        with self._crm.as_actor(self._actor) as work:
            result = work.session.execute(update(OutboxMessage).where(*unchanged).values(**values))
            return cast("CursorResult[Any]", result).rowcount == 1


def mail_sender(settings: Settings) -> MailSender | None:
    """Return the configured way to send mail: Mailjet where it has a key, else SMTP, else None."""
    if settings.mailjet.api_key.get_secret_value():
        from omnicrm_tui.integrations.mailjet import MailjetSender

        return MailjetSender(settings.mailjet)
    if settings.smtp.host:
        from omnicrm_tui.integrations.smtp import SmtpSender

        return SmtpSender(settings.smtp)
    return None


def _too_late(message: OutboxMessage, now: datetime) -> str | None:
    """Return why a message is of no use any more, or None."""
    until = message.payload.get(UNTIL)
    if not until or now <= datetime.fromisoformat(until):
        return None
    return _("What it tells was good until {when}.").format(when=until)


def _send(crm: Crm, message: OutboxMessage) -> str | None:
    """Hand a message over; return why there is no way to, or None. Raises OutsideSystemError."""
    settings = crm.settings
    if message.channel == "sms":
        if not settings.smsc.smsc_url:
            return _("No SMS centre is configured (smsc.smsc_url).")
        from omnicrm_tui.integrations.smsc import SmscClient

        SmscClient(settings.smsc).send(message.recipient, message.payload["text"])
        return None
    sender = mail_sender(settings)
    if sender is None:
        return _("No mail server is configured (mailjet.api_key or smtp.host).")
    text = crm.vault.open(SEALED_TEXT, message.outbox_id, message.sealed_text) or message.payload["text"]
    sender.send(_mail(settings, message, text))
    return None


def _mail(settings: Settings, message: OutboxMessage, text: str) -> Mail:
    from omnicrm_tui.settings import EMAIL_TYPES

    kind = message.payload.get("kind", "")
    configured = settings.mailjet.email_type(kind) if kind in EMAIL_TYPES else None
    return Mail(
        message_id=f"outbox-{message.outbox_id}-{int(message.created.timestamp())}",
        from_email=configured.from_email if configured else settings.smtp.from_email,
        from_name=configured.from_name if configured else settings.crm.company_name,
        to=message.recipient,
        subject=message.subject or (configured.subject if configured else ""),
        text=text,
        html=message.payload.get("html"),
    )
