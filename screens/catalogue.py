"""The product catalogue: what can be ordered now, with all that helps to choose, and the way to order it (SVC-162)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from omnicrm_tui.listing import ListQuery
from screens.base import CrmScreen
from screens.desk import sentence
from screens.formats import Formats
from screens.short_list import ShortList
from widgets.columns import Column
from widgets.entity_table import EntityTable
from widgets.row_table import RowTable
from widgets.tab_line import TabLine
from widgets.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omnicrm_tui.catalog.schemas import ProductView
    from omnicrm_tui.customer_services.schemas import ServiceView
    from omnicrm_tui.customers.schemas import CustomerView
    from omnicrm_tui.work import Work

GROUPS: tuple[tuple[Literal["plans", "addons", "promos"], str], ...] = (
    ("plans", _("Service Plans")),
    ("addons", _("Add-ons")),
    ("promos", _("Promos")),
)
ADD_ONS = 1
INDIVIDUAL, BUSINESS = "Individual", "Business"


def columns(formats: Formats) -> tuple[Column[ProductView], ...]:
    """Return what the list tells of each offer."""
    return (
        Column(_("Product"), lambda row: row.product_name, weight=3, min_width=20),
        Column(_("Type"), lambda row: row.service_type, width=10, priority=1),
        Column(_("Price"), lambda row: formats.money(row.retail_cost), width=11, align="right"),
        Column(_("Setup"), lambda row: formats.money(row.retail_setup_cost), width=11, align="right", priority=2),
    )


class CatalogueScreen(CrmScreen):
    """The catalogue, for a customer, or for one who is asked for later (`customer_id` 0).

    With `service_id` it begins with the add-ons that this service of the customer can get (SVC-184).
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    DEFAULT_CSS = """
    CatalogueScreen #for { height: 1; padding: 0 1; background: $surface; color: $foreground; }
    CatalogueScreen #offers { height: 1fr; }
    CatalogueScreen EntityTable { width: 1fr; height: 1fr; }
    CatalogueScreen #detail { width: 1fr; height: 1fr; padding: 0 1; background: $surface; }
    CatalogueScreen.-narrow #offers { layout: vertical; }
    CatalogueScreen.-narrow #detail { border-top: solid $border; }
    CatalogueScreen.-wide #detail { border-left: solid $border; }
    CatalogueScreen #detail:focus { border-title-style: bold; background: $panel; }
    """

    NEEDS: ClassVar = {"assign": "create_provision"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a", "assign", _("Assign to customer"), id="catalogue.assign", tooltip=_("Assign the product to a customer")
        ),
        Binding("c", "turn_type", _("Individual/Business"), id="catalogue.type", tooltip=_("Individual or business")),
        Binding("t", "terms", _("Terms"), id="catalogue.terms", tooltip=_("Show or hide the terms")),
        Binding("right_square_bracket", "next_group(1)", _("Next group"), show=False, key_display="]", id="tabs.next"),
        Binding(
            "left_square_bracket",
            "next_group(-1)",
            _("Previous group"),
            show=False,
            key_display="[",
            id="tabs.previous",
        ),
        *(
            Binding(str(at + 1), f"group({at})", title, show=False, id=f"tabs.{at + 1}")
            for at, (_name, title) in enumerate(GROUPS)
        ),
    ]

    def __init__(self, customer_id: int = 0, service_id: int = 0) -> None:
        super().__init__()
        self.customer_id = customer_id
        self.customer: CustomerView | None = None
        self._service_id = service_id
        self.service: ServiceView | None = None
        self.account_type = "" if customer_id else INDIVIDUAL
        self._group = ADD_ONS if service_id else 0
        self._terms_open = False
        self._shown: ProductView | None = None
        self._tabs = TabLine([title for _name, title in GROUPS])

    def path(self) -> tuple[str, ...]:
        """Under the customer, or by itself."""
        if not self.customer_id:
            return (_("Product Catalogue"),)
        name = self.customer.customer_name if self.customer else f"#{self.customer_id}"
        return (_("Customers"), name, _("Add-ons") if self._service_id else _("Add service"))

    def body(self) -> ComposeResult:
        yield self._tabs
        yield Static("", id="for", markup=False)
        with Horizontal(id="offers"):
            yield EntityTable(
                ShortList[Any](self.desk, self._offers, lambda row: row.product_id, _searched, in_order=True),
                columns(self.crm_app.formats),
                empty_text=_("No products available."),
                sorts=(),
                copied=lambda row: row.product_name,
                describe_error=sentence,
            )
            with VerticalScroll(id="detail"):
                yield Static("", id="product", markup=False)

    def on_mount(self) -> None:
        self._tabs.choose(self._group)
        self.query_one(EntityTable).focus()
        self._show_for()
        if self.customer_id:
            self.do(self._load, group="customer", exclusive=True)

    async def _load(self) -> None:
        self.customer = await self.desk.read(lambda work: work.customers.get(self.customer_id))
        if self._service_id:
            self.service = await self.desk.read(lambda work: work.customer_services.get(self._service_id))
        self.account_type = self.account_type or self.customer.customer_account_type
        self.show_path()
        self._show_for()

    def _offers(self, work: Work) -> Sequence[ProductView]:
        """Return what is offered; called in the table's thread."""
        kind = self.account_type or work.customers.get(self.customer_id).customer_account_type
        group = GROUPS[self._group][0]
        mine = self.customer is None or kind == self.customer.customer_account_type
        adding = self._service_id and self._group == ADD_ONS
        return work.catalog.orderable(
            account_type=kind,
            group=group,
            service_type=work.customer_services.get(self._service_id).service_type if adding else None,
            customer_id=self.customer_id if self.customer_id and mine else None,
        )

    # What is shown

    def _show_for(self) -> None:
        kind = _("Business") if self.account_type == BUSINESS else _("Individual")
        text = _("For {kind} customers").format(kind=kind.lower() if self.account_type else "…")
        if self.customer is not None:
            text = _("For {name} ({kind})").format(name=self.customer.customer_name, kind=kind)
            if self.account_type != self.customer.customer_account_type:
                text = _("Showing what {kind} customers can have; {name} is not one").format(
                    kind=kind.lower(), name=self.customer.customer_name
                )
            elif self.service is not None and self._group == ADD_ONS:
                text = _("For {service} (ID: {id}) of {name}").format(
                    service=self.service.service_name, id=self._service_id, name=self.customer.customer_name
                )
        self.query_one("#for", Static).update(visible(text))

    def on_row_table_status_changed(self, message: RowTable.StatusChanged) -> None:
        """Follow the cursor: show the product under it."""
        message.stop()
        self._show_product(message.table.row)

    def _show_product(self, product: ProductView | None, *, again: bool = False) -> None:
        if product == self._shown and product is not None and not again:
            return
        self._shown = product
        text = offer_text(product, self.crm_app.formats, self._terms_open) if product else Text(_nothing())
        self.query_one("#product", Static).update(text)
        self.query_one("#detail").scroll_home(animate=False)

    # Actions

    def action_turn_type(self) -> None:
        """Show what the other type of customer can have."""
        self.account_type = INDIVIDUAL if self.account_type == BUSINESS else BUSINESS
        self._show_for()
        self._reload()

    def action_group(self, at: int) -> None:
        """Show another group of products."""
        if at != self._group:
            self._group = at
            self._tabs.choose(at)
            self._show_for()
            self._reload()

    def action_next_group(self, by: int) -> None:
        """Show the group beside this one."""
        self.action_group((self._group + by) % len(GROUPS))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.action_group(message.at)

    def _reload(self) -> None:
        table = self.query_one(EntityTable)
        table.show(ListQuery())

    def action_terms(self) -> None:
        """Show or hide the terms of the product."""
        self._terms_open = not self._terms_open
        self._show_product(self._shown, again=True)

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Assign the product."""
        message.stop()
        self.action_assign()

    def action_assign(self) -> None:
        """Go through the order, then watch its job in place of the catalogue."""
        product: ProductView | None = self.query_one(EntityTable).row
        if product is not None and self.desk.may("create_provision"):
            self.do(lambda: self._order(product), group="order", exclusive=True)

    async def _order(self, product: ProductView) -> None:
        from screens.job import JobScreen
        from screens.order import Order

        job = await Order(self, product, self.customer, self.service).run()
        if job is not None and self.is_active:
            self.app.switch_screen(JobScreen(job.provision_id))


def _searched(product: ProductView) -> str:
    return " ".join((product.product_name, product.service_type, *product.features))


def _nothing() -> str:
    return _(
        "No products available.\n\n"
        "· c shows the other type of customer, 1 2 3 the other groups\n"
        "· only products that are enabled and within their dates are offered\n"
        "· add-ons need a service that they fit"
    )


def offer_text(product: ProductView, formats: Formats, terms_open: bool) -> Text:
    """Return what there is to know about an offer (BIL-124, BIL-125, BIL-127)."""
    text, price = Text(), formats.money(product.retail_cost)
    text.append(visible(product.product_name) + "\n", style="bold")
    text.append((_("{price} once") if once(product) else _("{price} a month")).format(price=price))
    text.append(_("   setup {price}").format(price=formats.money(product.retail_setup_cost)) + "\n")
    if product.tax_percentage:
        text.append(_("plus {percent} % tax").format(percent=formats.number(product.tax_percentage)) + "\n")
    for feature in product.features:
        text.append(f"  • {visible(feature)}\n")
    contract = (
        _("Contract: {days} days").format(days=product.contract_days) if product.contract_days else _("No contract")
    )
    text.append(f"{contract} · {renewal_word(product.auto_renew)}\n")
    if product.inventory_items:
        text.append(_("Needs: {items}").format(items=visible(", ".join(product.inventory_items))) + "\n")
    text.append(_("For: {who}").format(who=who_may(product)) + "\n")
    if product.available_until:
        text.append(_("On sale until {day}").format(day=formats.day(product.available_until)) + "\n")
    if product.terms.strip() and terms_open:
        text.append("\n▾ " + _("Terms (t hides them)") + "\n", style="bold")
        text.append("\n".join(visible(line) for line in product.terms.strip().splitlines()))
    elif product.terms.strip():
        text.append("▸ " + _("Terms (t shows them)"), style="bold")
    return text


def once(product: ProductView) -> bool:
    """Tell whether the price is paid once and not month by month (SVC-192)."""
    from omnicrm_tui.catalog.rules import charged_once

    return charged_once(product.category, product.contract_days, product.auto_renew)


def renewal_word(auto_renew: str) -> str:
    """Return what happens at the end of a contract."""
    words = {"true": _("renews by itself"), "prompt": _("renewal is asked for")}
    return words.get(auto_renew, _("does not renew by itself"))


def who_may(product: ProductView) -> str:
    """Return which customers may have a product, and who orders it (CAT-360, CAT-361, CAT-365)."""
    kinds = [_("individual")] if product.residential or not product.business else []
    kinds += [_("business")] if product.business else []
    ordered = _("staff and customers order it") if product.customer_can_purchase else _("staff orders it")
    return f"{' + '.join(kinds)}; {ordered}"
