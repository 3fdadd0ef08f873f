"""The customers room: the list, searchable and filterable, and a short dialog for a new one (CAT-230..234)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.languages import said
from screens.base import CrmScreen
from screens.desk import ServiceSource, sentence
from screens.early import FIRST_QUERY, EarlySource
from widgets.columns import Tone
from widgets.entity_table import Column, EntityTable, Filter

if TYPE_CHECKING:
    from omnicrm_tui.customers.schemas import CustomerInput, CustomerRow, CustomerView


def status_tone(row: CustomerRow) -> Tone:
    """Return the tone of a customer's status."""
    tones: dict[str, Tone] = {"Suspended": "warning", "Closed": "muted", "Archived": "muted", "Inactive": "muted"}
    return tones.get(row.customer_status, "")


_TYPE_WIDTH = max(10, *(cell_len(said(kind)) for kind in ("Individual", "Business")))

COLUMNS: tuple[Column[CustomerRow], ...] = (
    Column(_("Id"), lambda row: str(row.customer_id), width=7, align="right", sort="customer_id"),
    Column(_("Name"), lambda row: row.customer_name, weight=3, min_width=22, sort="customer_name"),
    Column(_("Type"), lambda row: said(row.customer_account_type), width=_TYPE_WIDTH, priority=2),
    Column(_("Status"), lambda row: said(row.customer_status), width=10, tone=status_tone),
    Column(_("Phone"), lambda row: row.customer_phone or "", width=16, priority=1),
    Column(_("E-mail"), lambda row: row.customer_email or "", weight=2, min_width=20, priority=3),
)


LABELS = {
    "customer_account_type": _("Type"),
    "customer_payment_type": _("Payment"),
    "customer_email": _("E-mail"),
    "contact_firstname": _("First name"),
    "contact_lastname": _("Last name"),
    "contact_email": _("E-mail"),
}
"""Labels of fields whose names say it otherwise."""


class CustomersScreen(CrmScreen):
    """All customers."""

    TITLE = _("Customers")

    NEEDS: ClassVar = {"new": "create_customer"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New"), id="customers.new", tooltip=_("New customer")),
    ]

    def body(self) -> ComposeResult:
        statuses = [(status, said(status)) for status in self.crm_app.settings.crm.customer_statuses]
        yield EntityTable(
            EarlySource(ServiceSource[Any](self.desk, lambda work: work.customers), self.crm_app.early),
            COLUMNS,
            id="customers",
            empty_text=_("No customers yet. Press n to make the first one."),
            sorts=("customer_name", "customer_id", "created"),
            query=FIRST_QUERY,
            filters=(
                Filter("customer_status", _("Status"), statuses),
                Filter("customer_account_type", _("Type"), [(kind, said(kind)) for kind in ("Individual", "Business")]),
                Filter("customer_payment_type", _("Payment"), [(kind, said(kind)) for kind in ("prepaid", "postpaid")]),
            ),
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.query_one(EntityTable).focus()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the customer's page."""
        message.stop()
        self.crm_app.open_customer(message.row.customer_id)

    def action_new(self) -> None:
        """Ask for the few things that a new customer needs, then open its page."""
        from omnicrm_tui.customers.schemas import CustomerInput
        from screens.dialogs import FormDialog
        from widgets.form import fields_of

        names = ("customer_name", "customer_account_type", "customer_phone", "customer_email")
        fields = fields_of(CustomerInput, names, prefix="customer_", labels=LABELS)
        dialog = FormDialog(_("New customer"), CustomerInput, fields, self._create, about="new customer", again="new")
        self.app.push_screen(dialog, self._created)

    async def _create(self, data: CustomerInput) -> CustomerView:
        return await self.desk.change(lambda work: work.customers.create(data))

    def _created(self, made: CustomerView | None) -> None:
        if made is not None:
            self.query_one(EntityTable).reload()
            self.crm_app.open_customer(made.customer_id)
