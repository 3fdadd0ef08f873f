"""The parameters of every list: `page`, `per_page`, `sort`, `order`, `filters` and `search` (SVC-043..045)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query

from omnicrm_tui.api.bodies import unsound
from omnicrm_tui.errors import InvalidInput
from omnicrm_tui.listing import ListQuery
from omnicrm_tui.schemas import MAX_ID

DEFAULT_PER_PAGE = 20
MAX_PER_PAGE = 1000
MAX_PAGE = 1_000_000_000
MAX_TEXT = 500

Id = Annotated[int, Path(ge=1, le=MAX_ID)]
"""An id in a path; one that no table can hold is unknown, hence 404."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which page of which rows somebody asks for."""

    page: int
    given_per_page: int | None
    query: ListQuery
    ordered: bool

    @property
    def per_page(self) -> int:
        """The size of a page, by default 20."""
        return self.given_per_page or DEFAULT_PER_PAGE

    @property
    def per_page_or_all(self) -> int:
        """The size of a page where plays expect the whole list."""
        return self.given_per_page or MAX_PER_PAGE

    def newest_first(self, sort: str) -> ListQuery:
        """Return the query; where the caller named no order, by `sort` descending."""
        if self.ordered:
            return self.query
        return ListQuery(self.query.search, self.query.filters, sort, descending=True)


async def listing(
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    per_page: Annotated[int | None, Query(ge=1, le=MAX_PER_PAGE)] = None,
    sort: Annotated[str, Query(max_length=60)] = "",
    order: Literal["asc", "desc"] = "asc",
    filters: Annotated[str, Query(max_length=10_000, description='Such as {"provisioning_status": [2]}')] = "",
    search: Annotated[str, Query(max_length=MAX_TEXT)] = "",
) -> Listing:
    """Read the parameters of a list."""
    query = ListQuery(search, _filters(filters), sort, descending=order == "desc")
    return Listing(page, per_page, query, ordered=bool(sort))


def _filters(text: str) -> dict[str, list[str]]:
    """Read the `filters` parameter: a JSON object of field to accepted values (SVC-044)."""
    if not text.strip():
        return {}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise InvalidInput("Some parameters are not right.", {"filters": "must be a JSON object"})
    lists = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    return {name: [_word(name, value) for value in values] for name, values in lists.items()}


def _word(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)) and not unsound(value) and not unsound(name):
        return str(value)
    raise InvalidInput("Some parameters are not right.", {"filters": "accepts a list of texts and whole numbers"})


ListingDep = Annotated[Listing, Depends(listing)]
