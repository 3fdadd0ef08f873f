"""A service's page: what it is, its balances in the charging system, and the items it uses."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from omnicrm_tui.errors import CrmError
from omnicrm_tui.languages import said
from screens.base import AtDesk, CrmScreen
from screens.desk import sentence
from screens.tabs.overview import note_facts
from widgets.columns import Tone
from widgets.facts import Fact, Facts

if TYPE_CHECKING:
    from omnicrm_tui.charging.schemas import AccountView, BalanceView
    from omnicrm_tui.customer_services.schemas import ServiceChange, ServiceRow, ServiceView
    from omnicrm_tui.inventory.schemas import ItemRow
    from omnicrm_tui.work import Work
    from screens.formats import Formats


class ServiceScreen(CrmScreen):
    """One service, by id. The three parts are read side by side: a charging system that is down hides no other."""

    DEFAULT_CSS = """
    ServiceScreen VerticalScroll { scrollbar-size-vertical: 1; }
    ServiceScreen Facts { margin: 0 0 1 0; }
    """

    NEEDS: ClassVar = {"edit": "update_customer_service", "addons": "create_provision"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "addons", _("Add-ons"), id="service.addons", tooltip=_("What can be added to the service")),
        Binding("e", "edit", _("Edit"), id="service.edit", tooltip=_("Edit the service")),
        Binding("r", "refresh_all", _("Refresh"), id="service.refresh", tooltip=_("Read service and balances again")),
        Binding("o", "customer", _("Customer"), id="service.customer", tooltip=_("Open the customer's page")),
    ]

    def __init__(self, service_id: int) -> None:
        super().__init__()
        self.service_id = service_id
        self.service: ServiceView | None = None

    def path(self) -> tuple[str, ...]:
        """The customer, then the service."""
        if self.service is None:
            return (_("Services"), str(self.service_id))
        owner = self.service.customer_name or f"{_('Customer')} {self.service.customer_id}"
        return (owner, f"{self.service.service_name} #{self.service_id}")

    def body(self) -> ComposeResult:
        with VerticalScroll():
            yield Facts([Fact(_("Reading…"))], id="service")
            yield Facts(id="balances")
            yield Facts(id="items")
            yield Facts(id="more")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.action_refresh_all()

    def action_refresh_all(self) -> None:
        """Read all parts again."""
        self.do(self._read_service, group="service", exclusive=True, on_error=self._not_found)
        self.do(self._read_balances, group="balances", exclusive=True, on_error=self._no_balances)
        if self.desk.may("view_inventory"):
            self.do(self._read_items, group="items", exclusive=True)

    async def _read_service(self) -> None:
        service = self.service = await self.desk.read(lambda work: work.customer_services.get(self.service_id))
        self.show_path()
        self.query_one("#service", Facts).show(service_facts(service, self.crm_app.formats))
        more = [*more_facts(service, self.crm_app.formats), *note_facts(service.service_notes)]
        self.query_one("#more", Facts).show(more)

    async def _read_balances(self) -> None:
        account, over = await self.desk.read(self._account)
        self.query_one("#balances", Facts).show(balance_facts(account, over=over))

    def _account(self, work: Work) -> tuple[AccountView, bool]:
        from omnicrm_tui.customer_services.rules import ENDED

        status = work.customer_services.get(self.service_id).service_status
        return work.charging.account(self.service_id), status in ENDED

    async def _read_items(self) -> None:
        items = await self.desk.read(lambda work: work.inventory.items_of_service(self.service_id))
        self.query_one("#items", Facts).show(item_facts(items))

    def _not_found(self, error: CrmError) -> None:
        self.tell(sentence(error), severity="error")
        if self.is_active:
            self.action_back()

    def _no_balances(self, error: CrmError) -> None:
        """The charging system does not answer: say so where the balances would be."""
        again = _("{why} Press r to try again.").format(why=sentence(error))
        self.query_one("#balances", Facts).show([Fact(_("Balances")), Fact(f" {again}")])

    # Actions

    def action_customer(self) -> None:
        """Open the customer's page, or go back to it."""
        if self.service is not None:
            self.crm_app.open_customer(self.service.customer_id)

    def action_addons(self) -> None:
        """Show the add-ons for this service (SVC-184), or say why it can get none."""
        if self.service is not None:
            show_addons(self, self.service)

    def action_edit(self) -> None:
        """Edit the fields that may change (CAT-073)."""
        service = self.service
        if service is None:
            return
        from omnicrm_tui.customer_services.rules import SERVICE_STATUSES
        from omnicrm_tui.customer_services.schemas import ServiceChange
        from screens.dialogs import FormDialog
        from screens.views import type_choices, values_of
        from widgets.form import fields_of

        names = [name for name in ServiceChange.model_fields if name not in ("version", "icon")]
        choices = {
            "service_status": [(status, said(status)) for status in SERVICE_STATUSES],
            "service_type": type_choices(self.crm_app.settings.service_types, service.service_type),
        }
        labels = {
            "service_visible_to_customer": _("Visible to customer"),
            "service_usage_visible_to_customer": _("Usage visible"),
            "service_deactivate_date": _("Deactivate on"),
            "service_active_date": _("Active from"),
        }
        fields = fields_of(
            ServiceChange, names, prefix="service_", labels=labels, choices=choices, lines=("service_notes",)
        )
        dialog = FormDialog(
            _("Edit service"),
            ServiceChange,
            fields,
            self._save,
            values=values_of(service, names),
            only_changed=True,
            extra={"version": service.version},
            about=f"edit service {self.service_id}",
            again="edit",
        )
        self.app.push_screen(dialog, lambda saved: self.action_refresh_all() if saved else None)

    async def _save(self, change: ServiceChange) -> ServiceView:
        return await self.desk.change(lambda work: work.customer_services.update(self.service_id, change))


