"""The steps between a product and its job: customer, service, details, items, renewal, review (SVC-160).

Each step asks with a dialog; esc in it goes one step back. A step that has nothing to ask is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from omnicrm_tui.errors import Conflict, InvalidInput
from omnicrm_tui.languages import said
from omnicrm_tui.listing import FIRST, ListQuery
from screens.base import AtDesk, Dialog
from screens.choose import Choose, ChooseCustomer
from screens.picker import Labels, Picker, called
from screens.review import Ordered, Review
from widgets.action_line import Action, ActionLine

if TYPE_CHECKING:
    from omnicrm_tui.catalog.schemas import ProductView
    from omnicrm_tui.customer_services.schemas import ServiceRow, ServiceView
    from omnicrm_tui.customers.schemas import CustomerView
    from omnicrm_tui.inventory.schemas import ItemRow
    from omnicrm_tui.provisioning.schemas import JobView, OrderDetails
    from omnicrm_tui.work import Work

MOST_SERVICES = 50
"""Services offered for an add-on; nobody has more that fit."""


class Step(Enum):
    """Where to go after a step."""

    ON = 1
    BACK = -1
    PASS = 0
    END = 2


class AskRenewal(Dialog[bool]):
    """Whether the service renews by itself (SVC-172); left is None."""

    DEFAULT_CSS = """
    AskRenewal #box { width: 66; }
    AskRenewal #explained { height: auto; margin: 0 0 1 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", _("Yes"), id="renewal.yes"),
        Binding("n", "answer(False)", _("No"), id="renewal.no"),
    ]

    heading = _("Would you like to enable auto-renewal for this service?")
    keys = _("y yes   n no   esc back")

    def __init__(self, contract_days: int) -> None:
        super().__init__()
        self._days = contract_days

    def body(self) -> ComposeResult:
        often = _("every {days} days").format(days=self._days) if self._days else _("at the end of each billing period")
        text = _(
            "Yes: it renews {often} and charges the default payment method.\nNo: it ends with its contract period."
        )
        yield Static(text.format(often=often), id="explained", markup=False)
        yield ActionLine([Action("no", _("No")), Action("yes", _("Yes"))], chosen="yes")

    def on_mount(self) -> None:
        self.query_one(ActionLine).focus()

    def on_action_line_chosen(self, message: ActionLine.Chosen) -> None:
        message.stop()
        self.finish(message.name == "yes")

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.finish(yes)


