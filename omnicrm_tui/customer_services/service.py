"""What customers have: services, and what can be done with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import replace
from gettext import gettext as _
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, or_, select, update

from omnicrm_tui.catalog.schemas import ProductView
from omnicrm_tui.customer_services import rules
from omnicrm_tui.customer_services.models import CustomerService
from omnicrm_tui.customer_services.schemas import ServiceChange, ServiceInput, ServiceRow, ServiceView
from omnicrm_tui.database.lists import ListSpec, contains, flag, fold
from omnicrm_tui.database.views import apply_changes, check_version, view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.listing import COUNT_CAP, FIRST, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_itself, asks_nothing, needs
from omnicrm_tui.schemas import refuse_blanks
from omnicrm_tui.work import Service

_ENTITIES = (
    CustomerService.service_id,
    CustomerService.service_name,
    CustomerService.customer_id,
    CustomerService.product_id,
    CustomerService.service_type,
    CustomerService.service_uuid,
    CustomerService.service_status,
    CustomerService.start_date,
    CustomerService.end_date,
    CustomerService.retail_cost,
    CustomerService.auto_renew,
    CustomerService.icon,
    CustomerService.created,
)
_CLEARABLE = frozenset(
    {
        "service_notes",
        "service_active_date",
        "service_deactivate_date",
        "contract_end_date",
        "icon",
        "promo_code",
        "site_id",
        "service_type",
    }
)
_INHERITED = ("service_type", "icon", "retail_cost", "wholesale_cost", "provisioning_play", "provisioning_json_vars")
_CUSTOMERS_SEARCHED = 200


def _search(words: str) -> ColumnElement[bool]:
    conditions = [contains(CustomerService.search_text, fold(words))]
    if words.isdecimal() and len(words) <= 18:
        conditions.append(CustomerService.service_id == int(words))
    return or_(*conditions)


SERVICE_LIST: ListSpec[ServiceRow] = ListSpec(
    entities=_ENTITIES,
    build=lambda row: ServiceRow(*row[: len(_ENTITIES)]),
    primary_key=CustomerService.service_id,
    sorts={
        "service_id": CustomerService.service_id,
        "service_name": CustomerService.name_key,
        "service_type": CustomerService.service_type,
        "start_date": CustomerService.start_date,
        "end_date": CustomerService.end_date,
        "retail_cost": CustomerService.retail_cost,
    },
    search=_search,
    filters={
        "service_status": CustomerService.service_status.in_,
        "service_type": CustomerService.service_type.in_,
        "auto_renew": flag(CustomerService.auto_renew),
        "service_billed": flag(CustomerService.service_billed),
    },
)
"""Services (SVC-229..234); newest first is `descending=True`. A search matches name, number, UUID, the
identifiers of the items, and the customer's name (SVC-233)."""