def show_addons(screen: AtDesk, service: ServiceRow | ServiceView) -> None:
    """Open the catalogue at the add-ons for a service (SVC-184); say why where nothing can be added to it."""
    from omnicrm_tui.customer_services.rules import addon_problem

    if problem := addon_problem(service, service.service_type):
        screen.tell(problem, severity="warning")
    else:
        screen.crm_app.open_catalogue(service.customer_id, service.service_id)


def service_facts(service: ServiceView, formats: Formats) -> list[Fact]:
    """Return what one is asked about a service; blank fields are left out."""
    status = ", ".join(said(word) for word in (service.service_status, service.end_notice) if word)
    pairs = [
        (_("Product"), service.product_name),
        (_("Type"), service.service_type),
        (_("Price"), formats.money(service.retail_cost)),
        (_("Started"), formats.moment(service.start_date)),
        (_("Ends"), formats.moment(service.end_date)),
        (_("Renews itself"), _yes(service.auto_renew)),
    ]
    facts = [Fact(label, value) for label, value in pairs if value]
    return [Fact(service.service_name), Fact(_("Status"), status, _status_tone(service)), *facts]


def more_facts(service: ServiceView, formats: Formats) -> list[Fact]:
    """Return the rest of a service's fields."""
    pairs = [
        (_("UUID"), service.service_uuid),
        (_("Wholesale"), formats.money(service.wholesale_cost)),
        (_("Contract ends"), formats.day(service.contract_end_date)),
        (_("Billed, taxable"), f"{_yes(service.service_billed)}, {_yes(service.service_taxable)}"),
        (_("Seen by customer"), _yes(service.service_visible_to_customer)),
        (_("Promo code"), service.promo_code),
        (_("Site"), str(service.site_id or "")),
        (_("Play"), service.provisioning_play),
        (_("Last changed"), formats.moment(service.last_modified)),
    ]
    return [Fact(_("More")), *(Fact(label, value) for label, value in pairs if value)]


def _yes(value: bool) -> str:
    return _("yes") if value else _("no")


def _status_tone(service: ServiceView) -> Tone:
    if service.end_notice:
        return "warning"
    return "success" if service.service_status == "Active" else "warning"


def balance_facts(account: AccountView, *, over: bool = False) -> list[Fact]:
    """Return the balances and what will be renewed.

    Where there is no live account though the service is not `over`, also where to look (SVC-189).
    """
    facts = [Fact(_("Balances"))]
    why = {
        "missing": _("The charging system has no account for this service."),
        "hidden": _("The usage of this service is not shown."),
        "disabled": _("The account is disabled."),
    }.get(account.state)
    if why:
        facts.append(Fact(f" {why}"))
    elif not account.balances:
        facts.append(Fact(f" {_('The account has no balances.')}"))
    if account.state in ("missing", "disabled") and not over:
        facts += [Fact(f" {line}") for line in _where_to_look()]
    facts += [Fact(balance.name, _balance_text(balance), _balance_tone(balance)) for balance in account.balances]
    if account.action_plans:
        facts.append(Fact(_("Renewals")))
        facts += [Fact(plan.plan_name, f"{plan.frequency}, {plan.next_exec_text}") for plan in account.action_plans]
    return facts


def _where_to_look() -> Sequence[str]:
    return (
        _("Provisioned but not working? Look here:"),
        _("· the charging account: is it there, enabled, and under the UUID below?"),
        _("· the HLR or HSS: is the subscriber there, enabled, with this number?"),
        _("· RADIUS and DPI: do they know the session, and let it through?"),
        _("· the job: were tasks skipped, or did some fail and were ignored?"),
    )


def _balance_text(balance: BalanceView) -> str:
    left = (
        "" if balance.remaining_percent is None else f" {_bar(balance.remaining_percent)} {balance.remaining_percent}%"
    )
    expiry = f"   {balance.expiry_text}" if balance.expiry_text else ""
    return f"{balance.text}{left}{expiry}"


def _bar(percent: int) -> str:
    full = round(percent / 10)
    return f"[{'■' * full}{'·' * (10 - full)}]"


def _balance_tone(balance: BalanceView) -> Tone:
    if balance.expired:
        return "error"
    low = balance.remaining_percent is not None and balance.remaining_percent < 20
    return "warning" if low else ""


def item_facts(items: Sequence[ItemRow]) -> list[Fact]:
    """Return the items that the service uses."""
    if not items:
        return [Fact(_("Items")), Fact(f" {_('None are linked to it.')}")]
    shown = [
        Fact(
            f"{item.item} #{item.inventory_id}",
            "  ".join(filter(None, (item.itemtext1, item.itemtext2, said(item.item_state)))),
        )
        for item in items
    ]
    return [Fact(_("Items")), *shown]
