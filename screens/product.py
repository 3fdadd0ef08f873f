"""One product in five tabs: Basic, Pricing, Configuration, Provisioning, Availability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from gettext import gettext as _
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from omnicrm_tui.errors import CrmError
from screens.base import CrmScreen
from screens.catalogue import renewal_word, who_may
from screens.desk import sentence
from screens.formats import Formats
from widgets.facts import Fact, Facts
from widgets.tab_line import TabLine
from widgets.text import visible

if TYPE_CHECKING:
    from omnicrm_tui.catalog.schemas import Earnings, ProductChange, ProductView


class ProductScreen(CrmScreen):
    """One product, by number."""

    DEFAULT_CSS = """
    ProductScreen #page { height: 1fr; padding: 1 0 0 0; background: $surface; }
    ProductScreen #texts { height: auto; padding: 1 2 0 2; }
    """

    NEEDS: ClassVar = {"edit": "update_product", "clone": "create_product"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", _("Edit"), id="product.edit", tooltip=_("Edit the product")),
        Binding("C", "clone", _("Copy product"), id="product.clone", tooltip=_("Make a copy of the product")),
        Binding("right_square_bracket", "next_tab(1)", _("Next tab"), key_display="]", id="tabs.next"),
        Binding(
            "left_square_bracket", "next_tab(-1)", _("Previous tab"), show=False, key_display="[", id="tabs.previous"
        ),
        *(Binding(str(at + 1), f"tab({at})", _("This tab"), show=False, id=f"tabs.{at + 1}") for at in range(5)),
    ]

    def __init__(self, product_id: int) -> None:
        super().__init__()
        self.product_id = product_id
        self.product: ProductView | None = None
        self._tabs = TabLine([title for title, _facts, _texts in TABS])

    def path(self) -> tuple[str, ...]:
        """Products, then the name."""
        name = f"{self.product.product_name} #{self.product_id}" if self.product else f"#{self.product_id}"
        return (_("Products"), name)

    def body(self) -> ComposeResult:
        yield self._tabs
        with VerticalScroll(id="page"):
            yield Facts([Fact(_("Reading…"))])
            yield Static("", id="texts", markup=False)

    def on_mount(self) -> None:
        self.query_one("#page").focus()
        self.load()

    def load(self) -> None:
        """Read the product (again)."""
        self.do(self._load, group="product", exclusive=True, on_error=self._not_found)

    async def _load(self) -> None:
        self.product = await self.desk.read(lambda work: work.catalog.get(self.product_id))
        self.show_path()
        self._show()

    def _not_found(self, error: CrmError) -> None:
        self.tell(sentence(error), severity="error")
        if self.is_active:
            self.action_back()

    def _show(self) -> None:
        if self.product is None:
            return
        _title, facts, texts = TABS[self._tabs.at]
        self.query_one(Facts).show(facts(self.product, self.crm_app.formats))
        self.query_one("#texts", Static).update(_sections(texts(self.product)))
        self.query_one("#page").scroll_home(animate=False)

    # Actions

    def action_tab(self, at: int) -> None:
        """Show a tab."""
        self._tabs.choose(at)
        self._show()

    def action_next_tab(self, by: int) -> None:
        """Show the tab beside this one, around the ends."""
        self.action_tab((self._tabs.at + by) % len(TABS))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.at)

    def action_edit(self) -> None:
        """Change the product; services that were ordered before stay as they are."""
        product = self.product
        if product is None:
            return
        from omnicrm_tui.catalog.schemas import ProductChange
        from screens.dialogs import FormDialog
        from screens.products import product_fields
        from screens.views import type_choices, values_of

        types = type_choices(self.crm_app.settings.service_types, product.service_type)
        fields = product_fields(ProductChange, types)
        dialog = FormDialog(
            _("Edit product"),
            ProductChange,
            fields,
            self._save,
            values=values_of(product, [field.name for field in fields]),
            only_changed=True,
            extra={"version": product.version},
            about=f"edit product {product.product_id}",
            again="edit",
        )
        self.app.push_screen(dialog, self._saved)

    async def _save(self, change: ProductChange) -> ProductView:
        return await self.desk.change(lambda work: work.catalog.update(self.product_id, change))

    def _saved(self, saved: ProductView | None) -> None:
        if saved is not None:
            self.load()

    def action_clone(self) -> None:
        """Make a copy under its own name, and show that one."""

        async def clone() -> None:
            made = await self.desk.change(lambda work: work.catalog.clone(self.product_id))
            if self.is_active:
                self.app.switch_screen(ProductScreen(made.product_id))

        self.do(clone, group="clone", exclusive=True)


def _basic(product: ProductView, formats: Formats) -> list[Fact]:
    return _known(
        (_("Name"), product.product_name),
        (_("Slug"), product.product_slug),
        (_("Category"), product.category),
        (_("Service type"), product.service_type),
        (_("Enabled"), _yes(product.enabled)),
        (_("Created"), formats.moment(product.created)),
        (_("Last changed"), formats.moment(product.last_modified)),
    )


def _pricing(product: ProductView, formats: Formats) -> list[Fact]:
    return _known(
        (_("Monthly Cost"), formats.money(product.retail_cost)),
        (_("Setup Fee"), formats.money(product.retail_setup_cost)),
        (_("Tax"), f"{formats.number(product.tax_percentage)} %"),
        (_("We pay monthly"), formats.money(product.wholesale_cost)),
        (_("We pay at setup"), formats.money(product.wholesale_setup_cost)),
        (_("Monthly profit"), _earned(product.earnings, formats)),
        (_("Setup profit"), _earned(product.setup_earnings, formats)),
    )


def _configuration(product: ProductView, _formats: Formats) -> list[Fact]:
    contract = _("{days} days").format(days=product.contract_days) if product.contract_days else _("none")
    return _known(
        (_("Contract"), contract),
        (_("Auto-Renew"), renewal_word(product.auto_renew)),
        (_("Renewal choice"), _("the customer may change it") if product.allow_auto_renew else _("set by us")),
    )


def _provisioning(product: ProductView, _formats: Formats) -> list[Fact]:
    items = product.inventory_items
    return [
        Fact(_("Play"), product.provisioning_play or _("none")),
        *(Fact(_("Inventory types") if at == 0 else "", item) for at, item in enumerate(items or (_("none"),))),
        *(
            Fact(_("Relies on") if at == 0 else "", name)
            for at, name in enumerate(product.relies_on or (_("nothing"),))
        ),
    ]


def _availability(product: ProductView, formats: Formats) -> list[Fact]:
    return _known(
        (_("For"), who_may(product)),
        (_("On sale from"), formats.moment(product.available_from) or _("always")),
        (_("On sale until"), formats.moment(product.available_until) or _("open end")),
        (_("Enabled"), _yes(product.enabled)),
        (_("Self-service"), _yes(product.customer_can_purchase)),
    )


def _basic_texts(product: ProductView) -> list[tuple[str, str]]:
    return [(_("Warnings"), "\n".join(f"! {text}" for text in product.warnings)), (_("Comment"), product.comment)]


def _configuration_texts(product: ProductView) -> list[tuple[str, str]]:
    features = "\n".join(f"• {feature}" for feature in product.features)
    return [(_("Features"), features), (_("Terms"), product.terms)]


def _provisioning_texts(product: ProductView) -> list[tuple[str, str]]:
    return [(_("Play's variables"), product.provisioning_json_vars)]


def _no_texts(_product: ProductView) -> list[tuple[str, str]]:
    return []


TABS: tuple[
    tuple[str, Callable[[ProductView, Formats], list[Fact]], Callable[[ProductView], list[tuple[str, str]]]], ...
] = (
    (_("Basic"), _basic, _basic_texts),
    (_("Pricing"), _pricing, _no_texts),
    (_("Configuration"), _configuration, _configuration_texts),
    (_("Provisioning"), _provisioning, _provisioning_texts),
    (_("Availability"), _availability, _no_texts),
)


def _known(*pairs: tuple[str, str]) -> list[Fact]:
    return [Fact(label, value) for label, value in pairs if value]


def _yes(value: bool) -> str:
    return _("yes") if value else _("no")


def _earned(earnings: Earnings | None, formats: Formats) -> str:
    if earnings is None:
        return ""
    parts = [formats.money(earnings.profit)]
    if earnings.markup is not None:
        parts.append(_("markup {percent} %").format(percent=formats.number(earnings.markup)))
    if earnings.margin is not None:
        parts.append(_("margin {percent} %").format(percent=formats.number(earnings.margin)))
    return ", ".join(parts)


def _sections(texts: Sequence[tuple[str, str]]) -> Text:
    text = Text()
    for heading, content in texts:
        if content.strip():
            text.append(f"{heading}\n", style="bold")
            text.append("\n".join(visible(line) for line in content.strip().splitlines()) + "\n\n")
    return text
