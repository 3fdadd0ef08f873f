"""The outbox: mail and SMS that wait, were sent, given up or dropped; to read, send again or drop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from gettext import gettext as _
from gettext import ngettext
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from omnicrm_tui.languages import said
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging import rules
from screens.base import AtDesk
from screens.desk import ServiceSource, sentence
from screens.formats import Formats
from widgets.columns import Column, Tone
from widgets.entity_table import EntityTable, Filter, Selection

if TYPE_CHECKING:
    from omnicrm_tui.messaging.schemas import DropInput, OutboxRow, OutboxView
    from omnicrm_tui.work import Work

    Chosen = Sequence[OutboxRow]

STATUSES = tuple((status, said(status)) for status in rules.STATUSES)
RESENT, DROPPED = ("failed", "dropped"), ("waiting", "failed")
"""What is sent again, and what is dropped."""

MOST_AT_ONCE = 1000
"""As many messages are changed in one step; more are marked again."""

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

    NEEDS: ClassVar = {"resend": "update_communication", "drop": "update_communication"}

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

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show the message whole."""
        message.stop()
        self.do(lambda: self._show(message.row.outbox_id))

    async def _show(self, outbox_id: int) -> None:
        from screens.dialogs import Reading

        view = await self.desk.read(lambda work: work.messaging.get(outbox_id))
        self.app.push_screen(Reading(view.subject or view.recipient, message_lines(view, self.crm_app.formats)))

    def action_resend(self) -> None:
        """Ask, then send what is marked, or the message under the cursor, again."""
        self._with_chosen(RESENT, _("Only a failed or dropped message is sent again."), self._ask_to_resend)

    def action_drop(self) -> None:
        """Ask for the reason, then drop what is marked, or the message under the cursor."""
        self._with_chosen(DROPPED, _("Only a waiting or failed message is dropped."), self._ask_for_reason)

    def _with_chosen(self, statuses: Sequence[str], none: str, ask: Callable[[Chosen], None]) -> None:
        """Call `ask` with those of the chosen messages that have one of `statuses`; say `none` where there is none."""
        table = self.table
        selection, row = table.selection, table.row
        if not selection and row is None:
            return

        async def choose() -> None:
            rows = await self.desk.read(lambda work: _marked(work, selection)) if selection else [row]
            chosen = [one for one in rows if one is not None and one.status in statuses]
            if chosen:
                ask(chosen)
            else:
                self.tell(none, severity="warning")

        self.do(choose, group="choose", exclusive=True)

    def _ask_to_resend(self, chosen: Chosen) -> None:
        from screens.dialogs import Confirm

        question = ngettext("Send {n} message again?", "Send {n} messages again?", len(chosen))
        detail = _("To {recipients}.\nThis goes out within seconds while somebody leads the outbox.")
        text = detail.format(recipients=_recipients(chosen))
        dialog = Confirm(question.format(n=f"{len(chosen):,}"), text, yes=_("Send"))
        self.app.push_screen(dialog, lambda sure: self._resend([row.outbox_id for row in chosen]) if sure else None)

    def _resend(self, numbers: Sequence[int]) -> None:
        async def resend() -> None:
            await self.desk.change(lambda work: [work.messaging.retry(number) for number in numbers])
            self._changed()

        self.do(resend)

    def _ask_for_reason(self, chosen: Chosen) -> None:
        from omnicrm_tui.messaging.schemas import DropInput
        from screens.dialogs import FormDialog
        from widgets.form import fields_of

        async def drop(data: DropInput) -> Sequence[OutboxView]:
            numbers = [row.outbox_id for row in chosen]
            return await self.desk.change(lambda work: [work.messaging.drop(number, data) for number in numbers])

        hints = {"reason": _("stays with the message, and in the activity log")}
        fields = fields_of(DropInput, hints=hints, labels={"reason": _("Reason")})
        heading = ngettext("Drop {n} message to {recipients}?", "Drop {n} messages to {recipients}?", len(chosen))
        text = heading.format(n=f"{len(chosen):,}", recipients=_recipients(chosen))
        self.app.push_screen(FormDialog(text, DropInput, fields, drop), self._dropped)

    def _dropped(self, views: Sequence[OutboxView] | None) -> None:
        if views:
            self._changed()

    def _changed(self) -> None:
        self.table.clear_selection()
        self.table.reload()


def _marked(work: Work, selection: Selection) -> list[OutboxRow]:
    """Return the marked messages, the newest `MOST_AT_ONCE` at most."""
    query = selection.query
    if not selection.everything:
        query = replace(query, search="", filters={"outbox_id": [str(number) for number in selection.ids]})
    rows = work.messaging.window(query, FIRST, MOST_AT_ONCE).rows
    return [row for row in rows if (row.outbox_id in selection.ids) != selection.everything]


def _recipients(chosen: Chosen) -> str:
    """Return the first one, and how many others there are."""
    first, others = chosen[0].recipient, len({row.recipient for row in chosen}) - 1
    return _("{first} and {n} more").format(first=first, n=f"{others:,}") if others else first


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