class CustomerServicesService(Service):
    """Look up, create, change and delete services."""

    @needs("view_customer_service")
    def window(
        self, query: ListQuery, anchor: Anchor, limit: int, customer_id: int | None = None
    ) -> Window[ServiceRow]:
        """Return a window of services, of one customer or of all (SVC-229). Needs view_customer_service."""
        found = self._list(query).window(self.session, query, anchor, limit, *_of(customer_id))
        return replace(found, rows=self._finished(found.rows))

    @needs("view_customer_service")
    def count(self, query: ListQuery, cap: int = COUNT_CAP, customer_id: int | None = None) -> Count:
        """Count the matching services, up to `cap`. Needs view_customer_service."""
        return self._list(query).count(self.session, query, cap, *_of(customer_id))

    @needs("view_customer_service")
    def page(self, query: ListQuery, page: int, per_page: int, customer_id: int | None = None) -> Page[ServiceRow]:
        """Return a numbered page of services with the exact total (SVC-236). Needs view_customer_service."""
        found = self._list(query).page(self.session, query, page, per_page, *_of(customer_id))
        return replace(found, rows=self._finished(found.rows))

    @needs("view_customer_service")
    def get(self, service_id: int) -> ServiceView:
        """Return a service (CAT-199). Needs view_customer_service; raises NotFound."""
        return self._view(self._service(service_id))

    @asks_nothing(Asked.ROOMS)
    def known_uuids(self, names: Collection[str]) -> set[str]:
        """Return those of `names` that a service has for its UUID."""
        found = select(CustomerService.service_uuid).where(CustomerService.service_uuid.in_(names))
        return {name for name in self.session.scalars(found) if name}

    @needs("view_customer_service")
    def get_by_uuid(self, service_uuid: str) -> ServiceView:
        """Return the service of a charging account (CAT-201). Needs view_customer_service; raises NotFound."""
        service = self._by_uuid(service_uuid)
        if service is None:
            raise NotFound(_("There is no service with the UUID {service_uuid}.").format(service_uuid=service_uuid))
        return self._view(service)

    @needs("create_customer_service")
    def create(self, data: ServiceInput) -> ServiceView:
        """Create a service, with what was left out taken from the product (CAT-198, SVC-109, CAT-557).

        A job's service is noted on the job (SVC-025). Needs create_customer_service. Raises InvalidInput for
        an unknown customer, product, site or parent, Conflict when the UUID is taken.
        """
        self._check_links(data)
        values = self._with_defaults(data)
        service = CustomerService(
            **values, invoiced=False, provision_id=self.actor.provision_id, created=self.work.clock.now()
        )
        _refresh_keys(service)
        service.search_text = self._search_text(service, ())
        self.session.add(service)
        self.session.flush()
        self._record(service, "Service created", new=values)
        if self.actor.provision_id is not None:
            self.work.provisioning.attach_service(self.actor.provision_id, service.service_id, service.service_uuid)
        self.session.flush()
        return self._view(service)

    @needs("update_customer_service")
    def update(self, service_id: int, change: ServiceChange) -> ServiceView:
        """Change the given fields (CAT-202, CAT-073). Needs update_customer_service.

        Raises NotFound, InvalidInput, and Conflict for a stale `version`.
        """
        service = self._service(service_id)
        check_version(service, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version"})
        refuse_blanks(given, [name for name in given if name not in _CLEARABLE])
        if "service_type" in given:
            given["service_type"] = given["service_type"] or ""
        self._check_site(service.customer_id, given.get("site_id"))
        old, new = apply_changes(service, given)
        if new:
            _refresh_keys(service)
            self._record(service, "Service changed", old=old, new=new)
            self.session.flush()
            self.index(service_id)
        return self._view(service)

    @asks_itself("delete_customer_service", unless="this job made it: a rollback takes it back")
    def delete(self, service_id: int) -> None:
        """Delete a service as if it had never been: a job's rollback, or a mistake put right (CAT-203, SVC-097).

        Its transactions that are not invoiced are deleted with it, its items are freed; the activity log
        keeps what there was. A service that lived is deactivated instead (`service_status`). Needs
        delete_customer_service, except for the job that made the service. Raises NotFound, and Conflict when
        one of its transactions is invoiced.
        """
        service = self.session.get(CustomerService, service_id)
        own = service is not None and self._made_by_this_job(service)
        if not own:
            self.actor.require("delete_customer_service")
        if service is None:
            raise NotFound(_("There is no service {service_id}.").format(service_id=service_id))
        self.work.billing.discard_service(service_id)
        self.work.inventory.unlink_service(service_id)
        old = {"service_name": service.service_name, "service_uuid": service.service_uuid}
        self._record(service, "Service deleted", old=old)
        self.session.delete(service)
        self.session.flush()

    @asks_nothing(Asked.ROOMS)
    def customer_of(self, service_id: int) -> int | None:
        """Return whose service it is, for the checks of other rooms; None when there is none to be seen."""
        return self.session.scalar(select(CustomerService.customer_id).where(CustomerService.service_id == service_id))

    @asks_nothing(Asked.ROOMS)
    def holdings(self, customer_id: int) -> tuple[Set[int], Set[str]]:
        """Return products and service types of the services that are not over, for the catalogue (CAT-368)."""
        found = self.session.execute(
            select(CustomerService.product_id, CustomerService.service_type).where(
                CustomerService.customer_id == customer_id, CustomerService.service_status.not_in(rules.ENDED)
            )
        ).all()
        return {row.product_id for row in found if row.product_id is not None}, {row.service_type for row in found}

    @asks_nothing(Asked.ROOMS)
    def index(self, service_id: int) -> None:
        """Bring up to date what the service is looked up by; called when its items change (SVC-227)."""
        service = self.session.get(CustomerService, service_id)
        if service is None:
            return
        text = self._search_text(service, self.work.inventory.identifiers_of_service(service_id))
        # A plain UPDATE: whoever edits the service at this moment has not worked from a stale version.
        self.session.execute(
            update(CustomerService).where(CustomerService.service_id == service_id).values(search_text=text)
        )

    def _made_by_this_job(self, service: CustomerService) -> bool:
        job = self.actor.provision_id
        return self.actor.kind is ActorKind.JOB and job is not None and service.provision_id == job

    def _with_defaults(self, data: ServiceInput) -> dict[str, Any]:
        product = self._product(data.product_id)
        values = data.model_dump()
        for name in _INHERITED:
            if values[name] is None and product is not None:
                values[name] = getattr(product, name)
        values["service_type"] = values["service_type"] or ""
        for cost in ("retail_cost", "wholesale_cost"):
            values[cost] = values[cost] or 0
        if values["auto_renew"] is None and self.actor.provision_id is not None:
            values["auto_renew"] = self.work.provisioning.renewal_choice(self.actor.provision_id)
        if values["auto_renew"] is None:
            values["auto_renew"] = product is not None and product.auto_renew == "true"
        values["service_provisioned_date"] = data.service_provisioned_date or self.work.clock.now()
        values["service_uuid"] = data.service_uuid or f"Service_{uuid4()}"
        if self._by_uuid(values["service_uuid"]) is not None:
            raise Conflict(
                _("Another service already has the UUID {service_uuid}.").format(service_uuid=values["service_uuid"])
            )
        return values

    def _product(self, product_id: int | None) -> ProductView | None:
        if product_id is None:
            return None
        try:
            return self.work.catalog.get(product_id)
        except NotFound as error:
            raise InvalidInput(_("Some fields are not right."), {"product_id": _("is no product")}) from error

    def _check_links(self, data: ServiceInput) -> None:
        if not self.work.customers.names_of({data.customer_id}):
            raise InvalidInput(_("Some fields are not right."), {"customer_id": _("is no customer")})
        if data.bundled_parent is not None and self.customer_of(data.bundled_parent) != data.customer_id:
            raise InvalidInput(_("Some fields are not right."), {"bundled_parent": _("is no service of this customer")})
        self._check_site(data.customer_id, data.site_id)

    def _check_site(self, customer_id: int, site_id: int | None) -> None:
        if site_id is None:
            return
        if site_id not in {site.site_id for site in self.work.customers.sites(customer_id)}:
            raise InvalidInput(_("Some fields are not right."), {"site_id": _("is no site of this customer")})

    def _list(self, query: ListQuery) -> ListSpec[ServiceRow]:
        """Return the list; a search finds the services of customers with that name too."""
        if not query.search.strip() or not self.actor.may("view_customer"):
            return SERVICE_LIST
        rows = self.work.customers.window(ListQuery(search=query.search), FIRST, _CUSTOMERS_SEARCHED).rows
        ids = [row.customer_id for row in rows]
        return replace(SERVICE_LIST, search=lambda words: or_(_search(words), CustomerService.customer_id.in_(ids)))

    def _finished(self, rows: Sequence[ServiceRow]) -> list[ServiceRow]:
        names = self.work.customers.names_of({row.customer_id for row in rows})
        now = self.work.clock.now()
        return [
            replace(
                row,
                customer_name=names.get(row.customer_id),
                end_date=None if row.end_date == rules.NO_END else row.end_date,
                end_notice=rules.end_notice(row.service_status, row.end_date or rules.NO_END, now),
            )
            for row in rows
        ]

    def _view(self, service: CustomerService) -> ServiceView:
        product_id, owner = service.product_id, service.customer_id
        hidden = dict.fromkeys(("wholesale_cost", "service_notes")) if self.actor.is_outside else {}
        products = self.work.catalog.names_of({product_id}) if product_id is not None else {}
        return view_of(
            service,
            ServiceView,
            customer_name=self.work.customers.names_of({owner}).get(owner),
            product_name=products.get(product_id or 0),
            end_date=None if service.end_date == rules.NO_END else service.end_date,
            end_notice=rules.end_notice(service.service_status, service.end_date, self.work.clock.now()),
            **hidden,
        )

    def _search_text(self, service: CustomerService, identifiers: Sequence[str]) -> str:
        return fold(rules.search_text((service.service_name, service.service_uuid, *identifiers)))

    def _record(self, service: CustomerService, action: str, **values: Any) -> None:
        self.work.activity.record(
            "service",
            service.service_id,
            action,
            customer_id=service.customer_id,
            service_id=service.service_id,
            **values,
        )

    def _by_uuid(self, service_uuid: str) -> CustomerService | None:
        return self.session.scalar(select(CustomerService).where(CustomerService.service_uuid == service_uuid))

    def _service(self, service_id: int) -> CustomerService:
        service = self.session.get(CustomerService, service_id)
        if service is None:
            raise NotFound(_("There is no service {service_id}.").format(service_id=service_id))
        return service


def _of(customer_id: int | None) -> list[ColumnElement[bool]]:
    return [] if customer_id is None else [CustomerService.customer_id == customer_id]


def _refresh_keys(service: CustomerService) -> None:
    service.name_key = fold(service.service_name)[:200]
    service.start_date = rules.first_day(service.service_active_date, service.service_provisioned_date, service.created)
    service.end_date = rules.last_day(service.service_deactivate_date, service.contract_end_date)
