"""The list of transactions with its actions: on a customer's Billing tab, and for all customers (BIL-356..368)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from omnicrm_tui.listing import FIRST, ListQuery
from screens.base import AtDesk
from screens.desk import ServiceSource, sentence
from widgets.columns import Column, Tone
from widgets.entity_table import EntityTable, Filter

if TYPE_CHECKING:
    from omnicrm_tui.billing.schemas import TransactionInput, TransactionRow, TransactionView
    from omnicrm_tui.work import Work
    from screens.formats import Formats
    from widgets.form import Field

NONE = ("", "–")
MOST_CHOICES = 50
"""More services than this are not gone through one by one: their id is typed."""

BY_ID = {"service_id": _("Service id"), "site_id": _("Site id")}


def invoiced_text(row: TransactionRow) -> str:
    """Return the invoice's number, or what keeps it from one (CAT-285)."""
    if row.void:
        return _("void")
    return _("invoice {id}").format(id=row.invoice_id) if row.invoice_id else _("uninvoiced")


def _tone(row: TransactionRow) -> Tone:
    return "muted" if row.void else "" if row.invoice_id else "accent"


def columns(formats: Formats, *, customer: bool) -> list[Column[TransactionRow]]:
    """Return the columns of BIL-357; `customer` tells whether the list holds several customers' rows."""
    found: list[Column[TransactionRow]] = [
        Column(_("Id"), lambda row: str(row.transaction_id), width=7, align="right", sort="transaction_id"),
        Column(_("Date"), lambda row: formats.day(row.transaction_date), width=10, sort="transaction_date"),
        Column(_("Title"), lambda row: row.title, weight=2, min_width=16, sort="title"),
        Column(_("Description"), lambda row: row.description, weight=2, min_width=16, priority=2),
        Column(
            _("Amount"),
            lambda row: formats.money(row.retail_cost, row.currency),
            width=13,
            align="right",
            sort="retail_cost",
        ),
        Column(_("Tax"), lambda row: tax_text(row, formats), width=16, align="right", priority=1),
        Column(_("Invoice"), invoiced_text, width=13, tone=_tone),
    ]
    if customer:
        found.insert(2, Column(_("Customer"), lambda row: str(row.customer_id), width=8, align="right"))
    return found


def tax_text(row: TransactionRow, formats: Formats) -> str:
    """Return `$5.00 (10%)`, or `-` where there is none (BIL-369, BIL-371)."""
    if not row.tax_percentage:
        return "-"
    return f"{formats.money(row.tax_amount, row.currency)} ({formats.number(row.tax_percentage)}%)"


def filters() -> list[Filter]:
    """Return the filters of BIL-360; without `void` the list hides void ones (BIL-361)."""
    return [
        Filter("invoiced", _("Invoice"), [("true", _("invoiced")), ("false", _("not invoiced"))]),
        Filter("void", _("Void"), [("false", _("not void")), ("true", _("void"))]),
        Filter("transaction_type", _("Type"), [("Debit", _("charge")), ("Credit", _("credit"))]),
    ]


