"""Provisioning: starting, watching, cancelling and repeating jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from gettext import gettext as _
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from omnicrm_tui.catalog import rules as catalog_rules
from omnicrm_tui.database.lists import ListSpec, contains
from omnicrm_tui.database.types import UtcDateTime
from omnicrm_tui.database.views import view_of
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, OutsideSystemError
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.identity.permissions import VIEW_STATUS
from omnicrm_tui.languages import N_
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import Asked, asks_itself, asks_nothing, needs
from omnicrm_tui.provisioning import order_checks, play_file
from omnicrm_tui.provisioning.dispatcher import Dispatcher
from omnicrm_tui.provisioning.figures import job_figures
from omnicrm_tui.provisioning.models import Provision, ProvisionEvent
from omnicrm_tui.provisioning.rules import (
    CUSTOMER_VARIABLES,
    DEPROVISION,
    FAILED,
    RUNNING,
    SUCCESS,
    may_cancel,
    merge_variables,
    reserved_names,
    split_inventory,
)
from omnicrm_tui.provisioning.schemas import EventView, JobFigures, JobRow, JobView, LeftOver, ProvisionRequest
from omnicrm_tui.provisioning.variables import masked, open_variables, seal_variables
from omnicrm_tui.redaction import cap
from omnicrm_tui.work import Service

_ENTITIES = (
    Provision.provision_id,
    Provision.created,
    Provision.customer_id,
    Provision.product_id,
    Provision.playbook_description,
    Provision.provisioning_play,
    Provision.provisioning_status,
    Provision.status_reason,
    Provision.task_count,
    Provision.event_count,
    Provision.action,
    Provision.initiating_user,
)


_STATUSES = {str(status): status for status in (SUCCESS, RUNNING, FAILED)}


def _job_row(row: Any) -> JobRow:
    values = dict(zip((column.key for column in _ENTITIES), row, strict=False))
    return JobRow(customer_name=None, **values)


def _search(words: str) -> ColumnElement[bool]:
    conditions = [contains(Provision.playbook_description, words), contains(Provision.provisioning_play, words)]
    if words.isdecimal() and len(words) <= 18:
        conditions.append(Provision.provision_id == int(words))
    return or_(*conditions)


def _statuses(values: Sequence[str]) -> list[int]:
    if not set(values) <= _STATUSES.keys():
        raise InvalidInput(_("Some filters are not right."), {"provisioning_status": _("0, 1 or 2")})
    return [_STATUSES[value] for value in values]


JOB_LIST: ListSpec[JobRow] = ListSpec(
    entities=_ENTITIES,
    build=_job_row,
    primary_key=Provision.provision_id,
    sorts={"provision_id": Provision.provision_id},
    search=_search,
    filters={
        "provisioning_status": lambda values: Provision.provisioning_status.in_(_statuses(values)),
        "status_reason": Provision.status_reason.in_,
        "provisioning_play": Provision.provisioning_play.in_,
    },
)
"""Jobs (SVC-043..045, SVC-078); a search matches the play's description, its name or the job's number."""


_LATEST_FAILED = 100
"""How far back `left_over` looks."""


class ProvisioningService(Service):
    """Starts jobs and shows what they do."""

    @asks_itself("create_provision", "view_provision", unless="a customer orders: then view_provision")
    def start(self, request: ProvisionRequest) -> JobView:
        """Create a job, reserve the chosen items and hand it on once this use case has committed.

        Needs create_provision; a customer's user needs view_own_provision and orders for itself (SVC-080).
        Raises NotFound, InvalidInput (product not for this customer, customer not open for sale, an add-on
        without a service that it fits, an inventory type not chosen, somebody else's site or contact), Conflict (an
        item is no longer free).
        """
        if request.action == DEPROVISION:
            return self._start_deprovision(request)
        customer_id = self._ordering_customer(request)
        if request.product_id is None:
            raise InvalidInput(_("Some fields are not right."), {"product_id": _("is required")})
        product = self.work.catalog.get(request.product_id)
        service = order_checks.receiver(self.work, request.service_id, customer_id)
        order_checks.check_order(self.work, product, customer_id, service, request)
        types = product.inventory_items
        from_variables, variables = split_inventory(request.variables, types)
        if self.actor.is_outside:
            _refuse(variables.keys() - CUSTOMER_VARIABLES, _("is set by the operator"))
        variables = order_checks.with_details(self.work, variables, customer_id)
        choices = _complete_choices(types, {**from_variables, **request.inventory})
        system = {"product_id": product.product_id, "customer_id": customer_id}
        if service is not None:
            system |= {"service_id": service.service_id}
        defaults = catalog_rules.parse_vars(product.provisioning_json_vars)
        job = self._create(
            play=request.provisioning_play or product.provisioning_play,
            variables=merge_variables(defaults, variables, system, choices),
            choices=choices,
            customer_id=customer_id,
            product_id=product.product_id,
            service_id=request.service_id,
        )
        self.work.inventory.reserve(choices, job.provision_id)
        if request.terms_accepted and product.terms.strip():
            self.work.activity.record("product", product.product_id, "Terms accepted", customer_id=customer_id)
        return self._view(job)

    def _start_deprovision(self, request: ProvisionRequest) -> JobView:
        """Run the cleanup part of a service's play (SVC-048, CAT-452, CAT-558)."""
        self.actor.require("create_provision")
        if request.service_id is None:
            raise InvalidInput(_("Some fields are not right."), {"service_id": _("is required")})
        service = self.work.customer_services.get(request.service_id)
        if request.service_uuid not in (None, service.service_uuid):
            raise InvalidInput(_("Some fields are not right."), {"service_uuid": _("belongs to another service")})
        product = self.work.catalog.get(service.product_id) if service.product_id is not None else None
        play = request.provisioning_play or service.deprovisioning_play or service.provisioning_play
        if not play and product is not None:
            play = product.provisioning_play
        defaults = catalog_rules.parse_vars(service.deprovisioning_json_vars or service.provisioning_json_vars or "")
        items = {item.item: item.inventory_id for item in self.work.inventory.items_of_service(service.service_id)}
        system = {
            "product_id": service.product_id,
            "customer_id": service.customer_id,
            "service_id": service.service_id,
            "service_uuid": service.service_uuid,
            "action": DEPROVISION,
        }
        job = self._create(
            play=play or "",
            variables=merge_variables(defaults, request.variables, system, items),
            choices=items,
            customer_id=service.customer_id,
            product_id=service.product_id,
            service_id=service.service_id,
            action=DEPROVISION,
        )
        job.service_uuid = service.service_uuid
        return self._view(job)

    @needs("create_provision")
    def retry(self, provision_id: int) -> JobView:
        """Start another attempt with the same product, variables and items (SVC-011).

        Needs create_provision; raises Conflict while the job or another attempt at it runs, or when one succeeded,
        InvalidInput when the customer may not order any more or the service is over.
        """
        # For itself alone: of two people who try again at once only one orders.
        job = self.session.get(Provision, provision_id, with_for_update=True) or self._job(provision_id)
        if job.provisioning_status != FAILED:
            raise Conflict(_("Only a failed job can be tried again."))
        attempts = select(Provision.provision_id).where(Provision.retry_of == provision_id)
        if other := self.session.scalar(attempts.where(Provision.provisioning_status != FAILED)):
            raise Conflict(_("Job {other} is another attempt at this one already.").format(other=other))
        deprovision = job.action == DEPROVISION
        service_id = job.service_id if deprovision or "service_id" in job.provisioning_json_vars else None
        if not deprovision and job.product_id is not None and job.customer_id is not None:
            order_checks.check_again(self.work, job.product_id, job.customer_id, service_id)
        again = self._create(
            play=job.provisioning_play,
            variables=open_variables(self.work, job),
            choices=dict(job.inventory_choices),
            customer_id=job.customer_id,
            product_id=job.product_id,
            service_id=service_id,
            action=job.action,
        )
        again.retry_of = job.provision_id
        if not deprovision:
            self.work.inventory.reserve(dict(job.inventory_choices), again.provision_id)
        return self._view(again)

    @asks_itself(
        "update_provision", "create_provision", unless="one has started the job oneself: then it is create_provision"
    )
    def cancel(self, provision_id: int) -> JobView:
        """Ask a running job to stop and roll back; raises Conflict when it has ended.

        Needs update_provision, or create_provision for a job that one has started oneself (BIL-455).
        """
        found = self.session.get(Provision, provision_id)
        if not may_cancel(self.actor, found.initiating_user if found is not None else None):
            self.actor.require("update_provision")
        job = found or self._job(provision_id)
        if job.provisioning_status != RUNNING:
            raise Conflict(_("This job has already ended."))
        job.cancel_requested = True
        self._record(job, "Provisioning cancelled")
        self.session.flush()
        return self._view(job)

    @asks_nothing(Asked.ROOMS)
    def cancel_of_user(self, user_id: int, as_another: Sequence[int] = ()) -> None:
        """Cancel what a user who is revoked still has running: it rolls back with what its token is then good for.

        `as_another` are the jobs that it started while it acted as another user. Asks for no permission: it is part of
        revoking.
        """
        started = or_(Provision.initiating_user == user_id, Provision.provision_id.in_(as_another))
        self._cancel_running(started, N_("Provisioning cancelled: its user was revoked"))

    @asks_nothing(Asked.ROOMS)
    def cancel_of_key(self, provision_ids: Sequence[int]) -> None:
        """Cancel what an API key that is revoked started and still has running, as `cancel_of_user` does."""
        started = Provision.provision_id.in_(provision_ids)
        self._cancel_running(started, N_("Provisioning cancelled: its API key was revoked"))

    def _cancel_running(self, which: ColumnElement[bool], action: str) -> None:
        running = (which, Provision.provisioning_status == RUNNING)
        jobs = self.session.scalars(select(Provision).where(*running, Provision.cancel_requested.is_(False))).all()
        # A plain UPDATE: a job that ends at this moment must not keep an administrator from revoking.
        asked = update(Provision).where(*running).values(cancel_requested=True)
        self.session.execute(asked.execution_options(synchronize_session=False))
        for job in jobs:
            self._record(job, action)

    @needs("view_provision")
    def get(self, provision_id: int) -> JobView:
        """Return a job (SVC-041). Needs view_provision; raises NotFound."""
        return self._view(self._job(provision_id))

    @needs("view_provision")
    def abandoned(self) -> Sequence[int]:
        """Return the running jobs whose process no longer renews its lease. Needs view_provision."""
        now_ms = int(self.work.clock.now().timestamp() * 1000)
        dead = (Provision.provisioning_status == RUNNING, Provision.lease_until_ms < now_ms)
        return self.session.scalars(select(Provision.provision_id).where(*dead).order_by(Provision.provision_id)).all()

    @needs("view_provision")
    def unstarted(self, seconds: int) -> Sequence[int]:
        """Return the jobs that have waited longer than that for a process. Needs view_provision."""
        before = self.work.clock.now() - timedelta(seconds=seconds)
        since = func.coalesce(Provision.started, Provision.created, type_=UtcDateTime)
        waiting = (Provision.provisioning_status == RUNNING, Provision.lease_until_ms.is_(None), since < before)
        found = select(Provision.provision_id).where(*waiting)
        return self.session.scalars(found.order_by(Provision.provision_id)).all()

    @needs("view_provision")
    def left_over(self) -> Sequence[LeftOver]:
        """Return what the latest jobs that failed may have left: an account without a service, items held back.

        Needs view_provision. The charging system is not asked whether the account is there.
        """
        failed = select(Provision).where(Provision.provisioning_status == FAILED, Provision.action.is_(None))
        jobs = self.session.scalars(failed.order_by(Provision.provision_id.desc()).limit(_LATEST_FAILED)).all()
        items = {number for job in jobs if job.clean_ups for number in job.inventory_choices.values()}
        held_back = self.work.inventory.out_of_service(items)
        names = {str(job.facts["service_uuid"]) for job in jobs if job.facts.get("service_uuid")}
        services = self.work.customer_services.known_uuids(names)
        found = []
        for job in jobs:
            account = str(job.facts.get("service_uuid") or "")
            mine = held_back & set(job.inventory_choices.values()) if job.clean_ups else set()
            if mine or (account and account not in services):
                found.append(LeftOver(job.provision_id, "" if account in services else account, tuple(sorted(mine))))
        return found

    @needs("view_provision")
    def events(self, provision_id: int, after: int = 0) -> Sequence[EventView]:
        """Return a job's events numbered above `after`, in order. Needs view_provision."""
        found = self.session.scalars(
            select(ProvisionEvent)
            .where(ProvisionEvent.provision_id == provision_id, ProvisionEvent.event_number > after)
            .order_by(ProvisionEvent.event_number)
        )
        return [view_of(event, EventView) for event in found]

    @needs("view_provision")
    def planned_tasks(self, provision_id: int) -> Sequence[str]:
        """Return the names of the play's main tasks in order, so that pending ones can be shown (SVC-077).

        Empty when the play cannot be read: the job's own fatal event says why.
        """
        play = self._read_play(self._job(provision_id).provisioning_play)
        return [task.name for task in play.tasks if task.phase == play_file.MAIN] if play else []

    @needs("view_provision")
    def window(self, query: ListQuery, anchor: Anchor, limit: int, customer_id: int | None = None) -> Window[JobRow]:
        """Return a window of the job list (SVC-078). Needs view_provision."""
        window = JOB_LIST.window(self.session, query, anchor, limit, *_of(customer_id))
        return Window(self._named(window.rows), window.keys, window.more_before, window.more_after)

    @needs("view_provision")
    def count(self, query: ListQuery, cap: int = COUNT_CAP, customer_id: int | None = None) -> Count:
        """Count the matching jobs, up to `cap`. Needs view_provision."""
        return JOB_LIST.count(self.session, query, cap, *_of(customer_id))

    @needs("view_provision")
    def page(self, query: ListQuery, page: int, per_page: int, customer_id: int | None = None) -> Page[JobRow]:
        """Return a numbered page of jobs (SVC-043). Needs view_provision."""
        found = JOB_LIST.page(self.session, query, page, per_page, *_of(customer_id))
        return Page(self._named(found.rows), found.page, found.per_page, found.total)

    @needs("view_provision")
    def choices(self, provision_id: int) -> dict[str, int]:
        """Return the items of a job, by type. Needs view_provision; raises NotFound."""
        return dict(self._job(provision_id).inventory_choices)

    @asks_nothing(Asked.ROOMS)
    def customer_of(self, provision_id: int) -> int | None:
        """Return whom a job works for, for the checks of other rooms; None when there is no such job."""
        return self.session.scalar(select(Provision.customer_id).where(Provision.provision_id == provision_id))

    @asks_nothing(Asked.ROOMS)
    def renewal_choice(self, provision_id: int) -> bool | None:
        """Return what was answered to "enable auto-renewal?" when the job was ordered (SVC-172); None if not asked."""
        answer = self._job(provision_id).provisioning_json_vars.get("auto_renew")
        return None if answer is None else str(answer).lower() in ("true", "1", "yes")

    @asks_nothing(Asked.ROOMS)
    def attach_service(self, provision_id: int, service_id: int, service_uuid: str) -> None:
        """Note which service a job made (SVC-025, SVC-121); called when a job's play creates one."""
        job = self._job(provision_id)
        job.service_id = service_id
        job.service_uuid = service_uuid

    def _ordering_customer(self, request: ProvisionRequest) -> int:
        if self.actor.kind is ActorKind.CUSTOMER:
            own = self.actor.own_customer_id
            self.actor.require("view_provision")
            if own is None or request.customer_id not in (None, own):
                raise NotFound(_("There is no customer {customer_id}.").format(customer_id=request.customer_id))
            return own
        self.actor.require("create_provision")
        if request.customer_id is None:
            raise InvalidInput(_("Some fields are not right."), {"customer_id": _("is required")})
        return request.customer_id

    def _create(
        self,
        *,
        play: str,
        variables: dict[str, Any],
        choices: dict[str, int],
        customer_id: int | None,
        product_id: int | None,
        service_id: int | None,
        action: str | None = None,
    ) -> Provision:
        _refuse(reserved_names(variables), _("is set by the system alone"))
        initiator = self.actor.user_id or self.work.identity.first_admin_id()
        variables = {**variables, "initiating_user": initiator}
        found = self._read_play(play)
        job = Provision(
            customer_id=customer_id,
            product_id=product_id,
            service_id=service_id,
            provisioning_play=play,
            playbook_description=found.description if found else play,
            task_count=found.task_count if found else 0,
            action=action,
            provisioning_json_vars=masked(variables),
            inventory_choices=choices,
            facts={},
            provisioning_status=RUNNING,
            status_reason="queued",
            initiating_user=initiator,
            cancel_requested=False,
            event_count=0,
        )
        self.session.add(job)
        self.session.flush()
        seal_variables(self.work, job, variables)
        self.work.identity.grant_job(job.provision_id)
        self._record(job, "Deprovisioning started" if action == DEPROVISION else "Provisioning started")
        dispatcher, provision_id = self.work.dispatcher, job.provision_id
        self.work.after_commit(lambda: _hand_on(dispatcher, provision_id))
        return job

    def _read_play(self, name: str) -> play_file.Play | None:
        """Return the play, or None for one that cannot be read: the job then ends with a fatal event (SVC-125)."""
        try:
            return play_file.read_play(play_file.find_play(name, play_file.search_path(self.work.settings.home)))
        except play_file.PlayProblem:
            return None

    @needs(VIEW_STATUS)
    def figures(self) -> JobFigures:
        """Return how many jobs wait and run, and how they end (PLT-069). Needs view_status."""
        return job_figures(self.session)

    def _record(self, job: Provision, action: str) -> None:
        self.work.activity.record(
            "provisioning",
            job.provision_id,
            action,
            customer_id=job.customer_id,
            service_id=job.service_id,
            new={"provisioning_play": job.provisioning_play, "product_id": job.product_id},
        )

    def _named(self, rows: Sequence[JobRow]) -> list[JobRow]:
        names = self.work.customers.names_of({row.customer_id for row in rows if row.customer_id is not None})
        return [replace(row, customer_name=names.get(row.customer_id or 0)) for row in rows]

    def _view(self, job: Provision) -> JobView:
        names = self.work.customers.names_of({job.customer_id} if job.customer_id is not None else set())
        shown = cap(job.provisioning_json_vars)
        return view_of(job, JobView, customer_name=names.get(job.customer_id or 0), provisioning_json_vars=shown)

    def _job(self, provision_id: int) -> Provision:
        job = self.session.get(Provision, provision_id)
        if job is None:
            raise NotFound(_("There is no job {provision_id}.").format(provision_id=provision_id))
        return job


