"""A customer's page: seven tabs, each loaded when it is first shown (CAT-235, CAT-240)."""

from __future__ import annotations

from collections.abc import Callable
from gettext import gettext as _
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from omnicrm_tui.errors import CrmError
from omnicrm_tui.languages import said
from screens.base import CrmScreen
from screens.desk import sentence
from screens.tabs.pane import Pane
from widgets.tab_line import TabLine

if TYPE_CHECKING:
    from omnicrm_tui.customers.schemas import CustomerChange, CustomerView
    from widgets.entity_table import EntityTable

TABS = (
    (_("Overview"), "screens.tabs.overview:OverviewPane", ""),
    (_("Contacts"), "screens.tabs.contacts:ContactsPane", "view_customer_contact"),
    (_("Sites"), "screens.tabs.sites:SitesPane", "view_customer_site"),
    (_("Services"), "screens.tabs.services:ServicesPane", "view_customer_service"),
    (_("Billing"), "screens.tabs.billing:BillingPane", "view_customer_transaction"),
    (_("Inventory"), "screens.tabs.items:ItemsPane", "view_inventory"),
    (_("Activity"), "screens.tabs.activity:ActivityPane", "view_customer_activity"),
)
BILLING = 4


class CustomerScreen(CrmScreen):
    """One customer, by id. The tabs keep their numbers for everybody; one without permission says so."""

    DEFAULT_CSS = """
    CustomerScreen #panes { height: 1fr; }
    """

    NEEDS: ClassVar = {"add_service": "create_provision", "edit": "update_customer"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add_service", _("Add service"), id="customer.add-service", tooltip=_("Add a service")),
        Binding("e", "edit", _("Edit"), id="customer.edit", tooltip=_("Edit the customer")),
        Binding("b", "tab(4)", _("Billing"), show=False, id="customer.billing", tooltip=_("Billing tab")),
        Binding("right_square_bracket", "next_tab(1)", _("Next tab"), key_display="]", id="tabs.next"),
        Binding(
            "left_square_bracket", "next_tab(-1)", _("Previous tab"), show=False, key_display="[", id="tabs.previous"
        ),
        *(
            Binding(
                str(at + 1),
                f"tab({at})",
                title,
                show=False,
                id=f"tabs.{at + 1}",
                tooltip=_("{title} tab").format(title=title),
            )
            for at, (title, _path, _permission) in enumerate(TABS)
        ),
    ]

    class Loaded(Message):
        """The customer was read, or read again."""

        def __init__(self, customer: CustomerView) -> None:
            super().__init__()
            self.customer = customer

    def __init__(self, customer_id: int, tab: int = 0) -> None:
        super().__init__()
        self.customer_id = customer_id
        self.customer: CustomerView | None = None
        self._panes: dict[int, Pane] = {}
        self._first = tab
        self._tabs = TabLine([title for title, _path, _permission in TABS])
        self._body = Vertical(id="panes")

    def path(self) -> tuple[str, ...]:
        """Customers, then the name."""
        name = self.customer.customer_name if self.customer else str(self.customer_id)
        return (_("Customers"), f"{name} #{self.customer_id}" if self.customer else name)

    def list_name(self, table: EntityTable[Any]) -> str:
        """`customer 4711 contacts`; a file's name does not tell who it is."""
        return f"customer {self.customer_id} {table.id}"

    def body(self) -> ComposeResult:
        yield self._tabs
        yield self._body

    def on_mount(self) -> None:
        self.load()
        self.action_tab(self._first)

    def load(self) -> None:
        """Read the customer (again)."""
        self.do(self._load, group="customer", exclusive=True, on_error=self._not_found)

    async def _load(self) -> None:
        self.customer = await self.desk.read(lambda work: work.customers.get(self.customer_id))
        self.show_path()
        for pane in self._panes.values():
            pane.post_message(self.Loaded(self.customer))

    def _not_found(self, error: CrmError) -> None:
        self.tell(sentence(error), severity="error")
        if self.is_active:
            self.action_back()

    # Tabs

    def action_tab(self, at: int) -> None:
        """Show a tab; it is made when it is first shown."""
        self._tabs.choose(at)
        for number, pane in self._panes.items():
            pane.display = number == at
        if at not in self._panes:
            pane = self._panes[at] = self._make(at)
            self._body.mount(pane)
            if self.customer is not None:
                pane.post_message(self.Loaded(self.customer))
        else:
            self._panes[at].take_focus()

    def _make(self, at: int) -> Pane:
        title, path, permission = TABS[at]
        if permission and not self.desk.may(permission):
            from screens.tabs.overview import NotAllowedPane

            return NotAllowedPane(self.customer_id, title, permission)
        module, name = path.split(":")
        make: Callable[[int], Pane] = getattr(import_module(module), name)
        return make(self.customer_id)

    def action_next_tab(self, by: int) -> None:
        """Go to the tab beside this one, around the ends."""
        self.action_tab((self._tabs.at + by) % len(TABS))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.at)

    # Actions

    def action_add_service(self) -> None:
        """Begin to add a service: the catalogue for this customer (CAT-239), or why nothing can be ordered."""
        from omnicrm_tui.customers.rules import sale_problem

        statuses = self.crm_app.settings.crm.statuses_for_sale
        if self.customer is not None and (problem := sale_problem(self.customer, statuses)):
            self.tell(problem, severity="warning")
            return
        self.crm_app.open_catalogue(self.customer_id)

    def action_edit(self) -> None:
        """Edit the customer's own fields; a change that somebody else made meanwhile is not overwritten."""
        customer = self.customer
        if customer is None:
            return
        from omnicrm_tui.customers.schemas import CustomerChange
        from screens.customers import LABELS
        from screens.dialogs import FormDialog
        from screens.views import values_of
        from widgets.form import fields_of

        names = [name for name in CustomerChange.model_fields if name not in ("version", "custom_fields")]
        statuses = [(status, said(status)) for status in self.crm_app.settings.crm.customer_statuses]
        fields = fields_of(
            CustomerChange,
            names,
            prefix="customer_",
            labels=LABELS,
            choices={
                "customer_status": statuses,
                "customer_account_type": [(kind, said(kind)) for kind in ("Individual", "Business")],
                "customer_payment_type": [(kind, said(kind)) for kind in ("prepaid", "postpaid")],
                "customer_enabled": [("true", _("yes")), ("false", _("no"))],
            },
            lines=("customer_notes",),
        )
        values, extra = values_of(customer, names), {"version": customer.version}
        dialog = FormDialog(
            _("Edit customer"),
            CustomerChange,
            fields,
            self._save,
            values=values,
            only_changed=True,
            extra=extra,
            about=f"edit customer {customer.customer_id}",
            again="edit",
        )
        self.app.push_screen(dialog, self._saved)

    async def _save(self, change: CustomerChange) -> CustomerView:
        return await self.desk.change(lambda work: work.customers.update(self.customer_id, change))

    def _saved(self, saved: CustomerView | None) -> None:
        if saved is not None:
            self.load()

    def on_screen_resume(self) -> None:
        """Coming back from adding a service or from a job: what was shown may have changed."""
        if self.customer is not None:
            self.load()
            self._panes[self._tabs.at].refresh_rows()