class Order:
    """One order in the making: `screen` is where it is asked, `customer` None when that has to be asked too.

    An add-on goes to `service`, where one is given that it fits.
    """

    def __init__(
        self, screen: AtDesk, product: ProductView, customer: CustomerView | None, service: ServiceView | None = None
    ) -> None:
        self._screen = screen
        self._desk = screen.desk
        self._product = product
        self._given = customer
        self._customer = customer
        self._chosen_before = service
        self._service: ServiceRow | ServiceView | None = None
        self._picked: dict[str, ItemRow] = {}
        self._labels: Labels = {}
        self._details: OrderDetails | None = None
        self._auto_renew = product.auto_renew == "true"
        self._problem = ""
        self._job: JobView | None = None

    async def run(self) -> JobView | None:
        """Go through the steps; return the job that was started, None when the person left. Raises CrmError."""
        steps = (
            self._ask_customer,
            self._ask_service,
            self._ask_details,
            self._ask_items,
            self._ask_renewal,
            self._review,
        )
        at, direction = 0, 1
        while 0 <= at < len(steps):
            answer = await steps[at]()
            if answer is Step.END:
                break
            direction = answer.value or direction
            at += direction
        return self._job

    # The steps

    async def _ask_customer(self) -> Step:
        """Which customer, and whether the product is for that one at all."""
        step = Step.PASS
        if self._given is None:
            number = await self._ask(ChooseCustomer(self._product.product_name))
            if number is None:
                return Step.BACK
            self._customer = await self._desk.read(lambda work: work.customers.get(number))
            self._details = None
            step = Step.ON
        problem = await self._desk.read(self._order_problem)
        if problem:
            self._screen.tell(problem, severity="warning")
            return Step.BACK if self._given is not None else await self._ask_customer()
        return step

    def _order_problem(self, work: Work) -> str:
        from omnicrm_tui.catalog.rules import order_problem
        from omnicrm_tui.customers.rules import sale_problem

        customer, product = self._who, self._product
        if problem := sale_problem(customer, work.settings.crm.statuses_for_sale):
            return problem
        if not work.catalog.fits(product, customer.customer_id):
            return _("{name} has no service that {product} fits.").format(
                name=customer.customer_name, product=product.product_name
            )
        return order_problem(product, customer.customer_account_type, work.clock.now(), by_customer=False) or ""

    async def _ask_service(self) -> Step:
        """Which service gets an add-on, where several fit (SVC-179)."""
        from omnicrm_tui.customer_services.rules import addon_problem

        if self._product.category != "addon":
            return Step.PASS
        given = self._chosen_before
        if given is not None and addon_problem(given, self._product.service_type) is None:
            self._service = given
            return Step.PASS
        fitting = await self._desk.read(self._fitting)
        if len(fitting) == 1:
            self._service = fitting[0]
            return Step.PASS
        answers = [f"{row.service_name} (ID: {row.service_id})  {said(row.service_status)}" for row in fitting]
        at = await self._ask(Choose(_("Which service should receive this add-on?"), answers))
        if at is None:
            return Step.BACK
        self._service = fitting[at]
        return Step.ON

    def _fitting(self, work: Work) -> Sequence[ServiceRow]:
        from omnicrm_tui.customer_services.rules import ENDED

        query = ListQuery(filters={"service_type": (self._product.service_type,)}, sort="service_id")
        found = work.customer_services.window(query, FIRST, MOST_SERVICES, customer_id=self._who.customer_id)
        return [row for row in found.rows if row.service_status not in ENDED]

    async def _ask_details(self) -> Step:
        """Where it is installed, who is in charge, and the buyer's own numbers (SVC-181, SVC-183)."""
        from screens.order_details import asks, order_form

        if not asks(self._product, self._who):
            return Step.PASS
        details = await self._ask(order_form(self._who, self._details))
        if details is None:
            return Step.BACK
        self._details = details
        return Step.ON

    async def _ask_items(self) -> Step:
        """Which items, one of each type that the product needs (BIL-101, BIL-111)."""
        kinds = self._product.inventory_items
        if not kinds:
            return Step.PASS
        if not self._labels:
            self._labels = await self._desk.read(_labels)
        picked = await self._ask(Picker(kinds, self._labels, self._picked, self._problem))
        self._problem = ""
        if picked is None:
            return Step.BACK
        self._picked = picked
        return Step.ON

    async def _ask_renewal(self) -> Step:
        if self._product.auto_renew != "prompt":
            return Step.PASS
        answer = await self._ask(AskRenewal(self._product.contract_days))
        if answer is None:
            return Step.BACK
        self._auto_renew = answer
        return Step.ON

    async def _review(self) -> Step:
        """Show the order; once confirmed, start the job. An item that is gone by then is chosen anew."""
        ordered = await self._desk.read(self._ordered)
        verdict = await self._ask(Review(ordered, self._screen.crm_app.formats))
        if verdict != "confirm":
            return Step.END if verdict == "cancel" else Step.BACK
        try:
            self._job = await self._desk.change(self._start)
        except (Conflict, InvalidInput) as error:
            self._choose_again(error)
            return await self._ask_again()
        return Step.END

    async def _ask_again(self) -> Step:
        if not self._product.inventory_items:
            self._screen.tell(self._problem, severity="error")
            return Step.END
        if await self._ask_items() is Step.ON:
            return await self._review()
        return Step.END

    def _choose_again(self, error: Conflict | InvalidInput) -> None:
        """Keep what can still be had; the message names the item that cannot."""
        fields = error.fields if isinstance(error, InvalidInput) else {}
        self._problem = "; ".join([error.message, *(f"{name}: {why}" for name, why in fields.items())])
        self._picked = {
            kind: row
            for kind, row in self._picked.items()
            if kind not in fields and not error.message.startswith(f"{row.item} {row.itemtext1} ")
        }

    # What the steps stand on

    @property
    def _who(self) -> CustomerView:
        if self._customer is None:
            raise RuntimeError("the customer is asked for before this step")
        return self._customer

    async def _ask(self, dialog: Dialog[Any]) -> Any:
        return await self._screen.crm_app.push_screen_wait(dialog)

    def _ordered(self, work: Work) -> Ordered:
        from omnicrm_tui.catalog.quote import quote
        from screens.order_details import told

        customer, product = self._who, self._product
        currency = work.customers.currency_of(customer.customer_id)
        return Ordered(
            product,
            customer,
            quote(product, currency, work.clock.now(), work.settings.crm.timezone),
            [called(row, self._labels) for row in self._picked.values()],
            f"{self._service.service_name} (ID: {self._service.service_id})" if self._service else "",
            self._auto_renew,
            told(self._details, customer, self._screen.crm_app.formats),
        )

    def _start(self, work: Work) -> JobView:
        """Start the job. The review was confirmed, so the terms are accepted (BIL-127)."""
        from omnicrm_tui.provisioning.schemas import ProvisionRequest

        product = self._product
        variables: dict[str, Any] = {"auto_renew": self._auto_renew} if product.auto_renew == "prompt" else {}
        if self._details is not None:
            variables |= self._details.model_dump(mode="json", exclude_none=True)
        return work.provisioning.start(
            ProvisionRequest(
                product_id=product.product_id,
                customer_id=self._who.customer_id,
                service_id=self._service.service_id if self._service else None,
                inventory={kind: row.inventory_id for kind, row in self._picked.items()},
                variables=variables,
                terms_accepted=True,
            )
        )


def _labels(work: Work) -> dict[str, tuple[str, str]]:
    """Return what each type calls its first two texts; nothing for who may not see the types."""
    if not work.actor.may("view_inventory_template"):
        return {}
    return {kind.item: (kind.labels[0] or "", kind.labels[1] or "") for kind in work.inventory.templates()}
