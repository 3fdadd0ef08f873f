"""The products room: every product, on sale or not, for who looks after the catalogue (CAT-324, CAT-366)."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from omnicrm_tui.catalog.rules import CATEGORIES
from omnicrm_tui.listing import ListQuery
from screens.base import CrmScreen
from screens.desk import ServiceSource, sentence
from screens.formats import Formats
from widgets.columns import Column, Tone
from widgets.entity_table import EntityTable, Filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omnicrm_tui.catalog.schemas import ProductInput, ProductRow, ProductView
    from widgets.form import Field

YES_NO = (("true", _("yes")), ("false", _("no")))
LONG_TEXTS = ("comment", "terms", "features_list", "provisioning_json_vars", "inventory_items_list", "relies_on_list")


def columns(formats: Formats) -> tuple[Column[ProductRow], ...]:
    """Return the columns of the list."""
    return (
        Column(_("Id"), lambda row: str(row.product_id), width=6, align="right", sort="product_id"),
        Column(_("Product"), lambda row: row.product_name, weight=3, min_width=20, sort="product_name"),
        Column(_("Category"), lambda row: row.category, width=10),
        Column(_("Type"), lambda row: row.service_type, width=10, priority=2),
        Column(_("Monthly"), lambda row: formats.money(row.retail_cost), width=11, align="right", sort="retail_cost"),
        Column(_("Setup"), lambda row: formats.money(row.retail_setup_cost), width=11, align="right", priority=3),
        Column(_("For"), _for, width=11, priority=4),
        Column(_("Sale"), _sale, width=9, tone=_sale_tone),
    )


def _for(row: ProductRow) -> str:
    kinds = [_("indiv.")] if row.residential or not row.business else []
    return " + ".join([*kinds, *([_("bus.")] if row.business else [])])


def _sale(row: ProductRow) -> str:
    return _("enabled") if row.enabled else _("disabled")


def _sale_tone(row: ProductRow) -> Tone:
    return "" if row.enabled else "muted"


class ProductsScreen(CrmScreen):
    """All products."""

    TITLE = _("Products")

    NEEDS: ClassVar = {"new": "create_product", "catalogue": "create_provision"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", _("New product"), id="products.new", tooltip=_("New product")),
        Binding(
            "a",
            "catalogue",
            _("Assign to customer"),
            id="products.catalogue",
            tooltip=_("Assign a product to a customer"),
        ),
    ]

    def body(self) -> ComposeResult:
        yield EntityTable(
            ServiceSource[Any](self.desk, lambda work: work.catalog),
            columns(self.crm_app.formats),
            id="products",
            empty_text=_("No products yet. Press n to make the first one."),
            sorts=("product_name", "product_id", "retail_cost", "created"),
            query=ListQuery(sort="product_name"),
            filters=(
                Filter("category", _("Category"), [(name, name) for name in CATEGORIES]),
                Filter("enabled", _("Enabled"), YES_NO),
                Filter("business", _("Business"), YES_NO),
                Filter("residential", _("Individual"), YES_NO),
                Filter("customer_can_purchase", _("Self-service"), YES_NO),
            ),
            copied=lambda row: row.product_slug,
            describe_error=sentence,
        )

    def on_mount(self) -> None:
        self.query_one(EntityTable).focus()

    def on_entity_table_opened(self, message: EntityTable.Opened) -> None:
        """Open the product."""
        message.stop()
        self.crm_app.open_place("product", message.row.product_id)

    def action_catalogue(self) -> None:
        """Open the catalogue; the customer is asked for once a product is chosen."""
        self.crm_app.open_catalogue(0)

    def action_new(self) -> None:
        """Ask for a product."""
        from omnicrm_tui.catalog.schemas import ProductInput
        from screens.dialogs import FormDialog
        from screens.views import type_choices

        fields = product_fields(ProductInput, type_choices(self.crm_app.settings.service_types))
        dialog = FormDialog(_("New product"), ProductInput, fields, self._create, about="new product", again="new")
        self.app.push_screen(dialog, self._created)

    async def _create(self, data: ProductInput) -> ProductView:
        return await self.desk.change(lambda work: work.catalog.create(data))

    def _created(self, made: ProductView | None) -> None:
        if made is not None:
            self.query_one(EntityTable).reload()
            self.crm_app.open_place("product", made.product_id)


def product_fields(schema: Any, types: Sequence[tuple[str, str]]) -> list[Field]:
    """Return the fields of a product's form; `types` are the service types to choose from."""
    from widgets.form import fields_of

    labels = {
        "product_name": _("Name"),
        "product_slug": _("Slug"),
        "available_from": _("From"),
        "available_until": _("Until"),
        "features_list": _("Features"),
        "provisioning_play": _("Play"),
        "provisioning_json_vars": _("Play's variables"),
        "inventory_items_list": _("Inventory types"),
        "relies_on_list": _("Relies on"),
        "customer_can_purchase": _("Self-service"),
        "tax_percentage": _("Tax %"),
        "retail_setup_cost": _("Retail setup"),
        "wholesale_setup_cost": _("Wholesale setup"),
    }
    hints = {
        "features_list": _("sentences divided by a full stop and a blank"),
        "provisioning_json_vars": _('a JSON object such as {"days": 30}'),
        "inventory_items_list": _("such as ['SIM Card', 'Mobile Number'], as the templates are called"),
    }
    names = [name for name in schema.model_fields if name not in ("version", "icon")]
    return fields_of(schema, names, labels=labels, hints=hints, lines=LONG_TEXTS, choices={"service_type": types})
