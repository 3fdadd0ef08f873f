"""The product catalogue: what can be done with products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from gettext import gettext as _
from typing import Any, Literal

from sqlalchemy import ColumnElement, or_, select

from omnicrm_tui.catalog import rules
from omnicrm_tui.catalog.models import Product
from omnicrm_tui.catalog.schemas import Earnings, ProductChange, ProductInput, ProductRow, ProductView
from omnicrm_tui.database.lists import ListSpec, contains, flag, fold
from omnicrm_tui.database.views import apply_changes, check_version, view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.languages import N_
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_itself, asks_nothing, needs
from omnicrm_tui.schemas import refuse_blanks
from omnicrm_tui.work import Service

Group = Literal["plans", "addons", "promos"]

_ENTITIES = (
    Product.product_id,
    Product.product_name,
    Product.product_slug,
    Product.category,
    Product.service_type,
    Product.icon,
    Product.retail_cost,
    Product.retail_setup_cost,
    Product.contract_days,
    Product.enabled,
    Product.residential,
    Product.business,
    Product.customer_can_purchase,
    Product.available_from,
    Product.available_until,
    Product.created,
)
_CLEARABLE = frozenset({"available_from", "available_until"})
_TEXTS = frozenset(
    {
        "service_type",
        "comment",
        "icon",
        "terms",
        "features_list",
        "provisioning_play",
        "provisioning_json_vars",
        "inventory_items_list",
        "relies_on_list",
    }
)


def _search(words: str) -> ColumnElement[bool]:
    conditions = [contains(Product.search_text, fold(words))]
    if words.isdecimal() and len(words) <= 18:
        conditions.append(Product.product_id == int(words))
    return or_(*conditions)


PRODUCT_LIST: ListSpec[ProductRow] = ListSpec(
    entities=_ENTITIES,
    build=lambda row: ProductRow(*row[: len(_ENTITIES)]),
    primary_key=Product.product_id,
    sorts={
        "product_name": Product.name_key,
        "product_id": Product.product_id,
        "retail_cost": Product.retail_cost,
        "created": Product.created,
    },
    search=_search,
    filters={
        "category": Product.category.in_,
        "service_type": Product.service_type.in_,
        "enabled": flag(Product.enabled),
        "residential": flag(Product.residential),
        "business": flag(Product.business),
        "customer_can_purchase": flag(Product.customer_can_purchase),
    },
)
"""All products, on sale or not (CAT-324, CAT-366). A search matches name, slug, comment, features and terms."""


class CatalogService(Service):
    """Look up, offer, create and change products."""

    @needs("view_product")
    def window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[ProductRow]:
        """Return a window of all products (CAT-197). Needs view_product."""
        return PRODUCT_LIST.window(self.session, query, anchor, limit)

    @needs("view_product")
    def count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching products, up to `cap`. Needs view_product."""
        return PRODUCT_LIST.count(self.session, query, cap)

    @needs("view_product")
    def page(self, query: ListQuery, page: int, per_page: int) -> Page[ProductRow]:
        """Return a numbered page of all products with the exact total (CAT-197). Needs view_product."""
        return PRODUCT_LIST.page(self.session, query, page, per_page)

    @asks_itself("view_product", unless="it acts for one customer: what customers may order is told to all of them")
    def on_sale(self) -> Sequence[ProductView]:
        """Return the products that are enabled and within their dates, by name (CAT-196, CAT-364).

        Needs view_product; a customer's user gets what customers can order themselves.
        """
        self._require_view()
        now = self.work.clock.now()
        found = self.session.scalars(
            select(Product).where(Product.enabled.is_(True)).order_by(Product.name_key, Product.product_id)
        )
        confined = self.actor.is_outside
        return [
            self._view(product)
            for product in found
            if rules.available(product, now) and (product.customer_can_purchase or not confined)
        ]

    @asks_itself("view_product", unless="it acts for one customer: what customers may order is told to all of them")
    def orderable(
        self,
        *,
        account_type: str,
        group: Group | None = None,
        service_type: str | None = None,
        by_customer: bool = False,
        customer_id: int | None = None,
    ) -> Sequence[ProductView]:
        """Return what that kind of customer can order now, by name (CAT-360..370).

        `account_type` is Individual or Business. `service_type` leaves the products of that type; for add-ons
        it is the type of the service that gets them (CAT-367). With `customer_id` add-ons are left out that
        rely on what the customer does not have, or fit none of the customer's services (CAT-368). Needs
        view_product; for a customer's user `by_customer` is always true.
        """
        by_customer = by_customer or self.actor.is_outside
        offers = [
            product
            for product in self.on_sale()
            if (group is None or product.category in rules.GROUPS[group])
            and rules.eligible(product, account_type, by_customer=by_customer)
            and service_type in (None, product.service_type)
        ]
        return offers if customer_id is None else [offer for offer in offers if self.fits(offer, customer_id)]

    @asks_itself("view_product", unless="it acts for one customer: what customers may order is told to all of them")
    def get(self, product_id: int) -> ProductView:
        """Return a product (CAT-195). Needs view_product; raises NotFound.

        A customer's user and the jobs it starts may read what customers can order, and need no permission.
        """
        self._require_view()
        product = self._product(product_id)
        if self.actor.is_outside and not product.customer_can_purchase:
            raise NotFound(_("There is no product {product_id}.").format(product_id=product_id))
        return self._view(product, warned=True)

    @asks_nothing(Asked.ROOMS)
    def fits(self, offer: ProductView, customer_id: int) -> bool:
        """Tell whether a customer has what an add-on relies on (CAT-367, CAT-368); other products always fit."""
        if offer.category != rules.ADDON:
            return True
        product_ids, types = self.work.customer_services.holdings(customer_id)
        return offer.service_type in types and rules.dependencies_met(offer.relies_on, product_ids, types)

    @needs("create_product")
    def create(self, data: ProductInput, *, imported: bool = False) -> ProductView:
        """Create a product. Needs create_product; raises InvalidInput, Conflict when the slug is taken.

        An `imported` product keeps the slug that it has elsewhere, even one with capitals (CAT-548). What is
        doubtful but allowed is in the view's `warnings` (BIL-100, BIL-113, BIL-123).
        """
        slug = data.product_slug or self._free_slug(data.product_name)
        if data.product_slug:
            self._check_slug(slug, imported=imported)
        return self._add({**data.model_dump(), "product_slug": slug}, N_("Product created"))

    @needs("update_product")
    def update(self, product_id: int, change: ProductChange) -> ProductView:
        """Change the given fields. Disabling stops new orders and touches no service (BIL-098).

        Needs update_product; raises NotFound, InvalidInput, Conflict.
        """
        product = self._product(product_id)
        check_version(product, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version"})
        given = {name: "" if value is None and name in _TEXTS else value for name, value in given.items()}
        refuse_blanks(given, [name for name in given if name not in _CLEARABLE | _TEXTS])
        if given.get("product_slug", product.product_slug) != product.product_slug:
            self._check_slug(given["product_slug"], imported=False)
        _check_dates({"available_from": product.available_from, "available_until": product.available_until, **given})
        old, new = apply_changes(product, given)
        if new:
            _refresh_keys(product)
            self.work.activity.record("product", product_id, "Product changed", old=old, new=new)
            self.session.flush()
        return self._view(product, warned=True)

    @needs("create_product")
    def clone(self, product_id: int) -> ProductView:
        """Copy a product under its name with " clone" and a slug of its own (CAT-337). Needs create_product."""
        product = self._product(product_id)
        values = {name: getattr(product, name) for name in ProductInput.model_fields}
        values["product_name"] = f"{product.product_name[:194]} clone"
        values["product_slug"] = self._free_slug(values["product_name"])
        return self._add(values, N_("Product cloned"))

    @asks_nothing(Asked.ROOMS)
    def names_needing(self, template_name: str) -> list[str]:
        """Return the names of the products that ask for that kind of item, for the stock (PLT-359)."""
        found = self.session.execute(
            select(Product.product_name, Product.inventory_items_list)
            .where(Product.inventory_items_list != "")
            .order_by(Product.name_key)
        )
        return [name for name, text in found if template_name in _readable(rules.parse_list, text)[0]]

    @asks_nothing(Asked.ROOMS)
    def names_of(self, product_ids: set[int]) -> dict[int, str]:
        """Return names by product id, for the read models of other rooms; unknown ids are left out."""
        if not product_ids:
            return {}
        found = self.session.execute(
            select(Product.product_id, Product.product_name).where(Product.product_id.in_(product_ids))
        )
        return {row.product_id: row.product_name for row in found}

    def _add(self, values: dict[str, Any], action: str) -> ProductView:
        _check_dates(values)
        product = Product(**values)
        _refresh_keys(product)
        self.session.add(product)
        self.session.flush()
        self.work.activity.record("product", product.product_id, action, new=values)
        self.session.flush()
        return self._view(product, warned=True)

    def _require_view(self) -> None:
        if self.actor.own_customer_id is None:
            self.actor.require("view_product")

    def _product(self, product_id: int) -> Product:
        product = self.session.get(Product, product_id)
        if product is None:
            raise NotFound(_("There is no product {product_id}.").format(product_id=product_id))
        return product

    def _view(self, product: Product, *, warned: bool = False) -> ProductView:
        items, items_warning = _readable(rules.parse_list, product.inventory_items_list)
        relies_on, relies_warning = _readable(rules.parse_list, product.relies_on_list)
        confined = self.actor.is_outside
        own: dict[str, Any] = {
            "earnings": _earnings(product.retail_cost, product.wholesale_cost),
            "setup_earnings": _earnings(product.retail_setup_cost, product.wholesale_setup_cost),
        }
        if confined:
            own = {
                **dict.fromkeys(("earnings", "setup_earnings", "wholesale_cost", "wholesale_setup_cost")),
                "comment": "",
            }
        if warned and not confined:
            own["warnings"] = (*items_warning, *relies_warning, *self._warnings(product, items))
        return view_of(
            product,
            ProductView,
            features=rules.parse_features(product.features_list),
            inventory_items=items,
            relies_on=relies_on,
            **own,
        )

    def _warnings(self, product: Product, items: tuple[str, ...]) -> tuple[str, ...]:
        found = [
            _("{name} is asked for twice; give each its own template.").format(name=name)
            for name in rules.duplicates(items)
        ]
        if items:
            known = self.work.inventory.template_names()
            found += [
                _("There is no inventory template {name}.").format(name=name)
                for name in dict.fromkeys(items)
                if name not in known
            ]
        if product.service_type and product.service_type not in self.work.settings.service_types:
            found.append(_("{name} is not among the configured service types.").format(name=product.service_type))
        return (*found, *rules.feature_warnings(product.features_list))

    def _check_slug(self, slug: str, *, imported: bool) -> None:
        if not imported and not rules.is_slug(slug):
            raise InvalidInput(
                _("Some fields are not right."), {"product_slug": _("lower case letters, digits and single hyphens")}
            )
        if self._slug_taken(slug):
            raise Conflict(_("Another product already has the slug {slug}.").format(slug=slug))

    def _free_slug(self, name: str) -> str:
        base = rules.slug_of(fold(name))[:190]
        slug, number = base, 1
        while self._slug_taken(slug):
            number += 1
            slug = f"{base}-{number}"
        return slug

    def _slug_taken(self, slug: str) -> bool:
        return self.session.scalar(select(Product.product_id).where(Product.product_slug == slug)) is not None


def _refresh_keys(product: Product) -> None:
    product.name_key = fold(product.product_name)[:200]
    parts = (product.product_name, product.product_slug, product.comment, product.features_list, product.terms)
    product.search_text = fold("\n".join(part for part in parts if part))


def _check_dates(values: Mapping[str, Any]) -> None:
    begin, end = values.get("available_from"), values.get("available_until")
    if begin is not None and end is not None and end < begin:
        raise InvalidInput(_("Some fields are not right."), {"available_until": _("is before available_from")})


def _earnings(retail: Decimal, wholesale: Decimal) -> Earnings:
    return Earnings(retail - wholesale, rules.markup(retail, wholesale), rules.margin(retail, wholesale))


def _readable(read: Callable[[str | None], tuple[str, ...]], text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the list and no warning, or nothing and the warning why it cannot be read."""
    try:
        return read(text), ()
    except InvalidInput as error:
        return (), (f"{text[:60]}: {error.message}",)
