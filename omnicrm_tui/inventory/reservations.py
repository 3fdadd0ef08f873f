"""Who gets an item: picking, reserving for a job, and giving back.

The life of an item in a job:

1. `reserve` marks it with the job and remembers its state (`reserved_from_state`); the state itself stays.
2. The play assigns it (a PATCH by the job): the hold ends, the memory stays until the job is final.
3. A play that fails gives it back in its rescue block, to whichever state the play names (`Used`, `In Stock`).
   The item is then held for the job once more, so that nobody takes it half-way through the rollback.
4. When the job is final, either `release_reservations` (success, or a clean-up on purpose: what the play did
   stands), or `restore_reserved` (failure: every item that the job touched gets the state back which it had
   before, without customer and service, whatever the rescue block did or failed to do), or `hold_back` (its
   process died, and it is not known that all was undone).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from gettext import gettext as _
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from omnicrm_tui.database import isolation
from omnicrm_tui.database.lists import ListSpec, contains, fold
from omnicrm_tui.database.views import apply_changes
from omnicrm_tui.errors import Conflict, InvalidInput, NotPermitted
from omnicrm_tui.inventory.models import InventoryItem, InventoryTemplate
from omnicrm_tui.inventory.rules import OUT_OF_SERVICE
from omnicrm_tui.inventory.schemas import ItemRow
from omnicrm_tui.inventory.templates import Templates
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_nothing, needs

_ENTITIES: tuple[InstrumentedAttribute[Any], ...] = (
    InventoryItem.inventory_id,
    InventoryItem.item,
    InventoryItem.itemtext1,
    InventoryItem.itemtext2,
    InventoryItem.itemtext3,
    InventoryItem.item_state,
    InventoryItem.item_location,
    InventoryItem.customer_id,
    InventoryItem.service_id,
    InventoryItem.reserved_by,
    InventoryItem.reserved_until,
    InventoryItem.retail_cost,
    InventoryItem.sold_date,
    InventoryItem.created,
)


def _search(words: str) -> ColumnElement[bool]:
    conditions = [contains(InventoryItem.search_text, fold(words))]
    if words.isdecimal() and len(words) <= 18:
        conditions.append(InventoryItem.inventory_id == int(words))
    return or_(*conditions)


ITEM_LIST: ListSpec[ItemRow] = ListSpec(
    entities=_ENTITIES,
    build=lambda row: ItemRow(*row[: len(_ENTITIES)]),
    primary_key=InventoryItem.inventory_id,
    sorts={
        "itemtext1": InventoryItem.text_key,
        "inventory_id": InventoryItem.inventory_id,
        "item": InventoryItem.item,
        "item_state": InventoryItem.item_state,
        "item_location": InventoryItem.item_location,
        "created": InventoryItem.created,
    },
    search=_search,
    filters={
        "item": InventoryItem.item.in_,
        "item_state": InventoryItem.item_state.in_,
        "item_location": InventoryItem.item_location.in_,
    },
)
"""Items (PLT-388). A search matches every text, the kind, the location and the address, or the number."""


class Reservations(Templates):
    """Pick, reserve and give back items."""

    @needs("view_inventory")
    def pickable(self, template_name: str, query: ListQuery, anchor: Anchor, limit: int) -> Window[ItemRow]:
        """Return a window of the items of that kind that can be chosen now (BIL-103, SVC-166..170).

        Needs view_inventory; a customer's user is refused kinds without `allow_dropdown_customer`, staff those
        without `allow_dropdown_staff`. Raises NotFound for an unknown kind, NotPermitted.
        """
        conditions = self._offered(template_name)
        with self._free_stock():
            return ITEM_LIST.window(self.session, query, anchor, limit, *conditions)

    @needs("view_inventory")
    def pickable_count(self, template_name: str, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count what `pickable` offers, up to `cap`; the same rules."""
        conditions = self._offered(template_name)
        with self._free_stock():
            return ITEM_LIST.count(self.session, query, cap, *conditions)

    @needs("view_inventory")
    def pickable_page(self, template_name: str, query: ListQuery, page: int, per_page: int) -> Page[ItemRow]:
        """Return a numbered page of what `pickable` offers, with the exact total; the same rules."""
        conditions = self._offered(template_name)
        with self._free_stock():
            return ITEM_LIST.page(self.session, query, page, per_page, *conditions)

    @asks_nothing(Asked.ROOMS)
    def reserve(self, choices: Mapping[str, int], provision_id: int) -> None:
        """Hold items for a job: `choices` maps a kind's name to an item's number (BIL-109, SVC-170).

        Each item is taken by one conditional UPDATE in the caller's transaction, so that of two users only
        one gets it. The hold ends after `provisioning.reservation_minutes` unless it is kept up. Asks for no
        permission: the job's starter was checked. Raises InvalidInput when an item is chosen twice, NotFound,
        Conflict with the item's name and why it cannot be had.
        """
        if len(set(choices.values())) < len(choices):
            raise InvalidInput(_("The same item is chosen twice."), dict.fromkeys(choices, _("choose different items")))
        # In the order of their numbers: two jobs that want the same items never wait for each other.
        for name, inventory_id in sorted(choices.items(), key=lambda choice: choice[1]):
            template = self._template(name)
            if self.actor.own_customer_id is not None and not template.allow_dropdown_customer:
                raise NotPermitted(_("{name} is chosen by staff.").format(name=name))
            with self._free_stock():
                taken = self._take(template, inventory_id, provision_id)
            if not taken:
                raise Conflict(self._why_not_free(name, inventory_id))

    @asks_nothing(Asked.ROOMS)
    def keep_reservations(self, provision_id: int) -> None:
        """Move the end of a running job's holds; for jobs that outlast `provisioning.reservation_minutes`."""
        self.session.execute(
            update(InventoryItem)
            .where(InventoryItem.reserved_by == provision_id, InventoryItem.reserved_until.is_not(None))
            .values(reserved_until=self._hold_end())
        )

    @asks_nothing(Asked.ROOMS)
    def release_reservations(self, provision_id: int) -> None:
        """Let go of all items of a job that is final and whose work stands; states stay as they are."""
        for item in self._touched_by(provision_id):
            forget_job(item)
        self.session.flush()

    @asks_nothing(Asked.ROOMS)
    def restore_reserved(self, provision_id: int) -> None:
        """Give every item that a failed job touched the state back which it had before (SVC-097, BIL-110).

        Without customer, service and sale, as it was when the job took it. May be called again without harm;
        an item that somebody else got meanwhile is left alone.
        """
        for item in self._touched_by(provision_id):
            customer_id, service_id = item.customer_id, item.service_id
            before = {"item_state": item.reserved_from_state or item.item_state}
            old, new = apply_changes(item, {**before, "customer_id": None, "service_id": None, "sold_date": None})
            forget_job(item)
            if new:
                self.work.activity.record(
                    "inventory", item.inventory_id, "Item given back", customer_id=customer_id, old=old, new=new
                )
            self.session.flush()
            self._reindex(service_id)

    @asks_nothing(Asked.ROOMS)
    def hold_back(self, provision_id: int) -> None:
        """Take the items of a job out of service, where it is not known that all it did with them was undone.

        Nobody picks them before somebody has looked, and put them into stock again (PLT-374 and on).
        """
        for item in self._touched_by(provision_id):
            service_id = item.service_id
            values = {"item_state": OUT_OF_SERVICE, "customer_id": None, "service_id": None, "sold_date": None}
            old, new = apply_changes(item, values)
            forget_job(item)
            self.work.activity.record("inventory", item.inventory_id, "Item held back", old=old, new=new)
            self.session.flush()
            self._reindex(service_id)

    @asks_nothing(Asked.ROOMS)
    def out_of_service(self, inventory_ids: Collection[int]) -> set[int]:
        """Return which of these items are out of service."""
        these = (InventoryItem.inventory_id.in_(inventory_ids), InventoryItem.item_state == OUT_OF_SERVICE)
        return set(self.session.scalars(select(InventoryItem.inventory_id).where(*these)))

    @needs("view_inventory")
    def items_reserved_by(self, provision_id: int) -> Sequence[ItemRow]:
        """Return the items that a job holds, or assigned while it still runs. Needs view_inventory."""
        return self._rows(InventoryItem.reserved_by == provision_id)

    @needs("view_inventory")
    def items_of_service(self, service_id: int) -> Sequence[ItemRow]:
        """Return the items linked to a service, oldest first (PLT-393). Needs view_inventory."""
        return self._rows(InventoryItem.service_id == service_id)

    @asks_nothing(Asked.ROOMS)
    def identifiers_of_service(self, service_id: int) -> Sequence[str]:
        """Return what the items of a service are known by (number, ICCID, serial), for its search (SVC-227)."""
        found = self.session.execute(
            select(InventoryItem.itemtext1, InventoryItem.itemtext2)
            .where(InventoryItem.service_id == service_id)
            .order_by(InventoryItem.inventory_id)
        )
        return [text for row in found for text in row if text]

    def _reindex(self, *service_ids: int | None) -> None:
        for service_id in {number for number in service_ids if number is not None}:
            self.work.customer_services.index(service_id)

    def _rows(self, condition: ColumnElement[bool]) -> list[ItemRow]:
        found = self.session.execute(select(*_ENTITIES).where(condition).order_by(InventoryItem.inventory_id))
        return [ItemRow(*row) for row in found]

    def _offered(self, template_name: str) -> tuple[ColumnElement[bool], ...]:
        template = self._template(template_name)
        to_customer = self.actor.own_customer_id is not None
        if not (template.allow_dropdown_customer if to_customer else template.allow_dropdown_staff):
            raise NotPermitted(_("{template_name} is not offered for choosing.").format(template_name=template_name))
        return self._free(template)

    def _free(self, template: InventoryTemplate) -> tuple[ColumnElement[bool], ...]:
        """What makes an item free: kind, state, no owner, and nobody's live hold."""
        return (
            InventoryItem.inventory_template_id == template.inventory_template_id,
            InventoryItem.customer_id.is_(None),
            InventoryItem.service_id.is_(None),
            InventoryItem.item_state.in_(self.work.settings.provisioning.selectable_states),
            or_(InventoryItem.reserved_until.is_(None), InventoryItem.reserved_until <= self.work.clock.now()),
        )

    def _take(self, template: InventoryTemplate, inventory_id: int, provision_id: int) -> bool:
        result = self.session.execute(
            update(InventoryItem)
            .where(InventoryItem.inventory_id == inventory_id, *self._free(template))
            .values(
                reserved_by=provision_id,
                reserved_until=self._hold_end(),
                reserved_from_state=InventoryItem.item_state,
                version=InventoryItem.version + 1,
            )
        )
        return isinstance(result, CursorResult) and result.rowcount == 1

    def _why_not_free(self, name: str, inventory_id: int) -> str:
        item = self.session.get(InventoryItem, inventory_id, populate_existing=True)
        if item is None or item.item != name:
            return _("There is no {name} with the number {inventory_id}. Choose another one.").format(
                name=name, inventory_id=inventory_id
            )
        called = describe(item)
        if item.customer_id is not None or item.service_id is not None:
            return _("{called} belongs to a customer by now. Choose another one.").format(called=called)
        if held_by_other(item, None, self.work.clock.now()):
            return _("{called} has just been chosen for another order. Choose another one.").format(called=called)
        return _("{called} cannot be chosen: it is {item_state}. Choose another one.").format(
            called=called, item_state=item.item_state
        )

    def _touched_by(self, provision_id: int) -> Sequence[InventoryItem]:
        statement = select(InventoryItem).where(InventoryItem.reserved_by == provision_id)
        return self.session.scalars(statement.order_by(InventoryItem.inventory_id)).all()

    def _hold_end(self) -> datetime:
        return self.work.clock.now() + timedelta(minutes=self.work.settings.provisioning.reservation_minutes)

    @contextmanager
    def _free_stock(self) -> Iterator[None]:
        """Let a customer's user see free stock, which is nobody's, for one statement about nothing else.

        Both callers select by `_free`, which admits no item of any customer, and have asked
        `allow_dropdown_customer` before.
        """
        own = self.session.info.pop(isolation.SCOPE, None)
        try:
            yield
        finally:
            if own is not None:
                self.session.info[isolation.SCOPE] = own


def held_by_other(item: InventoryItem, provision_id: int | None, now: datetime) -> bool:
    """Tell whether another job than `provision_id` holds the item now."""
    held = item.reserved_until is not None and item.reserved_until > now
    return held and item.reserved_by != provision_id


def forget_job(item: InventoryItem) -> None:
    """Take every trace of a job off the item."""
    item.reserved_by = item.reserved_until = item.reserved_from_state = None


def describe(item: InventoryItem) -> str:
    """Return what people call the item: its kind and first text."""
    return f"{item.item} {item.itemtext1}"
