"""The Billing tab: the four figures, transactions, and invoices (CAT-269, CAT-280..287)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.languages import said
from omnicrm_tui.listing import ListQuery
from screens.desk import ServiceSource, sentence
from screens.tabs.pane import Pane
from screens.transactions import Transactions
from widgets.columns import Column, Tone
from widgets.entity_table import EntityTable, Filter
from widgets.figures import Figures
from widgets.text import fit

if TYPE_CHECKING:
    from omnicrm_tui.billing.schemas import InvoiceRow, InvoiceView
    from screens.formats import Formats


def _tone(row: InvoiceRow) -> Tone:
    return "muted" if row.void else "success" if row.paid else "error" if row.status == "Overdue" else "warning"


def invoice_columns(formats: Formats) -> list[Column[InvoiceRow]]:
    """Return the columns of a list of invoices (BIL-300)."""
    return [
        Column(_("Number"), lambda row: row.invoice_number, width=16, sort="invoice_id"),
        Column(_("Title"), lambda row: row.title, weight=2, min_width=14, sort="title", priority=1),
        Column(_("From"), lambda row: formats.day(row.start_date), width=10, priority=2),
        Column(_("To"), lambda row: formats.day(row.end_date), width=10, priority=2),
        Column(_("Due"), lambda row: formats.day(row.due_date), width=10),
        Column(
            _("Total"),
            lambda row: formats.money(row.retail_cost, row.currency),
            width=13,
            align="right",
            sort="retail_cost",
        ),
        Column(_("Status"), lambda row: said(row.status), width=10, tone=_tone),
    ]


class BillingPane(Pane):
    """Transactions or invoices under the figures; tab goes from one list to the other."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "show_invoices", _("Invoices"), id="billing.invoices", tooltip=_("Show the invoices")),
        Binding(
            "tab", "show_transactions", _("Transactions"), id="billing.transactions", tooltip=_("Show transactions")
        ),
    ]

    def compose(self) -> ComposeResult:
        yield Figures()
        yield Transactions(self.customer_id)
        if self.desk.may("view_customer_invoice"):
            yield self._invoices()

    def _invoices(self) -> EntityTable[Any]:
        table = EntityTable[Any](
            ServiceSource[Any](
                self.desk,
                lambda work: work.billing,
                window="invoice_window",
                count="invoice_count",
                customer_id=self.customer_id,
            ),
            invoice_columns(self.crm_app.formats),
            id="invoices",
            empty_text=_("No invoices yet."),
            sorts=("invoice_id", "created", "title", "retail_cost"),
            query=ListQuery(sort="invoice_id", descending=True),
            filters=(
                Filter("paid", _("Paid"), [("false", _("not yet paid")), ("true", _("paid"))]),
                Filter("void", _("Void"), [("false", _("not void")), ("true", _("void"))]),
            ),
            copied=lambda row: row.invoice_number,
            describe_error=sentence,
        )
        table.display = False
        return table

    def on_mount(self) -> None:
        self._read_figures()

    @property
    def _shows_invoices(self) -> bool:
        return any(table.display for table in self.query("#invoices"))

    def take_focus(self) -> None:
        """Give the keyboard to the list that is shown."""
        if self._shows_invoices:
            self.query_one("#invoices", EntityTable).focus()
        else:
            self.query_one(Transactions).table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab leads to the list that is not shown."""
        if action == "show_invoices":
            return bool(self.query("#invoices")) and not self._shows_invoices
        if action == "show_transactions":
            return self._shows_invoices
        return super().check_action(action, parameters)

    def action_show_invoices(self) -> None:
        """Show the invoices and their figures."""
        self._show_list(invoices=True)

    def action_show_transactions(self) -> None:
        """Show the transactions and their figures."""
        self._show_list(invoices=False)

    def _show_list(self, *, invoices: bool) -> None:
        self.query_one("#invoices").display = invoices
        self.query_one(Transactions).display = not invoices
        self._read_figures()
        self.take_focus()

    def refresh_rows(self) -> None:
        """Read lists and figures again."""
        super().refresh_rows()
        self._read_figures()

    def on_transactions_changed(self) -> None:
        """What was added or voided changes the figures."""
        self._read_figures()

    def _read_figures(self) -> None:
        self.do(self._invoice_figures if self._shows_invoices else self._figures, group="figures", exclusive=True)

    async def _figures(self) -> None:
        found = await self.desk.read(lambda work: work.billing.figures(self.customer_id))
        money = self.crm_app.formats.money
        amounts = (found.total, found.uninvoiced, found.this_month, found.last_month)
        labels = (_("Total"), _("Uninvoiced"), _("This month"), _("Last month"))
        shown = [money(amount, found.currency) for amount in amounts]
        self.query_one(Figures).show(_("Transactions"), list(zip(labels, shown, strict=True)))

    async def _invoice_figures(self) -> None:
        found = await self.desk.read(lambda work: work.billing.invoice_figures(self.customer_id))
        money = self.crm_app.formats.money
        tallies = (found.total, found.unpaid, found.this_month, found.last_month)
        labels = (_("Total"), _("Unpaid"), _("This month"), _("Last month"))
        shown = [f"{money(tally.amount, found.currency)} ({tally.count})" for tally in tallies]
        self.query_one(Figures).show(_("Invoices"), list(zip(labels, shown, strict=True)))

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show an invoice with its lines (CAT-296)."""
        message.stop()
        self.do(lambda: self._show_invoice(message.row.invoice_id))

    async def _show_invoice(self, invoice_id: int) -> None:
        from screens.dialogs import Reading

        view = await self.desk.read(lambda work: work.billing.invoice(invoice_id))
        self.app.push_screen(Reading(view.invoice_number, invoice_lines(view, self.crm_app.formats)))


def invoice_lines(view: InvoiceView, formats: Formats) -> list[str]:
    """Return an invoice as lines: what it is, its transactions, its sums."""
    pairs = [
        (_("Title"), view.title),
        (_("Status"), view.status),
        (_("Period"), f"{formats.day(view.start_date)} – {formats.day(view.end_date)}"),
        (_("Due"), formats.day(view.due_date)),
        (_("Paid"), formats.moment(view.paid_date)),
        (_("Payment"), " ".join(part for part in (view.payment_method, view.payment_reference) if part)),
    ]
    lines = [f"{label:<12} {value}" for label, value in pairs if value]
    lines.append("")
    for row in view.transactions:
        amount = formats.money(row.retail_cost, row.currency)
        lines.append(f"{formats.day(row.transaction_date)}  {fit(row.title, 42)} {fit(amount, 14, 'right')}")
    sums = ((_("Subtotal"), view.subtotal), (_("Tax"), view.tax_amount), (_("Total"), view.retail_cost))
    lines.append("")
    lines += [
        f"{'':<12}{fit(label, 42)} {fit(formats.money(sum_, view.currency), 14, 'right')}" for label, sum_ in sums
    ]
    return lines
