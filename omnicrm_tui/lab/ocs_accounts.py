"""The OCS methods on accounts and their balances (SVC-515, SVC-516, SVC-519, SVC-523, CAT-491..CAT-499)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from omnicrm_tui.lab import ocs_engine as engine
from omnicrm_tui.lab import ocs_plans as plans
from omnicrm_tui.lab.ocs_binding import (
    ANY,
    FLAG,
    FLAGS,
    FREE,
    NUMBER,
    TEXT,
    TEXTS,
    WHOLE,
    ListOf,
    Struct,
    balance_filter,
    go_number,
)
from omnicrm_tui.lab.ocs_core import ACCOUNT, Method, Ocs, page, require
from omnicrm_tui.lab.ocs_errors import OcsError, missing, not_found, server_error
from omnicrm_tui.lab.ocs_views import account_v1, account_v2

_SET_V1 = Struct(
    "AttrSetAccount",
    {
        "Tenant": TEXT,
        "Account": TEXT,
        "ActionPlanID": TEXT,
        "ActionPlansOverwrite": FLAG,
        "ActionTriggersID": TEXT,
        "ActionTriggerOverwrite": FLAG,
        "ExtraOptions": FLAGS,
        "ReloadScheduler": FLAG,
    },
)
_SET_V2 = Struct("AttrSetAccount", {**_SET_V1.fields, "ActionPlanIDs": TEXTS, "ActionTriggerIDs": TEXTS})
_GET = Struct("AttrGetAccount", {"Tenant": TEXT, "Account": TEXT})
_LIST = Struct(
    "AttrGetAccounts",
    {"Tenant": TEXT, "AccountIDs": TEXTS, "Offset": WHOLE, "Limit": WHOLE, "Filter": FLAGS, "Search": TEXT},
)
_REMOVE = Struct("AttrRemoveAccount", {"Tenant": TEXT, "Account": TEXT, "ReloadScheduler": FLAG})
_BALANCE = {
    "Tenant": TEXT,
    "Account": TEXT,
    "BalanceType": TEXT,
    "Value": NUMBER,
    "Balance": FREE,
    "ActionExtraData": FREE,
    "Overwrite": FLAG,
    "Cdrlog": FLAG,
}
_ADD = Struct("AttrAddBalance", _BALANCE)
_SET_ONE = Struct("AttrSetBalance", _BALANCE)
_SET_MANY = Struct(
    "AttrSetBalances", {"Tenant": TEXT, "Account": TEXT, "Balances": ListOf(Struct("AttrBalance", _BALANCE))}
)
_TRANSFER = Struct(
    "AttrTransferBalance",
    {
        "Tenant": TEXT,
        "SourceAccountID": TEXT,
        "SourceBalanceID": TEXT,
        "DestinationAccountID": TEXT,
        "DestinationBalanceID": TEXT,
        "DestinationReferenceValue": ANY,
        "Units": NUMBER,
        "Cdrlog": FLAG,
    },
)
_TRIGGERS = Struct(
    "AttrResetAccountActionTriggers",
    {"Tenant": TEXT, "Account": TEXT, "GroupID": TEXT, "UniqueID": TEXT, "Executed": FLAG},
)
_USAGE = Struct(
    "UsageRecord",
    {"Tenant": TEXT, "Account": TEXT, "ToR": TEXT, "Category": TEXT, "Usage": TEXT},
)


def _set_account(ocs: Ocs, args: dict[str, Any], plan_ids: list[str], *, overwrite: bool) -> str:
    require(args, "Account")
    account_id = ocs.key(args)
    try:
        due = plans.attach(ocs, account_id, plan_ids, overwrite=overwrite)
    except OcsError as error:
        raise server_error(str(error)) from None
    account = ocs.find(account_id) or engine.Account(account_id)
    options = {name.lower(): flag for name, flag in (args["ExtraOptions"] or {}).items()}
    account.allow_negative = options.get("allownegative", account.allow_negative)
    account.disabled = options.get("disabled", account.disabled)
    ocs.save(account)
    for actions_id in due:
        plans.execute(ocs, actions_id, account_id)
    return "OK"


def _set_account_v1(ocs: Ocs, args: dict[str, Any]) -> str:
    wanted = [args["ActionPlanID"]] if args["ActionPlanID"] else []
    return _set_account(ocs, args, wanted, overwrite=bool(wanted))


def _set_account_v2(ocs: Ocs, args: dict[str, Any]) -> str:
    return _set_account(ocs, args, args["ActionPlanIDs"] or [], overwrite=args["ActionPlansOverwrite"])


def _get(ocs: Ocs, args: dict[str, Any]) -> engine.Account:
    account = ocs.find(ocs.key(args))
    if account is None:
        raise not_found()
    return account


def _account_ids(ocs: Ocs, args: dict[str, Any]) -> list[str]:
    prefix = f"{args['Tenant'] or ocs.tenant}:"
    if args["AccountIDs"]:
        return [prefix + name for name in args["AccountIDs"] if name]
    return ocs.store.keys(ACCOUNT, prefix)


def _accounts(ocs: Ocs, args: dict[str, Any]) -> list[engine.Account] | None:
    keys = _account_ids(ocs, args)
    if not keys:
        return None
    wanted = {name.lower(): flag for name, flag in (args["Filter"] or {}).items()}
    found = [account for key in page(keys, args) if (account := ocs.find(key))]
    return [
        account
        for account in found
        if wanted.get("allownegative", account.allow_negative) == account.allow_negative
        and wanted.get("disabled", account.disabled) == account.disabled
    ]


def _list(ocs: Ocs, args: dict[str, Any], show: Callable[..., dict[str, Any]]) -> list[dict[str, Any]] | None:
    accounts = _accounts(ocs, args)
    return None if accounts is None else [show(account, ocs.now()) for account in accounts]


def _account_names(ocs: Ocs, args: dict[str, Any]) -> list[str]:
    names = [key.partition(":")[2] for key in _account_ids(ocs, args)]
    names = page([name for name in names if args["Search"] in name], args)
    if not names:
        raise not_found()
    return names


def _count_v2(ocs: Ocs, args: dict[str, Any]) -> int:
    count = len(_account_ids(ocs, args))
    if not count:
        raise not_found()
    return count


def _remove(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "Account")
    account_id = ocs.key(args)
    plans.detach(ocs, account_id)
    ocs.store.delete(ACCOUNT, account_id)
    return "OK"


def _change(ocs: Ocs, args: dict[str, Any], rule: Callable[..., None]) -> str:
    require(args, "Account", "BalanceType")
    wanted = balance_filter(args["Balance"], args["Value"], ocs.now())
    account = ocs.find_or_create(ocs.key(args))
    account.drop_expired(ocs.now())
    rule(account, args["BalanceType"], wanted, ocs.now(), reset=args["Overwrite"])
    ocs.save(account)
    return "OK"


def _set_balance(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "Account", "BalanceType")
    wanted = balance_filter(args["Balance"], args["Value"], ocs.now())
    if not wanted.id and not wanted.uuid:
        raise missing("BalanceID", "or", "BalanceUUID")
    account = ocs.find_or_create(ocs.key(args))
    _partially(engine.set_balance, account, args["BalanceType"], wanted, ocs.now())
    ocs.save(account)
    return "OK"


def _set_balances(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "Account", "Balances")
    ocs.find_or_create(ocs.key(args))
    for entry in args["Balances"]:
        _set_balance(ocs, {**entry, "Tenant": args["Tenant"], "Account": args["Account"]})
    return "OK"


def _remove_balances(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "Account", "BalanceType")
    wanted = balance_filter(args["Balance"], 0, ocs.now())
    account = _get(ocs, args)
    _partially(engine.remove_balances, account, args["BalanceType"], wanted)
    ocs.save(account)
    return "OK"


def _transfer(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "SourceAccountID", "SourceBalanceID", "DestinationAccountID", "DestinationBalanceID")
    source = ocs.find(ocs.key(args, "SourceAccountID"))
    same = args["SourceAccountID"] == args["DestinationAccountID"]
    target = source if same else ocs.find(ocs.key(args, "DestinationAccountID"))
    if source is None or target is None:
        raise server_error("PARTIALLY_EXECUTED")
    pots = (source, args["SourceBalanceID"], target, args["DestinationBalanceID"])
    try:
        units = _transfer_units(args, target, args["DestinationBalanceID"])
        engine.transfer(*pots, units, ocs.now())
    except OcsError:
        raise server_error("PARTIALLY_EXECUTED") from None
    ocs.save(target)
    if not same:
        ocs.save(source)
    return ""


def _transfer_units(args: dict[str, Any], target: engine.Account, balance_id: str) -> Decimal:
    if args["DestinationReferenceValue"] is None:
        return go_number(args["Units"])
    held = next((b.value for pots in target.balances.values() for b in pots if b.id == balance_id), Decimal(0))
    return go_number(args["DestinationReferenceValue"]) - held


def _reset_triggers(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "Account")
    _get(ocs, args)
    return "OK"


def _debit_usage(ocs: Ocs, args: dict[str, Any]) -> str:
    """Take usage from the balances of its type; the lab rates nothing, so money never pays for data."""
    require(args, "Account", "ToR", "Usage")
    account = ocs.find(ocs.key(args))
    if account is None:
        raise server_error("ACCOUNT_NOT_FOUND")
    if account.disabled:
        raise server_error("ACCOUNT_DISABLED")
    units = go_number(args["Usage"])
    if engine.consume(account, args["ToR"], abs(units), ocs.now(), args["Category"]):
        raise server_error("INSUFFICIENT_CREDIT")
    ocs.save(account)
    return "OK"


def _partially(rule: Callable[..., None], *arguments: object) -> None:
    try:
        rule(*arguments)
    except OcsError:
        raise OcsError("PARTIALLY_EXECUTED") from None


METHODS = {
    "APIerSv1.SetAccount": Method(_SET_V1, _set_account_v1),
    "APIerSv2.SetAccount": Method(_SET_V2, _set_account_v2),
    "APIerSv1.GetAccount": Method(_GET, lambda ocs, args: account_v1(_get(ocs, args), ocs.now())),
    "APIerSv2.GetAccount": Method(_GET, lambda ocs, args: account_v2(_get(ocs, args), ocs.now())),
    "APIerSv1.GetAccounts": Method(_LIST, lambda ocs, args: _list(ocs, args, account_v1)),
    "APIerSv2.GetAccounts": Method(_LIST, lambda ocs, args: _list(ocs, args, account_v2)),
    "APIerSv1.GetAccountIDs": Method(_LIST, _account_names),
    "APIerSv1.GetAccountsCount": Method(_LIST, lambda ocs, args: len(_account_ids(ocs, args))),
    "APIerSv2.GetAccountsCount": Method(_LIST, _count_v2),
    "APIerSv1.RemoveAccount": Method(_REMOVE, _remove),
    "APIerSv1.AddBalance": Method(_ADD, lambda ocs, args: _change(ocs, args, engine.top_up)),
    "APIerSv1.DebitBalance": Method(_ADD, lambda ocs, args: _change(ocs, args, engine.debit)),
    "APIerSv1.SetBalance": Method(_SET_ONE, _set_balance),
    "APIerSv1.SetBalances": Method(_SET_MANY, _set_balances),
    "APIerSv1.RemoveBalances": Method(_SET_ONE, _remove_balances),
    "APIerSv1.TransferBalance": Method(_TRANSFER, _transfer),
    "APIerSv1.ResetAccountActionTriggers": Method(_TRIGGERS, _reset_triggers),
    "APIerSv1.DebitUsage": Method(_USAGE, _debit_usage),
}