def _of(customer_id: int | None) -> list[ColumnElement[bool]]:
    return [] if customer_id is None else [Provision.customer_id == customer_id]


def _hand_on(dispatcher: Dispatcher, provision_id: int) -> None:
    try:
        dispatcher.dispatch(provision_id)
    except OSError as error:
        raise OutsideSystemError(
            _(
                "Job {provision_id} was written down, but its process could not be started: {reason}. It will end "
                "as interrupted; try it again then."
            ).format(provision_id=provision_id, reason=error.strerror)
        ) from error


def _refuse(names: Iterable[str], why: str) -> None:
    if wrong := dict.fromkeys(sorted(names), why):
        raise InvalidInput(_("Some variables cannot be given."), wrong)


def _complete_choices(types: tuple[str, ...], choices: dict[str, Any]) -> dict[str, int]:
    """Check that each required type has an item (BIL-105) and that nothing else was chosen."""
    missing = {name: _("choose an item") for name in types if choices.get(name) in (None, "")}
    if missing:
        raise InvalidInput(_("Some inventory items are not chosen."), missing)
    unknown = {name: _("is not needed by this product") for name in choices if name not in types}
    if unknown:
        raise InvalidInput(_("Some inventory items are not needed."), unknown)
    numbers = {name: str(choices[name]).strip() for name in types}
    if wrong := {name: "a number" for name, text in numbers.items() if not re.fullmatch("[0-9]{1,18}", text)}:
        raise InvalidInput(_("Inventory items are given by their number."), wrong)
    return {name: int(text) for name, text in numbers.items()}
