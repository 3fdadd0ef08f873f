"""What an account in the charging system looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

AccountState = Literal["active", "disabled", "missing", "hidden"]
"""`missing`: no such account in the charging system; `hidden`: its usage is not shown to the customer."""


@dataclass(frozen=True, slots=True)
class BalanceView:
    """One bucket of an account (CAT-153..162, SVC-328).

    `type` is DATA, VOICE, SMS, MONETARY or another name of the charging system. `value` and `granted` are in
    the unit that `unit` names: bytes, seconds, messages, or the currency's main unit. `granted` and
    `remaining_percent` (0..100, rounded down) are None where the grant is not known. `expires` is None for
    never.
    """

    type: str
    id: str
    name: str
    value: Decimal
    unit: str
    text: str
    granted: Decimal | None
    remaining_percent: int | None
    unlimited: bool
    expires: datetime | None
    expired: bool
    expiry_text: str
    weight: float
    destinations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActionPlanView:
    """A scheduled renewal (CAT-163..167, SVC-356, SVC-357). `parts` are the named parts of its id."""

    action_plan_id: str
    plan_name: str
    action_name: str
    frequency: str
    next_exec_time: datetime | None
    next_exec_text: str
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AccountView:
    """The charging side of a service: balances in order of type and use, and what will be renewed."""

    service_id: int
    service_uuid: str
    state: AccountState
    balances: tuple[BalanceView, ...] = ()
    action_plans: tuple[ActionPlanView, ...] = ()
