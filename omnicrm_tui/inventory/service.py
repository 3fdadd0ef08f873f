"""The stock: what can be done with items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from gettext import gettext as _
from typing import Any

from pydantic import SecretStr
from sqlalchemy import ColumnElement, select

from omnicrm_tui.activity.service import REDACTED
from omnicrm_tui.database.lists import fold
from omnicrm_tui.database.views import apply_changes, check_version, view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.inventory.models import InventoryItem, InventoryTemplate
from omnicrm_tui.inventory.reservations import ITEM_LIST, Reservations, describe, forget_job, held_by_other
from omnicrm_tui.inventory.rules import ASSIGNED, TEXT_NAMES, USED, loss_notice, may_follow, named_values
from omnicrm_tui.inventory.schemas import ItemChange, ItemInput, ItemRow, ItemView
from omnicrm_tui.inventory.templates import labels_of
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_nothing, needs
from omnicrm_tui.schemas import refuse_blanks

_SEALED = ("ki", "opc", "management_password")
_REQUIRED = ("item_state", "itemtext1", "wholesale_cost", "retail_cost")
_SEARCHED = ("item", *TEXT_NAMES, "item_location", "address_line_1", "city", "zip_code")


class InventoryService(Reservations):
    """Look up, create, change and assign items; templates and reservations are inherited."""

    @needs("view_inventory")
    def window(
        self,
        query: ListQuery,
        anchor: Anchor,
        limit: int,
        customer_id: int | None = None,
        service_id: int | None = None,
    ) -> Window[ItemRow]:
        """Return a window of the items, of all or of one customer or service (PLT-388). Needs view_inventory."""
        found = ITEM_LIST.window(self.session, query, anchor, limit, *_of(customer_id, service_id))
        return replace(found, rows=self._named(found.rows))

    @needs("view_inventory")
    def count(
        self,
        query: ListQuery,
        cap: int = COUNT_CAP,
        customer_id: int | None = None,
        service_id: int | None = None,
    ) -> Count:
        """Count the matching items, up to `cap`. Needs view_inventory."""
        return ITEM_LIST.count(self.session, query, cap, *_of(customer_id, service_id))

    @needs("view_inventory")
    def page(
        self,
        query: ListQuery,
        page: int,
        per_page: int,
        customer_id: int | None = None,
        service_id: int | None = None,
    ) -> Page[ItemRow]:
        """Return a numbered page of items with the exact total. Needs view_inventory."""
        found = ITEM_LIST.page(self.session, query, page, per_page, *_of(customer_id, service_id))
        return replace(found, rows=self._named(found.rows))

    @needs("view_inventory")
    def get(self, inventory_id: int, *, secrets: bool = False) -> ItemView:
        """Return an item (CAT-206). Needs view_inventory; raises NotFound.

        With `secrets` the keys and the device's password are readable for jobs and for holders of
        update_inventory. A person who reads them leaves an entry in the activity log (PLT-402), which is why
        such a read happens in `crm.as_actor`, never in `crm.reading`.
        """
        item = self._item(inventory_id)
        reveal = secrets and (self.actor.kind is ActorKind.JOB or self.actor.may("update_inventory"))
        if reveal and self.actor.kind is not ActorKind.JOB and any(getattr(item, name) for name in _SEALED):
            self._log_reveal(item)
        return self._view(item, reveal=reveal)

    @needs("create_inventory")
    def create(self, data: ItemInput) -> ItemView:
        """Add an item to the stock (PLT-389); costs left out are those of its kind (PLT-357).

        Needs create_inventory. Raises InvalidInput for an unknown kind, customer or service.
        """
        template = self._kind(data)
        values = data.model_dump(exclude={"item", "inventory_template_id", *_SEALED})
        values |= self._ownership(None, data.model_dump(exclude_unset=True))
        for cost in ("wholesale_cost", "retail_cost"):
            values[cost] = getattr(template, cost) if values[cost] is None else values[cost]
        item = InventoryItem(
            **values,
            inventory_template_id=template.inventory_template_id,
            item=template.item,
            text_key=fold(data.itemtext1)[:500],
        )
        item.search_text = _search_text(item)
        self.session.add(item)
        self.session.flush()
        sealed = self._seal(item, {name: getattr(data, name) for name in _SEALED})
        self._record(item, "Item added", new={"item": template.item, **values, **sealed})
        self.session.flush()
        self._reindex(item.service_id)
        return self._view(item)

    @needs("update_inventory")
    def update(self, inventory_id: int, change: ItemChange) -> ItemView:
        """Change the given fields: move, assign, give back, correct (CAT-207).

        A customer or service given makes the item Assigned and sets `sold_date` (PLT-376); both taken away
        clear it, and without a state of its own the item becomes Used (SVC-093). Steps of the state follow
        `rules.may_follow`; any other needs delete_inventory and a `reason`. A play is the operator's own rule:
        a job may take any step, and what it does to an item can be undone with `restore_reserved`.

        Needs update_inventory. Raises NotFound, InvalidInput, NotPermitted, and Conflict when another job
        holds the item, when it belongs to another customer, or when `version` is stale.
        """
        item = self._item(inventory_id)
        check_version(item, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version", "reason"})
        refuse_blanks(given, _REQUIRED)
        if "item_location" in given:
            given["item_location"] = given["item_location"] or ""
        secrets = {name: given.pop(name) for name in _SEALED if name in given}
        given |= self._ownership(item, given)
        self._check_step(item, given.get("item_state", item.item_state), change.reason)
        self._settle_hold(item, given)
        old, new = apply_changes(item, given)
        new |= self._seal(item, secrets)
        if new:
            item.text_key = fold(item.itemtext1)[:500]
            item.search_text = _search_text(item)
            self._record(item, "Item changed", old, new | ({"reason": change.reason} if change.reason else {}))
            if notice := loss_notice(new.get("item_state", "")):
                self._record(item, notice)
            self.session.flush()
            self._reindex(item.service_id, old.get("service_id"))
        return self._view(item)

    @asks_nothing(Asked.ROOMS)
    def unlink_service(self, service_id: int) -> None:
        """Free the items of a service that is deleted: no customer, no service, Used (SVC-251, SVC-261).

        Asks for no permission: it is part of deleting the service.
        """
        for item in self.session.scalars(select(InventoryItem).where(InventoryItem.service_id == service_id)):
            owner = item.customer_id
            given: dict[str, Any] = {"customer_id": None, "service_id": None, "sold_date": None, "item_state": USED}
            self._settle_hold(item, given)
            old, new = apply_changes(item, given)
            self.work.activity.record(
                "inventory", item.inventory_id, "Item given back", customer_id=owner, old=old, new=new
            )
        self.session.flush()

    def _ownership(self, item: InventoryItem | None, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what customer_id and service_id of `given` mean for the item's owner, state and sale."""
        if "customer_id" not in given and "service_id" not in given:
            return {}
        owner, service = (item.customer_id, item.service_id) if item is not None else (None, None)
        customer_id = given.get("customer_id", owner)
        service_id = given.get("service_id", service)
        if given.get("customer_id", 0) is None and "service_id" not in given:
            service_id = None
        if given.get("service_id") is not None:
            of_service = self.work.customer_services.customer_of(given["service_id"])
            if of_service is None or given.get("customer_id") not in (None, of_service):
                raise InvalidInput(_("Some fields are not right."), {"service_id": _("is no service of this customer")})
            customer_id = of_service
        elif given.get("customer_id") is not None and customer_id != owner:
            service_id = given.get("service_id")
            if not self.work.customers.names_of({customer_id}):
                raise InvalidInput(_("Some fields are not right."), {"customer_id": _("is no customer")})
        if owner is not None and customer_id not in (None, owner) and item is not None:
            raise Conflict(_("{item} belongs to another customer. Take it back first.").format(item=describe(item)))
        settled: dict[str, Any] = {"customer_id": customer_id, "service_id": service_id}
        if customer_id is None:
            settled["sold_date"] = None
            if owner is not None:
                settled["item_state"] = given.get("item_state", USED)
        elif owner is None:
            settled["sold_date"] = given.get("sold_date") or self.work.clock.now()
            settled["item_state"] = given.get("item_state", ASSIGNED)
        return settled

    def _check_step(self, item: InventoryItem, following: str, reason: str) -> None:
        if self.actor.kind is ActorKind.JOB or may_follow(item.item_state, following):
            return
        self.actor.require("delete_inventory")
        if not reason:
            step = f"from {item.item_state} to {following}"
            raise InvalidInput(
                _("Some fields are not right."), {"reason": _("is required for the step {step}").format(step=step)}
            )

    def _settle_hold(self, item: InventoryItem, given: Mapping[str, Any]) -> None:
        """Keep the job's hold and memory in step with a change of owner (see `reservations`)."""
        if "customer_id" not in given or given["customer_id"] == item.customer_id:
            return
        assigned = given["customer_id"] is not None
        job = self.actor.provision_id
        if assigned and held_by_other(item, job, self.work.clock.now()):
            raise Conflict(_("{item} is held for another order.").format(item=describe(item)))
        if job is None or (not assigned and item.reserved_by != job):
            forget_job(item)
        elif not assigned:
            item.reserved_until = self._hold_end()
        else:
            if item.reserved_by != job:
                item.reserved_from_state = item.item_state
            item.reserved_by, item.reserved_until = job, None

    def _seal(self, item: InventoryItem, secrets: Mapping[str, SecretStr | None]) -> dict[str, SecretStr | None]:
        """Seal the secrets that differ into the item's row and return them, for the log to tell that they changed."""
        changed = {}
        for name, secret in secrets.items():
            plain = secret.get_secret_value() if secret is not None else None
            column = f"inventory.{name}"
            if self.work.vault.open(column, item.inventory_id, getattr(item, name)) != plain:
                setattr(item, name, self.work.vault.seal(column, item.inventory_id, plain))
                changed[name] = secret
        return changed

    def _view(self, item: InventoryItem, *, reveal: bool = False) -> ItemView:
        template = self.session.get_one(InventoryTemplate, item.inventory_template_id)
        labels = labels_of(template)
        owner = item.customer_id
        confined = self.actor.is_outside
        return view_of(
            item,
            ItemView,
            labels=labels,
            customer_name=self.work.customers.names_of({owner}).get(owner) if owner is not None else None,
            wholesale_cost=None if confined else item.wholesale_cost,
            inventory_notes=None if confined else item.inventory_notes,
            **named_values(labels, (getattr(item, name) for name in TEXT_NAMES)),
            **{name: self._secret(item, name, reveal=reveal) for name in _SEALED},
        )

    def _secret(self, item: InventoryItem, name: str, *, reveal: bool) -> str | None:
        sealed: bytes | None = getattr(item, name)
        if sealed is None or reveal:
            return self.work.vault.open(f"inventory.{name}", item.inventory_id, sealed)
        return REDACTED

    def _log_reveal(self, item: InventoryItem) -> None:
        if not self.session.get_bind().get_execution_options().get("crm_writes", True):
            raise RuntimeError("secrets are read in crm.as_actor: the entry about it has to be kept")
        self._record(item, "Secrets of the item read")
        self.session.flush()

    def _record(
        self,
        item: InventoryItem,
        action: str,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
    ) -> None:
        self.work.activity.record(
            "inventory",
            item.inventory_id,
            action,
            customer_id=item.customer_id or (old or {}).get("customer_id"),
            service_id=item.service_id or (old or {}).get("service_id"),
            old=_short(old),
            new=_short(new),
        )

    def _named(self, rows: Sequence[ItemRow]) -> list[ItemRow]:
        names = self.work.customers.names_of({row.customer_id for row in rows if row.customer_id is not None})
        return [replace(row, customer_name=names.get(row.customer_id or 0)) for row in rows]

    def _item(self, inventory_id: int) -> InventoryItem:
        item = self.session.get(InventoryItem, inventory_id)
        if item is None:
            raise NotFound(_("There is no inventory item {inventory_id}.").format(inventory_id=inventory_id))
        return item

    def _kind(self, data: ItemInput) -> InventoryTemplate:
        try:
            template = (
                self._template(data.item)
                if data.inventory_template_id is None
                else self.session.get(InventoryTemplate, data.inventory_template_id)
            )
        except NotFound as error:
            raise InvalidInput(_("Some fields are not right."), {"item": _("is no inventory template")}) from error
        if template is None or data.item not in ("", template.item):
            raise InvalidInput(
                _("Some fields are not right."), {"inventory_template_id": _("is no template of this name")}
            )
        return template


def _of(customer_id: int | None, service_id: int | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if customer_id is not None:
        conditions.append(InventoryItem.customer_id == customer_id)
    if service_id is not None:
        conditions.append(InventoryItem.service_id == service_id)
    return conditions


def _search_text(item: InventoryItem) -> str:
    return fold("\n".join(text for name in _SEARCHED if (text := getattr(item, name))))


def _short(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `values` with a device's configuration as its length: it is long, and may hold passwords."""
    shortened = dict(values or {})
    if config := shortened.get("config_content"):
        shortened["config_content"] = f"({len(config)} characters)"
    return shortened
