"""The Overview tab: key facts, counts, and the four figures of billing."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from omnicrm_tui.languages import said
from omnicrm_tui.listing import ListQuery
from screens.customer import CustomerScreen
from screens.desk import permission_label
from screens.tabs.pane import Pane
from widgets.columns import Tone
from widgets.facts import Fact, Facts

if TYPE_CHECKING:
    from omnicrm_tui.billing.schemas import BillingFigures
    from omnicrm_tui.customers.schemas import CustomerView
    from omnicrm_tui.work import Work
    from screens.formats import Formats


class NotAllowedPane(Pane):
    """A tab that the person may not see says which permission it takes."""

    def __init__(self, customer_id: int, title: str, permission: str) -> None:
        super().__init__(customer_id)
        self._text = _("{title} needs the permission {permission} ({words}).").format(
            title=title, permission=permission, words=permission_label(permission)
        )

    def compose(self) -> ComposeResult:
        yield Static(self._text, markup=False)


class OverviewPane(Pane):
    """What one wants to know first when the customer is on the phone."""

    DEFAULT_CSS = """
    OverviewPane VerticalScroll { scrollbar-size-vertical: 1; }
    """

    def __init__(self, customer_id: int) -> None:
        super().__init__(customer_id)
        self._customer: CustomerView | None = None
        self._found: tuple[tuple[str, str] | None, BillingFigures | None] = (None, None)

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Facts([Fact(_("Reading…"))])

    def take_focus(self) -> None:
        """Scrolling is all there is to do."""
        self.query_one(VerticalScroll).focus()

    def on_mount(self) -> None:
        self.refresh_rows()

    def refresh_rows(self) -> None:
        """Read the figures (again); each part that the person may see."""
        self.do(self._read_numbers, group="numbers", exclusive=True)

    def on_customer_screen_loaded(self, message: CustomerScreen.Loaded) -> None:
        """Show the customer."""
        self._customer = message.customer
        self._show()

    async def _read_numbers(self) -> None:
        self._found = await self.desk.read(self._numbers)
        self._show()

    def _show(self) -> None:
        if self._customer is None:
            return
        formats = self.crm_app.formats
        services, figures = self._found
        facts = customer_facts(self._customer, formats)
        if services is not None:
            active, of_all = services
            facts.append(Fact(_("Active services"), _("{active} of {all}").format(active=active, all=of_all)))
        if figures is not None:
            facts += [Fact(_("Billing")), *money_facts(figures, formats)]
        self.query_one(Facts).show([*facts, *note_facts(self._customer.customer_notes)])

    def _numbers(self, work: Work) -> tuple[tuple[str, str] | None, BillingFigures | None]:
        services = None
        if work.actor.may("view_customer_service"):
            active = ListQuery(filters={"service_status": ("Active",)})
            counts = [
                work.customer_services.count(query, customer_id=self.customer_id) for query in (active, ListQuery())
            ]
            services = (str(counts[0].value), str(counts[1].value))
        seen = work.actor.may("view_customer_transaction")
        return services, work.billing.figures(self.customer_id) if seen else None


def customer_facts(customer: CustomerView, formats: Formats) -> list[Fact]:
    """Return a customer's key facts; blank ones are left out."""
    main = customer.contacts[0] if customer.contacts else None
    pairs = [
        (_("Id"), str(customer.customer_id)),
        (_("Type"), f"{said(customer.customer_account_type)}, {said(customer.customer_payment_type)}"),
        (_("Phone"), customer.customer_phone),
        (_("E-mail"), customer.customer_email),
        (_("First contact"), f"{main.contact_firstname} {main.contact_lastname}".strip() if main else ""),
        (_("Contacts, sites"), f"{len(customer.contacts)}, {len(customer.sites)}"),
        (_("Tax identifier"), customer.tax_identifier),
        (_("Currency"), customer.currency),
        (_("Contract"), _span(customer, formats)),
        (_("Customer since"), formats.day(customer.created)),
        (_("Last changed"), formats.moment(customer.last_modified)),
    ]
    facts = [Fact(customer.customer_name), Fact(_("Status"), *_status(customer))]
    facts += [Fact(label, value) for label, value in pairs if value]
    facts += [Fact(label, str(value)) for label, value in (customer.custom_fields or {}).items()]
    return facts


def note_facts(notes: str | None) -> list[Fact]:
    """Return notes under a heading, each line on one of its own; nothing where there are none."""
    return [Fact(_("Notes")), *(Fact(f" {line}") for line in notes.splitlines())] if notes else []


def _status(customer: CustomerView) -> tuple[str, Tone]:
    if not customer.customer_enabled:
        return f"{said(customer.customer_status)}, {_('disabled')}", "warning"
    return said(customer.customer_status), "warning" if customer.customer_status == "Suspended" else ""


def _span(customer: CustomerView, formats: Formats) -> str:
    first, last = formats.day(customer.contract_start_date), formats.day(customer.contract_end_date)
    return f"{first or '…'} – {last or '…'}" if first or last else ""


def money_facts(figures: BillingFigures, formats: Formats) -> list[Fact]:
    """Return the four figures of billing (BIL-356)."""
    return [
        Fact(_("Total"), formats.money(figures.total, figures.currency)),
        Fact(_("Uninvoiced"), formats.money(figures.uninvoiced, figures.currency)),
        Fact(_("This month"), formats.money(figures.this_month, figures.currency)),
        Fact(_("Last month"), formats.money(figures.last_month, figures.currency)),
    ]
