"""The outbox: mail and SMS that wait, were sent, given up or dropped; to read, send again or drop."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from omnicrm_tui.listing import ListQuery
from screens.base import AtDesk
from screens.desk import ServiceSource, sentence
from screens.formats import Formats
from widgets.columns import Column, Tone
from widgets.entity_table import EntityTable, Filter

if TYPE_CHECKING:
    from omnicrm_tui.messaging.schemas import DropInput, OutboxRow, OutboxView

STATUSES = (("waiting", _("waiting")), ("sent", _("sent")), ("failed", _("failed")), ("dropped", _("dropped")))
CHANNELS = (("email", _("mail")), ("sms", _("SMS")))
_WORDS = dict((*STATUSES, *CHANNELS))
_TONES: dict[str, Tone] = {"sent": "success", "failed": "error", "dropped": "muted", "waiting": "warning"}


def columns(formats: Formats) -> tuple[Column[OutboxRow], ...]:
    """Return the columns of the outbox."""
    return (
        Column(_("Id"), lambda row: str(row.outbox_id), width=6, align="right"),
        Column(_("Status"), lambda row: _WORDS[row.status], width=9, tone=lambda row: _TONES[row.status]),
        Column(_("How"), lambda row: _WORDS[row.channel], width=5),
        Column(_("To"), lambda row: row.recipient, weight=2, min_width=16),
        Column(_("Subject"), lambda row: row.subject, weight=3, min_width=16, priority=1),
        Column(_("Tries"), lambda row: str(row.attempts), width=5, align="right", priority=3),
        Column(_("Written"), lambda row: formats.moment(row.created), width=16, priority=2),
    )


class Outbox(AtDesk, Vertical):
    """The table, with `R` to send a message again and `d` to drop it."""

    DEFAULT_CSS = "Outbox { height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "resend", _("Send again"), id="outbox.resend", tooltip=_("Send the failed message again")),
        Binding("d", "drop", _("Drop"), id="outbox.drop", tooltip=_("Do not send the message, with a reason")),
    ]

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.messaging),
            columns(self.crm_app.formats),
            id="outbox",
            empty_text=_("Nothing was ever sent from here."),
            sorts=("outbox_id",),
            query=ListQuery(sort="outbox_id", descending=True),
            filters=(Filter("status", _("Status"), STATUSES), Filter("channel", _("How"), CHANNELS)),
            describe_error=sentence,
        )

    @property
    def table(self) -> EntityTable[OutboxRow]:
        """The table."""
        return self.query_one(EntityTable)

    def take_focus(self) -> None:
        """Give the keyboard to the table, and read what is new."""
        self.table.focus()
        if not self.table.status.loading:
            self.table.reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer changes to those who may."""
        if action in ("resend", "drop"):
            return self.desk.may("update_communication")
        return super().check_action(action, parameters)

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show the message whole."""
        message.stop()
        self.do(lambda: self._show(message.row.outbox_id))

    async def _show(self, outbox_id: int) -> None:
        from screens.dialogs import Reading

        view = await self.desk.read(lambda work: work.messaging.get(outbox_id))
        self.app.push_screen(Reading(view.subject or view.recipient, message_lines(view, self.crm_app.formats)))

    def action_resend(self) -> None:
        """Ask, then send the message under the cursor again."""
        row = self.table.row
        if row is None:
            return
        if row.status not in ("failed", "dropped"):
            self.tell(_("Only a failed or dropped message is sent again."), severity="warning")
            return
        from screens.dialogs import Confirm

        question = _("Send message {id} again?").format(id=row.outbox_id)
        detail = _("To {recipient}.\nIt goes out within seconds while somebody leads the outbox.")
        dialog = Confirm(question, detail.format(recipient=row.recipient), yes=_("Send it"))
        self.app.push_screen(dialog, lambda sure: self._resend(row.outbox_id) if sure else None)

    def _resend(self, outbox_id: int) -> None:
        async def resend() -> None:
            await self.desk.change(lambda work: work.messaging.retry(outbox_id))
            self.table.reload()

        self.do(resend)

    def action_drop(self) -> None:
        """Ask for the reason, then drop the message under the cursor."""
        row = self.table.row
        if row is None:
            return
        if row.status not in ("waiting", "failed"):
            self.tell(_("Only a waiting or failed message is dropped."), severity="warning")
            return
        from omnicrm_tui.messaging.schemas import DropInput
        from screens.dialogs import FormDialog
        from widgets.form import fields_of

        async def drop(data: DropInput) -> OutboxView:
            return await self.desk.change(lambda work: work.messaging.drop(row.outbox_id, data))

        hints = {"reason": _("stays with the message, and in the activity log")}
        fields = fields_of(DropInput, hints=hints, labels={"reason": _("Reason")})
        heading = _("Drop message {id} to {recipient}?").format(id=row.outbox_id, recipient=row.recipient)
        self.app.push_screen(FormDialog(heading, DropInput, fields, drop), self._dropped)

    def _dropped(self, view: OutboxView | None) -> None:
        if view is not None:
            self.table.reload()


def message_lines(view: OutboxView, formats: Formats) -> list[str]:
    """Return a message as lines: what became of it, then its text."""
    pairs = [
        (_("To"), view.recipient),
        (_("Status"), _WORDS[view.status]),
        (_("Why"), view.last_error or ""),
        (_("Tries"), str(view.attempts)),
        (_("Next try"), formats.moment(view.next_attempt) if view.status == "waiting" else ""),
        (_("Written"), formats.moment(view.created)),
        (_("Delivered"), formats.moment(view.delivered)),
        (_("Kind"), view.kind),
        (_("Customer"), str(view.customer_id or "")),
    ]
    return [*(f"{label:<12} {value}" for label, value in pairs if value), "", *view.text.splitlines()]
