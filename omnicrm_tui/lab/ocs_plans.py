"""Action plans: which actions are due when, and for which accounts (CAT-492, CAT-501, SVC-520, SVC-521).

The lab keeps and lists them, and runs what is due at once (*asap) when a plan is attached; nothing runs later
by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from omnicrm_tui.lab.ocs_actions import ACTIONS, find_actions, run_action
from omnicrm_tui.lab.ocs_binding import FLAG, NUMBER, TEXT, WHOLE, ListOf, Struct
from omnicrm_tui.lab.ocs_core import Method, Ocs, page, require
from omnicrm_tui.lab.ocs_engine import new_uuid
from omnicrm_tui.lab.ocs_errors import OcsError, not_found, server_error
from omnicrm_tui.lab.ocs_time import ZERO_TIME, show_time
from omnicrm_tui.lab.ocs_timing import ASAP, make_timing, next_run
from omnicrm_tui.lab.ocs_views import show_number

PLAN: Final = "plan"
_ENTRY = Struct(
    "AttrActionPlan",
    {
        "ActionsId": TEXT,
        "TimingID": TEXT,
        "Years": TEXT,
        "Months": TEXT,
        "MonthDays": TEXT,
        "WeekDays": TEXT,
        "Time": TEXT,
        "Weight": NUMBER,
    },
)
_SET = Struct(
    "AttrSetActionPlan", {"Id": TEXT, "ActionPlan": ListOf(_ENTRY), "Overwrite": FLAG, "ReloadScheduler": FLAG}
)
_ONE = Struct("AttrGetActionPlan", {"ID": TEXT})
_OF_ACCOUNT = Struct("TenantAccount", {"Tenant": TEXT, "Account": TEXT})
_SCHEDULED = Struct("ArgsGetScheduledActions", {"Tenant": TEXT, "Account": TEXT, "Offset": WHOLE, "Limit": WHOLE})
_IDS = Struct("PaginatorWithTenant", {"Tenant": TEXT, "Search": TEXT, "Offset": WHOLE, "Limit": WHOLE})
_TIMING = Struct(
    "AttrRemoveActionTiming",
    {"ActionPlanId": TEXT, "ActionTimingId": TEXT, "Tenant": TEXT, "Account": TEXT, "ReloadScheduler": FLAG},
)
_EXECUTE = Struct("AttrExecuteAction", {"Tenant": TEXT, "Account": TEXT, "ActionsId": TEXT})


def _plan(ocs: Ocs, plan_id: str) -> dict[str, Any]:
    doc = ocs.store.get(PLAN, plan_id)
    if doc is None:
        raise not_found()
    return doc


def _set(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "Id", "ActionPlan")
    for entry in args["ActionPlan"]:
        lacking = [name for name in ("ActionsId", "Time") if not entry[name]]
        if lacking:
            raise OcsError(f"MANDATORY_IE_MISSING:Action:{entry['ActionsId']}:[{' '.join(lacking)}]")
    if ocs.store.get(PLAN, args["Id"]) and not args["Overwrite"]:
        raise OcsError("EXISTS")
    timings = []
    for entry in args["ActionPlan"]:
        if ocs.store.get(ACTIONS, entry["ActionsId"]) is None:
            raise OcsError(f"BROKEN_REFERENCE:{entry['ActionsId']}")
        timings.append(
            {
                "uuid": new_uuid(),
                "timing": make_timing(entry, ocs.now()),
                "actions_id": entry["ActionsId"],
                "weight": show_number(entry["Weight"]),
                "made": ocs.now().isoformat(),
            }
        )
    # Writing a plan anew lets go of its accounts, as the engine does.
    ocs.store.put(PLAN, args["Id"], {"accounts": None, "timings": timings})
    return "OK"


def attach(ocs: Ocs, account_id: str, plan_ids: list[str], *, overwrite: bool) -> list[str]:
    """Attach the account to the plans, with `overwrite` to no others; return the actions that are due at once.

    Raises OcsError("NOT_FOUND") for a plan that does not exist, before anything is changed.
    """
    wanted = {plan_id: _plan(ocs, plan_id) for plan_id in plan_ids}
    if overwrite:
        detach(ocs, account_id, keep=plan_ids)
    due: list[str] = []
    for plan_id, doc in wanted.items():
        at_once = [t["actions_id"] for t in doc["timings"] if t["timing"]["StartTime"] == ASAP]
        due += at_once
        if len(at_once) < len(doc["timings"]) and account_id not in (doc["accounts"] or []):
            doc["accounts"] = [*(doc["accounts"] or []), account_id]
            ocs.store.put(PLAN, plan_id, doc)
    return due


def detach(ocs: Ocs, account_id: str, keep: list[str] | None = None) -> None:
    """Take the account off every plan but those to keep."""
    for plan_id in ocs.store.keys(PLAN):
        doc = _plan(ocs, plan_id)
        if account_id in (doc["accounts"] or []) and plan_id not in (keep or []):
            doc["accounts"].remove(account_id)
            ocs.store.put(PLAN, plan_id, doc)


def execute(ocs: Ocs, actions_id: str, account_id: str | None) -> str:
    """Do the stored actions to the account, all or none; raises OcsError NOT_FOUND or PARTIALLY_EXECUTED."""
    actions = find_actions(ocs, actions_id)
    if account_id is None:
        return "OK"
    account = ocs.find_or_create(account_id)
    account.drop_expired(ocs.now())
    try:
        for action in actions:
            run_action(account, action, ocs.now())
    except OcsError:
        raise OcsError("PARTIALLY_EXECUTED") from None
    ocs.save(account)
    return "OK"


def _execute(ocs: Ocs, args: dict[str, Any]) -> str:
    return execute(ocs, args["ActionsId"], ocs.key(args) if args["Account"] else None)


def _show(ocs: Ocs, plan_id: str) -> dict[str, Any]:
    doc = _plan(ocs, plan_id)
    accounts = doc["accounts"]
    return {
        "Id": plan_id,
        "AccountIDs": None if accounts is None else dict.fromkeys(accounts, True),
        "ActionTimings": [
            {
                "Uuid": entry["uuid"],
                "Timing": {"Timing": entry["timing"], "Rating": None, "Weight": 0},
                "ActionsID": entry["actions_id"],
                "ExtraData": None,
                "Weight": entry["weight"],
            }
            for entry in doc["timings"]
        ],
    }


def _get(ocs: Ocs, args: dict[str, Any]) -> list[dict[str, Any]]:
    names = ocs.store.keys(PLAN) if args["ID"] in ("", "*") else [args["ID"]]
    if not names:
        raise not_found()
    return [_show(ocs, name) for name in names]


def _ids(ocs: Ocs, args: dict[str, Any]) -> list[str]:
    names = [name for name in ocs.store.keys(PLAN) if args["Search"] in name]
    if not names:
        raise not_found()
    return page(names, args)


def _remove(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "ID")
    ocs.store.delete(PLAN, args["ID"])
    return "OK"


def _remove_timing(ocs: Ocs, args: dict[str, Any]) -> str:
    require(args, "ActionPlanId")
    plan_id = args["ActionPlanId"]
    doc = ocs.store.get(PLAN, plan_id)
    if doc is None:
        raise server_error("NOT_FOUND")
    if args["Account"]:
        doc["accounts"] = [name for name in doc["accounts"] or [] if name != ocs.key(args)]
    elif args["ActionTimingId"]:
        doc["timings"] = [t for t in doc["timings"] if t["uuid"] != args["ActionTimingId"]]
    else:
        doc["timings"] = []
    if doc["timings"]:
        ocs.store.put(PLAN, plan_id, doc)
    else:
        ocs.store.delete(PLAN, plan_id)
    return "OK"


def _of_account(ocs: Ocs, args: dict[str, Any]) -> list[dict[str, Any]]:
    require(args, "Account")
    account_id = ocs.key(args)
    return [
        {
            "ActionPlanId": plan_id,
            "Uuid": entry["uuid"],
            "ActionsId": entry["actions_id"],
            "NextExecTime": show_time(due) if (due := _due(entry, ocs.now())) else ZERO_TIME,
        }
        for plan_id in ocs.store.keys(PLAN)
        if account_id in ((doc := _plan(ocs, plan_id))["accounts"] or [])
        for entry in doc["timings"]
    ]


def _due(entry: dict[str, Any], now: datetime) -> datetime | None:
    return next_run(entry["timing"], datetime.fromisoformat(entry["made"]), now)


def _scheduled(ocs: Ocs, args: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[tuple[datetime, dict[str, Any]]] = []
    for plan_id in ocs.store.keys(PLAN):
        doc = _plan(ocs, plan_id)
        accounts = doc["accounts"] or []
        if args["Account"] and ocs.key(args) not in accounts:
            continue
        if args["Tenant"] and not any(name.startswith(f"{args['Tenant']}:") for name in accounts):
            continue
        for entry in doc["timings"]:
            due = _due(entry, ocs.now())
            if due:
                found.append((due, _show_scheduled(plan_id, entry, due, len(accounts))))
    if not found:
        raise not_found()
    ordered = [row for _, row in sorted(found, key=lambda pair: pair[0])]
    start = max(0, args["Offset"])
    return ordered[start : start + args["Limit"]] if args["Limit"] > 0 else ordered[start:]


def _show_scheduled(plan_id: str, entry: dict[str, Any], due: datetime, accounts: int) -> dict[str, Any]:
    return {
        "NextRunTime": show_time(due),
        "Accounts": accounts,
        "ActionPlanID": plan_id,
        "ActionTimingUUID": entry["uuid"],
        "ActionsID": entry["actions_id"],
    }


METHODS = {
    "APIerSv1.SetActionPlan": Method(_SET, _set),
    "APIerSv1.GetActionPlan": Method(_ONE, _get),
    "APIerSv1.GetActionPlanIDs": Method(_IDS, _ids),
    "APIerSv1.RemoveActionPlan": Method(_ONE, _remove),
    "APIerSv1.RemoveActionTiming": Method(_TIMING, _remove_timing),
    "APIerSv1.GetAccountActionPlan": Method(_OF_ACCOUNT, _of_account),
    "APIerSv1.GetScheduledActions": Method(_SCHEDULED, _scheduled),
    "APIerSv1.ExecuteAction": Method(_EXECUTE, _execute),
}
