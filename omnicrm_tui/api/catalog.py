"""Products over REST (CAT-195..197, CAT-213)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query

from omnicrm_tui.api.auth import CallerDep
from omnicrm_tui.api.bodies import JsonBody
from omnicrm_tui.api.paging import MAX_TEXT, Id, ListingDep
from omnicrm_tui.api.paths import Router, creates
from omnicrm_tui.api.serialize import Answer, Data, Listed, page_answer
from omnicrm_tui.catalog.schemas import ProductChange, ProductInput, ProductRow, ProductView
from omnicrm_tui.schemas import MAX_ID

router = Router(tags=["Products"])

_READ_ONLY = (
    "product_id",
    "features",
    "inventory_items",
    "relies_on",
    "earnings",
    "setup_earnings",
    "warnings",
    "created",
    "last_modified",
)
"""What a change may carry along unchanged, because the product was read with it."""


@router.get("/product")
def list_products(
    caller: CallerDep,
    listing: ListingDep,
    include_disabled: bool = False,
    account_type: Literal["Individual", "Business"] | None = None,
    group: Literal["plans", "addons", "promos"] | None = None,
    service_type: Annotated[str | None, Query(max_length=MAX_TEXT)] = None,
    customer_id: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
) -> Answer[Listed[ProductRow]] | Answer[Data[ProductView]]:
    """List what is on sale now (CAT-196); with `account_type` what that kind of customer can order (CAT-360..370).

    `include_disabled` lists all products instead, a page at a time. Needs view_product.
    """
    with caller.reading() as work:
        if include_disabled:
            return page_answer(work.catalog.page(listing.query, listing.page, listing.per_page_or_all))
        if account_type is None:
            return Answer(Data(work.catalog.on_sale()))
        found = work.catalog.orderable(
            account_type=account_type, group=group, service_type=service_type, customer_id=customer_id
        )
    return Answer(Data(found))


@router.get("/product/paginated")
def list_all_products(caller: CallerDep, listing: ListingDep) -> Answer[Listed[ProductRow]]:
    """List all products, on sale or not (CAT-197). Needs view_product."""
    with caller.reading() as work:
        return page_answer(work.catalog.page(listing.query, listing.page, listing.per_page))


@creates(router, "/product")
def create_product(
    caller: CallerDep, data: Annotated[ProductInput, Depends(JsonBody(ProductInput))]
) -> Answer[ProductView]:
    """Create a product. Needs create_product; 409 when the slug is taken."""
    with caller.working() as work:
        created = work.catalog.create(data)
    return Answer(created)


@router.get("/product/{product_id}")
def get_product(caller: CallerDep, product_id: Id) -> Answer[ProductView]:
    """Return a product (CAT-195). Needs view_product."""
    with caller.reading() as work:
        return Answer(work.catalog.get(product_id))


@router.patch("/product/{product_id}")
def change_product(
    caller: CallerDep, product_id: Id, change: Annotated[ProductChange, Depends(JsonBody(ProductChange, _READ_ONLY))]
) -> Answer[ProductView]:
    """Change the given fields. Needs update_product."""
    with caller.working() as work:
        changed = work.catalog.update(product_id, change)
    return Answer(changed)


@router.post("/product/{product_id}/clone")
def clone_product(caller: CallerDep, product_id: Id) -> Answer[ProductView]:
    """Copy a product under a name and slug of its own (CAT-337). Needs create_product."""
    with caller.working() as work:
        copy = work.catalog.clone(product_id)
    return Answer(copy)