class Transactions(AtDesk, Vertical):
    """The table with `n` to add and `d` to void. `customer_id` None is all customers'."""

    DEFAULT_CSS = "Transactions { height: 1fr; }"

    NEEDS: ClassVar = {"add": "create_customer_transaction", "void": "delete_customer_transaction"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", _("Add"), id="transactions.add", tooltip=_("Add a charge or a credit")),
        Binding("d", "void", _("Void"), id="transactions.void", tooltip=_("Void the transaction")),
    ]

    class Changed(Message):
        """A transaction was added or voided: figures have to be read again."""

    def __init__(self, customer_id: int | None = None) -> None:
        super().__init__()
        self.customer_id = customer_id

    def compose(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.billing, customer_id=self.customer_id),
            columns(self.crm_app.formats, customer=self.customer_id is None),
            id="transactions",
            empty_text=_("No transactions yet. Press n to add a charge or a credit."),
            sorts=("transaction_date", "transaction_id", "title", "retail_cost"),
            query=ListQuery(sort="transaction_date", descending=True),
            filters=filters(),
            describe_error=sentence,
        )

    @property
    def table(self) -> EntityTable[TransactionRow]:
        """The table."""
        return self.query_one(EntityTable)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Adding needs a customer."""
        if action == "add" and self.customer_id is None:
            return False
        return super().check_action(action, parameters)

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Show the transaction whole (BIL-363)."""
        message.stop()
        self.do(lambda: self._show(message.row.transaction_id))

    async def _show(self, transaction_id: int) -> None:
        from screens.dialogs import Reading

        view = await self.desk.read(lambda work: work.billing.get(transaction_id))
        self.app.push_screen(Reading(view.title, _whole(view, self.crm_app.formats)))

    # Adding

    def action_add(self) -> None:
        """Ask for a charge or a credit (CAT-282), for one of the customer's services or sites where it has any."""
        self.do(self._ask, group="add", exclusive=True)

    async def _ask(self) -> None:
        from omnicrm_tui.billing.schemas import TransactionInput
        from screens.dialogs import FormDialog

        choices = await self.desk.read(self._choices)
        choices |= {
            "transaction_type": [("Debit", _("Charge")), ("Credit", _("Credit"))],
            "credit_type": [NONE, *((kind, kind) for kind in self.crm_app.settings.crm.credit_types)],
        }
        dialog = FormDialog(
            _("Add transaction"),
            TransactionInput,
            _fields(choices),
            self._add,
            values={"wholesale_cost": ""},
            extra={"customer_id": self.customer_id},
            about=f"new transaction of {self.customer_id}",
        )
        self.app.push_screen(dialog, self._after)

    def _choices(self, work: Work) -> dict[str, list[tuple[str, str]]]:
        """Return the customer's services and sites by name; without a list the id is asked for."""
        found: dict[str, list[tuple[str, str]]] = {}
        if self.customer_id is None:
            return found
        if work.actor.may("view_customer_service"):
            query = ListQuery(sort="service_id", descending=True)
            window = work.customer_services.window(query, FIRST, MOST_CHOICES, customer_id=self.customer_id)
            if not window.more_after:
                named = [(str(row.service_id), f"{row.service_name} #{row.service_id}") for row in window.rows]
                found["service_id"] = [NONE, *named]
        if work.actor.may("view_customer_site"):
            sites = work.customers.sites(self.customer_id)
            found["site_id"] = [NONE, *((str(site.site_id), site.site_name) for site in sites)]
        return found

    async def _add(self, data: TransactionInput) -> TransactionView:
        return await self.desk.change(lambda work: work.billing.add(data))

    # Voiding

    def action_void(self) -> None:
        """Ask, then void what is marked, or the row under the cursor (BIL-368)."""
        row = self.table.row
        if row is None:
            return
        if row.invoice_id:
            self.tell(_("It is on invoice {id}: issue a credit instead.").format(id=row.invoice_id), severity="warning")
            return
        from screens.dialogs import Confirm

        formats = self.crm_app.formats
        amount = formats.money(row.retail_cost, row.currency)
        detail = _(
            "{title}, {amount}.\nThe uninvoiced total changes by {less}. It stays findable with the filter Void."
        )
        text = detail.format(title=row.title, amount=amount, less=formats.money(-row.retail_cost, row.currency))
        question = _("Void transaction {id}?").format(id=row.transaction_id)
        void: Callable[[bool | None], None] = lambda sure: self._void(row.transaction_id) if sure else None  # noqa: E731
        self.app.push_screen(Confirm(question, text, yes=_("Void it")), void)

    def _void(self, transaction_id: int) -> None:
        async def void() -> None:
            self._after(await self.desk.change(lambda work: work.billing.void(transaction_id)))

        self.do(void)

    def _after(self, made: TransactionView | None) -> None:
        if made is not None:
            self.table.reload()
            self.post_message(self.Changed())


def _fields(choices: Mapping[str, Sequence[tuple[str, str]]]) -> list[Field]:
    from omnicrm_tui.billing.schemas import TransactionInput
    from widgets.form import fields_of

    names = ("transaction_type", "credit_type", "title", "description", "retail_cost", "wholesale_cost")
    labels = {"transaction_type": _("Type")}
    labels |= {name: label for name, label in BY_ID.items() if name not in choices}
    return fields_of(
        TransactionInput,
        (*names, "tax_percentage", "service_id", "site_id", "transaction_date"),
        labels={"service_id": _("Service"), "site_id": _("Site"), **labels},
        hints={
            "credit_type": _("for a credit alone"),
            "retail_cost": _("positive, for a credit too"),
            "tax_percentage": _("blank: the product's, none on credits"),
        },
        choices=choices,
    )


def _whole(view: TransactionView, formats: Formats) -> list[str]:
    kind = f"{view.transaction_type}, {view.credit_type}" if view.credit_type else view.transaction_type
    pairs = [
        (_("Transaction"), str(view.transaction_id)),
        (_("Type"), kind),
        (_("Date"), formats.moment(view.transaction_date)),
        (_("Amount"), formats.money(view.retail_cost, view.currency)),
        (_("Tax"), f"{formats.money(view.tax_amount, view.currency)} ({formats.number(view.tax_percentage)}%)"),
        (_("Wholesale"), formats.money(view.wholesale_cost, view.currency)),
        (_("Customer"), str(view.customer_id)),
        (_("Service"), str(view.service_id or "–")),
        (_("Site"), str(view.site_id or "–")),
        (_("Job"), str(view.provision_id or "–")),
        (_("Invoice"), str(view.invoice_id or _("uninvoiced"))),
        (_("Void"), _("yes") if view.void else _("no")),
        (_("Made"), formats.moment(view.created)),
    ]
    lines = [f"{label:<12} {value}" for label, value in pairs if value]
    return [*lines, "", *view.description.splitlines()] if view.description else lines
