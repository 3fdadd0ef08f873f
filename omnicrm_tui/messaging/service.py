"""Messaging: what a committed change tells people, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from gettext import gettext as _
from typing import Any

from sqlalchemy import func, select

from omnicrm_tui.activity.service import REDACTED
from omnicrm_tui.database.lists import ListSpec, contains, numbered
from omnicrm_tui.database.views import view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.identity.permissions import VIEW_STATUS
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.messaging.leases import milliseconds
from omnicrm_tui.messaging.models import SEALED_TEXT, SECRET, UNTIL, Lease, OutboxMessage, is_due
from omnicrm_tui.messaging.rules import OUTBOX, is_email, one_line, phone_number
from omnicrm_tui.messaging.schemas import (
    MOST_SUBJECT,
    Backlog,
    CustomerMail,
    DropInput,
    Leadership,
    OutboxFigures,
    OutboxRow,
    OutboxView,
)
from omnicrm_tui.needs import Asked, asks_itself, asks_nothing, needs
from omnicrm_tui.work import Service

_ENTITIES = (
    OutboxMessage.outbox_id,
    OutboxMessage.created,
    OutboxMessage.channel,
    OutboxMessage.recipient,
    OutboxMessage.subject,
    OutboxMessage.customer_id,
    OutboxMessage.status,
    OutboxMessage.attempts,
    OutboxMessage.next_attempt,
    OutboxMessage.delivered,
    OutboxMessage.last_error,
)

OUTBOX_LIST: ListSpec[OutboxRow] = ListSpec(
    entities=_ENTITIES,
    build=lambda row: OutboxRow(*row[: len(_ENTITIES)]),
    primary_key=OutboxMessage.outbox_id,
    sorts={"outbox_id": OutboxMessage.outbox_id},
    search=lambda words: contains(OutboxMessage.recipient, words) | contains(OutboxMessage.subject, words),
    filters={
        "status": OutboxMessage.status.in_,
        "channel": OutboxMessage.channel.in_,
        "outbox_id": numbered(OutboxMessage.outbox_id),
    },
)


class MessagingService(Service):
    """Puts messages into the outbox, in the transaction of what they tell of; a courier delivers them afterwards.

    A message shows no secret: keys and passwords of the way it goes are added when it is sent, and what only its
    reader may see is sealed.
    """

    @asks_nothing(Asked.ROOMS)
    def enqueue_email(
        self,
        to: str,
        subject: str,
        text: str,
        html: str | None = None,
        *,
        customer_id: int | None = None,
        to_customer: bool = False,
        kind: str = "",
        secret: str = "",
        until: datetime | None = None,
    ) -> int:
        """Put a mail into the outbox and return its number; a rolled-back change sends nothing.

        One that goes `to_customer` may be read by that customer's users; one that is about it alone is for staff. What
        is `secret` in the plain text reaches the recipient alone: who looks at the outbox sees it hidden, and it is
        forgotten with the last attempt. What is good `until` then is not sent later. `kind` may be an e-mail type of
        the configuration (PLT-456..465), which then says who it is from. Raises InvalidInput for what is no mail
        address.
        """
        recipient = to.strip()
        if not is_email(recipient):
            raise InvalidInput(_("Some fields are not right."), {"to": _("is not an e-mail address")})
        shown = text.replace(secret, REDACTED) if secret else text
        payload: dict[str, Any] = {"text": shown, "html": html, "kind": kind}
        if secret:
            payload[SECRET] = True
        if until is not None:
            payload[UNTIL] = until.isoformat()
        line = one_line(subject)[:MOST_SUBJECT]
        number = self._add("email", recipient, line, payload, customer_id, to_customer=to_customer)
        if secret:
            self._message(number).sealed_text = self.work.vault.seal(SEALED_TEXT, number, text)
        return number

    @asks_itself("create_communication", unless="it is a job for this customer")
    def write_to_customer(self, customer_id: int, mail: CustomerMail) -> list[str]:
        """Put a mail into the outbox for each contact that has an address, and return the addresses.

        Needs create_communication; a job may write to the customer it works for (CAT-486). Raises NotFound.
        """
        if not self._is_job_for(customer_id):
            self.actor.require("create_communication")
        if not self.work.customers.names_of({customer_id}):
            raise NotFound(_("There is no customer {customer_id}.").format(customer_id=customer_id))
        addresses = [text for text in self.work.customers.addresses_of(customer_id) if is_email(text)]
        for address in addresses:
            texts = (mail.subject, mail.text, mail.html)
            self.enqueue_email(address, *texts, customer_id=customer_id, to_customer=True, kind=mail.kind)
        return addresses

    @asks_nothing(Asked.ROOMS)
    def enqueue_sms(self, to: str, text: str, *, customer_id: int | None = None) -> int:
        """Put a short message into the outbox and return its number. Raises InvalidInput for what is no number."""
        number = phone_number(to)
        if number is None:
            raise InvalidInput(_("Some fields are not right."), {"to": _("is not a phone number")})
        return self._add("sms", number, "", {"text": text, "html": None, "kind": ""}, customer_id)

    @needs("view_communication")
    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[OutboxRow]:
        """Return a window of the outbox. Needs view_communication."""
        window = OUTBOX_LIST.window(self.session, query, anchor, limit)
        return replace(window, rows=self._shown(window.rows))

    @needs("view_communication")
    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching messages, up to `cap`. Needs view_communication."""
        return OUTBOX_LIST.count(self.session, query, cap)

    @needs("view_communication")
    def page(self, query: ListQuery, page: int, per_page: int) -> Page[OutboxRow]:
        """Return a numbered page of the outbox. Needs view_communication."""
        found = OUTBOX_LIST.page(self.session, query, page, per_page)
        return replace(found, rows=self._shown(found.rows))

    @needs("view_communication")
    def get(self, outbox_id: int) -> OutboxView:
        """Return a message with its text. Needs view_communication; raises NotFound.

        A customer's user sees what was written to its customer, and not what went wrong on the way.
        """
        return self._view(self._message(outbox_id))

    @needs("update_communication")
    def retry(self, outbox_id: int) -> OutboxView:
        """Let a failed or dropped message be tried again from the start. Needs update_communication.

        Raises NotFound, and Conflict when it was sent or still waits, or when what it held for its reader alone is
        forgotten.
        """
        message = self._message(outbox_id)
        if message.status not in ("failed", "dropped"):
            raise Conflict(
                _("This message is {status}: only a failed or dropped one is tried again.").format(
                    status=message.status
                )
            )
        if message.payload.get(SECRET) and message.sealed_text is None:
            raise Conflict(_("The code in this message is forgotten: its reader asks for a new one."))
        message.status, message.attempts, message.next_attempt = "waiting", 0, self.work.clock.now()
        self.work.activity.record("message", outbox_id, "Message tried again", customer_id=message.customer_id)
        self.session.flush()
        return self._view(message)

    @needs("update_communication")
    def drop(self, outbox_id: int, data: DropInput) -> OutboxView:
        """Send a message that waits or was given up no more, and keep why. Needs update_communication.

        Raises NotFound, and Conflict when it was sent or dropped already.
        """
        message = self.session.get(OutboxMessage, outbox_id, with_for_update=True) or self._message(outbox_id)
        if message.status not in ("waiting", "failed"):
            raise Conflict(
                _("This message is {status}: only a waiting or failed one is dropped.").format(status=message.status)
            )
        old = {"status": message.status}
        message.status, message.last_error, message.sealed_text = "dropped", data.reason, None
        new = {"status": "dropped", "reason": data.reason}
        customer_id = message.customer_id
        self.work.activity.record("message", outbox_id, "Message dropped", customer_id=customer_id, old=old, new=new)
        self.session.flush()
        return self._view(message)

    @asks_nothing(Asked.PRODUCT)
    def check_mail(self) -> str:
        """Greet the configured way to send mail and say what answers; "" where none is configured.

        Sends nothing. Raises OutsideSystemError when it cannot be reached or refuses us.
        """
        from omnicrm_tui.messaging.delivery import mail_sender

        sender = mail_sender(self.work.settings)
        return "" if sender is None else sender.check()

    @asks_nothing(Asked.PRODUCT)
    def backlog(self) -> Backlog:
        """Return what is due and whether anybody leads the outbox, for `doctor` and the dashboard."""
        now = self.work.clock.now()
        due = (OutboxMessage.status == "waiting", is_due(now))
        found = select(func.count(OutboxMessage.outbox_id), func.min(OutboxMessage.next_attempt)).where(*due)
        number, oldest = self.session.execute(found).one()
        until = self.session.scalar(select(Lease.until_ms).where(Lease.name == OUTBOX))
        return Backlog(number, oldest, until is not None and until > milliseconds(now))

    @needs(VIEW_STATUS)
    def figures(self) -> OutboxFigures:
        """Return what waits, failed and was dropped, and how old it is. Needs view_status."""
        statuses = ("waiting", "failed", "dropped")
        found = select(OutboxMessage.status, func.count(OutboxMessage.outbox_id)).where(
            OutboxMessage.status.in_(statuses)
        )
        counts = {row[0]: row[1] for row in self.session.execute(found.group_by(OutboxMessage.status))}
        oldest = select(func.min(OutboxMessage.created)).where(OutboxMessage.status == "waiting")
        backlog = self.backlog()
        return OutboxFigures(
            *(counts.get("waiting", 0), backlog.due, counts.get("failed", 0), counts.get("dropped", 0)),
            oldest=self.session.scalar(oldest),
            overdue_since=backlog.oldest,
        )

    @needs(VIEW_STATUS)
    def leaders(self) -> list[Leadership]:
        """Return each duty that was ever led, and by whom. Needs view_status."""
        now = milliseconds(self.work.clock.now())
        rows = self.session.scalars(select(Lease).order_by(Lease.name))
        return [Leadership(lease.name, lease.owner, lease.until_ms > now) for lease in rows]

    def _is_job_for(self, customer_id: int) -> bool:
        job = self.actor.provision_id
        if self.actor.kind is not ActorKind.JOB or job is None:
            return False
        return self.work.provisioning.customer_of(job) == customer_id

    def _shown(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Return rows as the actor may see them: what went wrong on the way is between us and our mail server."""
        return [replace(row, last_error=None) for row in rows] if self.actor.is_outside else rows

    def _add(
        self,
        channel: str,
        recipient: str,
        subject: str,
        payload: dict[str, Any],
        customer_id: int | None,
        *,
        to_customer: bool = False,
    ) -> int:
        now = self.work.clock.now()
        message = OutboxMessage(
            created=now,
            channel=channel,
            recipient=recipient,
            subject=subject,
            payload=payload,
            customer_id=customer_id,
            to_customer=to_customer,
            status="waiting",
            attempts=0,
            next_attempt=now,
        )
        self.session.add(message)
        self.session.flush()
        return message.outbox_id

    def _message(self, outbox_id: int) -> OutboxMessage:
        message = self.session.get(OutboxMessage, outbox_id)
        if message is None:
            raise NotFound(_("There is no message {outbox_id}.").format(outbox_id=outbox_id))
        return message

    def _view(self, message: OutboxMessage) -> OutboxView:
        texts = {name: message.payload.get(name) for name in ("text", "html")}
        hidden = {"last_error": None} if self.actor.is_outside else {}
        return view_of(message, OutboxView, kind=message.payload.get("kind", ""), **texts, **hidden)
