"""The kinds of items: templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from gettext import gettext as _
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from omnicrm_tui.database.views import apply_changes, check_version, view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.inventory.models import InventoryItem, InventoryTemplate
from omnicrm_tui.inventory.rules import LABEL_NAMES, SEALED_LABELS
from omnicrm_tui.inventory.schemas import TemplateChange, TemplateInput, TemplateView
from omnicrm_tui.needs import Asked, asks_nothing, needs
from omnicrm_tui.schemas import refuse_blanks
from omnicrm_tui.work import Service

_REQUIRED = (
    "item",
    "wholesale_cost",
    "retail_cost",
    "allow_dropdown_staff",
    "allow_dropdown_customer",
    "itemtext1_label",
    "itemtext2_label",
)


class Templates(Service):
    """Look up, create and change the kinds of items."""

    @needs("view_inventory_template")
    def templates(self) -> Sequence[TemplateView]:
        """Return all kinds by name (PLT-354). Needs view_inventory_template.

        A customer's user gets those that customers choose from, and those of its own items (BIL-448).
        """
        shown = select(InventoryTemplate).where(*self._shown()).order_by(InventoryTemplate.item)
        return [self._seen(template) for template in self.session.scalars(shown)]

    @needs("view_inventory_template")
    def template(self, name: str) -> TemplateView:
        """Return the kind of that exact name (SVC-168). Needs view_inventory_template; raises NotFound."""
        return self._seen(self._template(name, *self._shown()))

    @asks_nothing(Asked.ROOMS)
    def template_names(self) -> frozenset[str]:
        """Return the names of all kinds, for the checks of other rooms."""
        return frozenset(self.session.scalars(select(InventoryTemplate.item)))

    @needs("create_inventory_template")
    def create_template(self, data: TemplateInput) -> TemplateView:
        """Create a kind (PLT-355). Needs create_inventory_template; raises Conflict when the name is taken."""
        values = data.model_dump()
        _refuse_sealed_labels(values)
        self._refuse_taken_name(data.item)
        template = InventoryTemplate(**values)
        self.session.add(template)
        self.session.flush()
        self.work.activity.record("inventory_template", template.inventory_template_id, "Template created", new=values)
        self.session.flush()
        return _view(template)

    @needs("update_inventory_template")
    def update_template(self, inventory_template_id: int, change: TemplateChange) -> TemplateView:
        """Change the given fields (PLT-356). Items keep their texts and show them under new labels (PLT-358).

        A new name is written to the items too; the products that still ask for the old one are listed in
        `warnings` (PLT-359). Needs update_inventory_template; raises NotFound, InvalidInput, Conflict.
        """
        template = self.session.get(InventoryTemplate, inventory_template_id)
        if template is None:
            raise NotFound(
                _("There is no inventory template {inventory_template_id}.").format(
                    inventory_template_id=inventory_template_id
                )
            )
        check_version(template, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version"})
        refuse_blanks(given, _REQUIRED)
        _refuse_sealed_labels(given)
        given = {name: "" if name == "icon" and value is None else value for name, value in given.items()}
        former = template.item
        if given.get("item", former) != former:
            self._refuse_taken_name(given["item"])
        old, new = apply_changes(template, given)
        if not new:
            return _view(template)
        self.work.activity.record("inventory_template", inventory_template_id, "Template changed", old=old, new=new)
        self.session.flush()
        return _view(template, self._consequences(template, former, new))

    def _consequences(self, template: InventoryTemplate, former: str, new: Mapping[str, Any]) -> tuple[str, ...]:
        warnings = []
        if "item" in new:
            self.session.execute(
                update(InventoryItem)
                .where(InventoryItem.inventory_template_id == template.inventory_template_id)
                .values(item=template.item, version=InventoryItem.version + 1)
            )
            if names := self.work.catalog.names_needing(former):
                warnings.append(
                    _("These products still ask for {former}: {names}.").format(former=former, names=", ".join(names))
                )
        if any(name in new for name in LABEL_NAMES):
            warnings.append(_("Existing items keep their texts and show them under the new labels."))
        return tuple(warnings)

    def _shown(self) -> list[ColumnElement[bool]]:
        if not self.actor.is_outside:
            return []
        own = select(InventoryItem.inventory_template_id).where(InventoryItem.customer_id == self.actor.own_customer_id)
        kinds = InventoryTemplate.inventory_template_id
        return [or_(InventoryTemplate.allow_dropdown_customer.is_(True), kinds.in_(own))]

    def _seen(self, template: InventoryTemplate) -> TemplateView:
        view = _view(template)
        return replace(view, wholesale_cost=None) if self.actor.is_outside else view

    def _template(self, name: str, *conditions: ColumnElement[bool]) -> InventoryTemplate:
        template = self.session.scalar(select(InventoryTemplate).where(InventoryTemplate.item == name, *conditions))
        if template is None:
            raise NotFound(_("There is no inventory template {name}.").format(name=name))
        return template

    def _refuse_taken_name(self, name: str) -> None:
        if self.session.scalar(select(InventoryTemplate.item).where(InventoryTemplate.item == name)) is not None:
            raise Conflict(_("There is already an inventory template {name}.").format(name=name))


def labels_of(template: InventoryTemplate) -> tuple[str | None, ...]:
    """Return the labels of a kind's 20 texts, None where it has none."""
    return tuple(getattr(template, name) for name in LABEL_NAMES)


def _view(template: InventoryTemplate, warnings: tuple[str, ...] = ()) -> TemplateView:
    return view_of(template, TemplateView, labels=labels_of(template), warnings=warnings)


def _refuse_sealed_labels(values: Mapping[str, Any]) -> None:
    wrong = {
        name: _("has a sealed field of its own on every item; choose another label")
        for name in LABEL_NAMES
        if (values.get(name) or "").casefold() in SEALED_LABELS
    }
    if wrong:
        raise InvalidInput(_("Some fields are not right."), wrong)
