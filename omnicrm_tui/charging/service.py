"""The charging side of services: balances and renewals, read from the charging system when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from gettext import gettext as _
from typing import Any

from omnicrm_tui.charging import rules
from omnicrm_tui.charging.schemas import AccountView, ActionPlanView, BalanceView
from omnicrm_tui.errors import OutsideSystemError
from omnicrm_tui.identity.permissions import VIEW_STATUS
from omnicrm_tui.integrations.ocs import OcsClient
from omnicrm_tui.needs import Asked, asks_nothing, needs
from omnicrm_tui.work import Service, Work

_LARGEST = Decimal(10) ** 24
_NONSENSE = _("The charging system answered something that is no account. Ask the operator of the charging system.")


class ChargingService(Service):
    """Shows accounts. `ocs` replaces the configured charging system in tests."""

    def __init__(self, work: Work, ocs: OcsClient | None = None) -> None:
        super().__init__(work)
        section = work.settings.ocs
        self._ocs = ocs or OcsClient(section.cgrates or section.OCS, section.ocsTenant, section.timeout_seconds)

    @asks_nothing(Asked.PRODUCT)
    def ping(self) -> None:
        """Ask the charging system whether it lives; raises OutsideSystemError when it does not."""
        self._ocs.call("CoreSv1.Ping", {})

    @needs(VIEW_STATUS)
    def has_account(self, service_uuid: str) -> bool:
        """Tell whether there is an account of that name. Needs view_status; raises OutsideSystemError."""
        return self._ocs.find("ApierV2.GetAccount", {"Account": service_uuid}) is not None

    @needs("view_customer_service")
    def account(self, service_id: int) -> AccountView:
        """Return balances and renewals of a service (CAT-375, SVC-351). Needs view_customer_service.

        For a customer's user the state is `hidden` and nothing else is told where the service says so
        (CAT-063). Call it in `crm.reading`: the charging system may take its time. Raises NotFound, and
        OutsideSystemError when the charging system is unreachable, slow, or answers nonsense.
        """
        service = self.work.customer_services.get(service_id)
        if self.actor.is_outside and not service.service_usage_visible_to_customer:
            return AccountView(service_id, service.service_uuid, "hidden")
        asked = {"Account": service.service_uuid}
        account = self._ocs.find("ApierV2.GetAccount", asked)
        if account is None:
            return AccountView(service_id, service.service_uuid, "missing")
        plans = self._ocs.find("ApierV1.GetAccountActionPlan", asked)
        try:
            return AccountView(
                service_id,
                service.service_uuid,
                "disabled" if _field(account, "Disabled") else "active",
                self._balances(_field(account, "BalanceMap")),
                self._plans(plans),
            )
        except (TypeError, ValueError, InvalidOperation, AttributeError) as error:
            raise OutsideSystemError(_NONSENSE) from error

    def _balances(self, balance_map: Mapping[str, Any] | None) -> tuple[BalanceView, ...]:
        """Return the buckets: data, voice, messages, money; then as they are used, higher weight first (SVC-343)."""
        found = [
            self._balance(rules.balance_type(key), bucket)
            for key, buckets in (balance_map or {}).items()
            for bucket in buckets or ()
        ]
        return tuple(sorted(found, key=_place))

    def _balance(self, kind: str, bucket: Mapping[str, Any]) -> BalanceView:
        section, now = self.work.settings.ocs, self.work.clock.now()
        balance_id = str(_field(bucket, "ID") or "")
        value = rules.to_unit(kind, _number(bucket, "Value"), voice=section.voice_unit, money=section.money_unit)
        granted = rules.granted_by_name(kind, balance_id)
        expires = rules.moment(_field(bucket, "ExpirationDate") or _field(bucket, "ExpiryTime"))
        unlimited = rules.is_unlimited(kind, value, balance_id)
        return BalanceView(
            type=kind,
            id=balance_id,
            name=rules.display_name(balance_id) or kind.capitalize(),
            value=value,
            unit=rules.UNITS.get(rules.family(kind), "units"),
            text=rules.description(kind, value, unlimited=unlimited, money=self._money(kind, value)),
            granted=None if unlimited else granted,
            remaining_percent=100 if unlimited else rules.remaining_percent(value, granted),
            unlimited=unlimited,
            expires=expires,
            expired=expires is not None and expires <= now,
            expiry_text=rules.relative(expires, now),
            weight=float(_number(bucket, "Weight")),
            destinations=_destinations(_field(bucket, "DestinationIDs")),
        )

    def _plans(self, plans: list[Mapping[str, Any]] | None) -> tuple[ActionPlanView, ...]:
        found = [self._plan(plan) for plan in plans or ()]
        return tuple(sorted(found, key=lambda plan: (plan.next_exec_time is None, str(plan.next_exec_time))))

    def _plan(self, plan: Mapping[str, Any]) -> ActionPlanView:
        action_plan_id = str(_field(plan, "ActionPlanId") or "")
        parts = rules.plan_parts(action_plan_id)
        when = rules.moment(_field(plan, "NextExecTime"))
        frequency = parts.get("ProductID", "") if parts.get("ProductID", "").endswith("Plan") else ""
        return ActionPlanView(
            action_plan_id=action_plan_id,
            plan_name=parts.get("ProductName", _("N/A")),
            action_name=parts.get("ActionPlan", _("N/A")),
            frequency=_("Every {frequency}").format(frequency=frequency) if frequency else _("N/A"),
            next_exec_time=when,
            next_exec_text=rules.relative(when, self.work.clock.now()),
            parts=parts,
        )

    def _money(self, kind: str, value: Decimal) -> str:
        if rules.family(kind) != rules.MONETARY:
            return ""
        # Imported here: only who has money on an account pays for the tables of all currencies.
        from omnicrm_tui.languages import locales

        crm = self.work.settings.crm
        return locales.money(value, crm.currency, crm)


def _field(record: Mapping[str, Any], name: str) -> Any:
    """Return a field whose name is matched without regard to case, as the charging system does; None if absent."""
    if name in record:
        return record[name]
    wanted = name.lower()
    return next((value for key, value in record.items() if key.lower() == wanted), None)


def _number(record: Mapping[str, Any], name: str) -> Decimal:
    value = _field(record, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        if value is None:
            return Decimal(0)
        raise TypeError(f"{name} is no number")
    number = Decimal(str(value))
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise ValueError(f"{name} is out of range")
    return number


def _destinations(value: Any) -> tuple[str, ...]:
    """Return the destinations of a bucket; older versions write them as one text."""
    if isinstance(value, str):
        return tuple(part for part in value.split(";") if part)
    return tuple(sorted(str(name) for name in value or ()))


def _place(balance: BalanceView) -> tuple[int, str, float, datetime | str, str]:
    order = rules.TYPE_ORDER
    kind = rules.family(balance.type)
    place = order.index(kind) if kind in order else len(order)
    ends = balance.expires.isoformat() if balance.expires is not None else "9999"
    return place, balance.type, -balance.weight, ends, balance.id
