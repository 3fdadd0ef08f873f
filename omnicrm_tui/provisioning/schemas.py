"""Inputs and read models of provisioning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from gettext import gettext as _
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from omnicrm_tui.schemas import BLANK, MAX_ID, Input, blank_is_none

OptionalId = Annotated[int, Field(ge=1, le=MAX_ID)] | None


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(text) if (text := blank_is_none(value.strip())) else None
    except ValueError:
        raise ValueError(_("a day such as 2026-12-01")) from None


_BlankId = Annotated[OptionalId, BLANK]
_BlankText = Annotated[Annotated[str, Field(max_length=60)] | None, BLANK]


class ProvisionRequest(Input):
    """What a job is asked for (SVC-040, SVC-048).

    `inventory` maps an inventory type's name to the chosen item's id. `variables` override the product's
    defaults; types named there instead of in `inventory` are understood as choices. `terms_accepted` tells that
    whoever orders has accepted the product's terms: that is kept with its moment (BIL-128).
    """

    product_id: OptionalId = None
    customer_id: OptionalId = None
    service_id: OptionalId = None
    service_uuid: Annotated[str, Field(max_length=120)] | None = None
    action: Literal["provision", "deprovision"] | None = None
    provisioning_play: Annotated[str, Field(max_length=200)] | None = None
    terms_accepted: bool = False
    inventory: dict[str, Annotated[int, Field(ge=1, le=MAX_ID)]] = {}
    variables: dict[str, Any] = {}


class OrderDetails(Input):
    """Where a plan is installed, for whom, and what the buyer's books call it (SVC-181, SVC-183); all optional.

    They are variables of the job: a request gives them among its `variables`.
    """

    site_id: _BlankId = None
    billing_contact_id: _BlankId = None
    technical_contact_id: _BlankId = None
    purchase_order_number: _BlankText = None
    account_number: _BlankText = None
    cost_centre: _BlankText = None
    installation_date: Annotated[date | None, BeforeValidator(_day)] = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as lists show it (SVC-078)."""

    provision_id: int
    created: datetime
    customer_id: int | None
    customer_name: str | None
    product_id: int | None
    playbook_description: str
    provisioning_play: str
    provisioning_status: int
    status_reason: str
    task_count: int
    event_count: int
    action: str | None
    initiating_user: int | None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job, whole, without its events."""

    provision_id: int
    customer_id: int | None
    customer_name: str | None
    product_id: int | None
    service_id: int | None
    service_uuid: str | None
    provisioning_play: str
    playbook_description: str
    action: str | None
    provisioning_json_vars: dict[str, Any]
    inventory_choices: dict[str, int]
    provisioning_status: int
    status_reason: str
    error_message: str | None
    task_count: int
    event_count: int
    initiating_user: int | None
    retry_of: int | None
    cancel_requested: bool
    created: datetime
    started: datetime | None
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class EventView:
    """One task of a job; `provisioning_result_json` is a JSON text without secrets (SVC-030)."""

    provision_id: int
    event_number: int
    event_name: str
    phase: str
    provisioning_status: int
    provisioning_result_json: str
    timestamp: datetime
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """What the process that runs a job needs to know.

    `clean_up` says that an earlier process died: what that had done, which `facts` tell, is to be undone. Events are
    numbered on from `event_count`.
    """

    provision_id: int
    customer_id: int | None
    product_id: int | None
    service_id: int | None
    provisioning_play: str
    action: str | None
    initiating_user: int | None
    cancel_requested: bool
    clean_up: bool
    facts: Mapping[str, Any]
    event_count: int


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What a failed job may have left: the name of an account that no service has ("" for none), items held back."""

    provision_id: int
    account: str
    inventory_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class JobFigures:
    """Jobs by state since the beginning, and how the latest of them ended.

    `waiting` is the depth of the queue, since `oldest_waiting`; `recent` counts those that have ended among the latest
    jobs, `recent_failed` how many of them failed.
    """

    waiting: int
    running: int
    succeeded: int
    failed: int
    recent: int
    recent_failed: int
    oldest_waiting: datetime | None

    @property
    def success_rate(self) -> float | None:
        """The part of the latest jobs that ended well, 0 to 1; None before the first one."""
        return (self.recent - self.recent_failed) / self.recent if self.recent else None
