"""Actions: what a plan or a caller can have done to an account (CAT-498, CAT-500).

They are kept in the shape of the first API: every value as text, except the weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from omnicrm_tui.lab import ocs_engine as engine
from omnicrm_tui.lab.ocs_binding import (
    FLAG,
    NUMBER,
    TEXT,
    TEXTS,
    WHOLE,
    ListOf,
    Struct,
    balance_filter,
    balance_weight,
    go_bool,
    go_flags,
    go_number,
    go_text,
)
from omnicrm_tui.lab.ocs_core import Method, Ocs, page, require
from omnicrm_tui.lab.ocs_errors import OcsError, not_found, server_error
from omnicrm_tui.lab.ocs_time import parse_time
from omnicrm_tui.lab.ocs_views import show_number

ACTIONS: Final = "actions"
_ACTION: Final[dict[str, Any]] = {
    "Identifier": TEXT,
    "BalanceId": TEXT,
    "BalanceUuid": TEXT,
    "BalanceType": TEXT,
    "Units": TEXT,
    "ExpiryTime": TEXT,
    "Filters": TEXT,
    "TimingTags": TEXT,
    "DestinationIds": TEXT,
    "RatingSubject": TEXT,
    "Categories": TEXT,
    "SharedGroups": TEXT,
    "BalanceWeight": TEXT,
    "ExtraParameters": TEXT,
    "BalanceBlocker": TEXT,
    "BalanceDisabled": TEXT,
    "Weight": NUMBER,
}
_NUMERIC: Final = {**_ACTION, "Units": NUMBER, "BalanceWeight": NUMBER, "Filters": TEXTS}
_ENVELOPE: Final[dict[str, Any]] = {"ActionsId": TEXT, "Overwrite": FLAG}
_SET_V1 = Struct("V1AttrSetActions", {**_ENVELOPE, "Actions": ListOf(Struct("V1TPAction", _NUMERIC))})
_SET_V2 = Struct("AttrSetActions", {**_ENVELOPE, "Actions": ListOf(Struct("TPAction", _ACTION))})
_LIST = Struct("AttrGetActions", {"ActionIDs": TEXTS, "Offset": WHOLE, "Limit": WHOLE})
_REMOVE = Struct("AttrRemoveActions", {"ActionIDs": TEXTS})

UNMOVED: Final = frozenset(
    [
        "*log",
        "*cdrlog",
        "*http_post",
        "*http_post_async",
        "*mail_async",
        "*reset_triggers",
        "*reset_counters",
        "*publish_account",
        "*publish_balance",
        "*set_recurrent",
        "*unset_recurrent",
        "*cgr_rpc",
        "*post_event",
    ]
)
"""Action types that change no balance: the lab accepts them and calls nobody."""


def _set(ocs: Ocs, args: dict[str, Any], numeric: bool) -> str:
    require(args, "ActionsId", "Actions")
    for action in args["Actions"]:
        lacking = [] if action["Identifier"] else ["Identifier"]
        if action["BalanceType"] and action["Units"] == "":
            lacking.append("Units")
        if lacking:
            raise OcsError(f"MANDATORY_IE_MISSING:Action:{action['Identifier']}:[{' '.join(lacking)}]")
    if not args["Overwrite"] and ocs.store.get(ACTIONS, args["ActionsId"]):
        raise OcsError("EXISTS")
    kept = [_as_text(action) if numeric else dict(action) for action in args["Actions"]]
    for action in kept:
        _check(action)
        action["Weight"] = show_number(action["Weight"])
    ocs.store.put(ACTIONS, args["ActionsId"], {"actions": kept})
    return "OK"


def _as_text(action: dict[str, Any]) -> dict[str, Any]:
    texts = {name: go_text(action[name]) for name in ("Units", "BalanceWeight")}
    # A weight of zero and no weight at all look alike after decoding; the engine tells "none" by absence.
    texts["BalanceWeight"] = texts["BalanceWeight"] if action["BalanceWeight"] else ""
    return {**action, **texts, "Filters": ";".join(action["Filters"] or [])}


def _check(action: dict[str, Any]) -> None:
    if action["Units"]:
        go_number(action["Units"])
    if action["BalanceWeight"]:
        balance_weight(action["BalanceWeight"])
    for name in ("BalanceBlocker", "BalanceDisabled"):
        if action[name]:
            go_bool(action[name])


def find_actions(ocs: Ocs, actions_id: str) -> list[dict[str, Any]]:
    """Return the stored actions, heaviest first; raises OcsError("NOT_FOUND")."""
    doc = ocs.store.get(ACTIONS, actions_id)
    if doc is None:
        raise not_found()
    return sorted(doc["actions"], key=lambda action: -action["Weight"])


def _get_v1(ocs: Ocs, actions_id: object) -> list[dict[str, Any]]:
    doc = ocs.store.get(ACTIONS, actions_id) if isinstance(actions_id, str) else None
    if doc is None:
        raise server_error("NOT_FOUND")
    actions: list[dict[str, Any]] = doc["actions"]
    return actions


def _get_v2(ocs: Ocs, args: dict[str, Any]) -> dict[str, list[dict[str, Any]]] | None:
    names = args["ActionIDs"] or ocs.store.keys(ACTIONS)
    if not names:
        return None
    return {name: [_show_v2(name, action) for action in _get_v1(ocs, name)] for name in page(names, args)}


def _show_v2(name: str, action: Mapping[str, Any]) -> dict[str, Any]:
    units, weight = action["Units"], action["BalanceWeight"]
    balance = {
        "Uuid": action["BalanceUuid"],
        "ID": action["BalanceId"],
        "Type": action["BalanceType"],
        "Value": {"Method": "", "Params": None, "Static": show_number(go_number(units))} if units else None,
        "ExpirationDate": None,
        "Weight": show_number(balance_weight(weight)) if weight else None,
        "DestinationIDs": go_flags(action["DestinationIds"]),
        "RatingSubject": action["RatingSubject"],
        "Categories": go_flags(action["Categories"]),
        "SharedGroups": go_flags(action["SharedGroups"]),
        "TimingIDs": go_flags(action["TimingTags"]),
        "Timings": None,
        "Disabled": go_bool(action["BalanceDisabled"]) if action["BalanceDisabled"] else None,
        "Factors": None,
        "Blocker": go_bool(action["BalanceBlocker"]) if action["BalanceBlocker"] else None,
    }
    return {
        "Id": name,
        "ActionType": action["Identifier"],
        "ExtraParameters": action["ExtraParameters"],
        "Filters": action["Filters"].split(";") if action["Filters"] else None,
        "ExpirationString": action["ExpiryTime"],
        "Weight": action["Weight"],
        "Balance": None if action["Identifier"] == "*reset_triggers" else balance,
    }


def _remove(ocs: Ocs, args: dict[str, Any]) -> str:
    if args["ActionIDs"] is None:
        raise not_found()
    for name in args["ActionIDs"]:
        ocs.store.delete(ACTIONS, name)
    return "OK"


def run_action(account: engine.Account, action: Mapping[str, Any], now: datetime) -> None:
    """Do one stored action to the account; raises OcsError for a type that the lab does not know.

    An expiry word that cannot be read is passed over without a word, as the real engine does.
    """
    kind = action["Identifier"]
    if kind in UNMOVED:
        return
    rule = _RULES.get(kind)
    if rule is None:
        raise OcsError(f"unknown action {kind}")
    rule(account, action["BalanceType"], _wanted(action, now), now)


def _wanted(action: Mapping[str, Any], now: datetime) -> engine.BalanceFilter:
    said = {
        "ID": action["BalanceId"],
        "UUID": action["BalanceUuid"],
        "RatingSubject": action["RatingSubject"],
        "DestinationIDs": action["DestinationIds"],
        "Categories": action["Categories"],
        "SharedGroups": action["SharedGroups"],
        "TimingIDs": action["TimingTags"],
    }
    optional = {
        "Value": action["Units"],
        "Weight": action["BalanceWeight"],
        "Blocker": action["BalanceBlocker"],
        "Disabled": action["BalanceDisabled"],
    }
    wanted = balance_filter({**said, **{name: text for name, text in optional.items() if text}}, 0, now)
    if action["ExpiryTime"]:
        try:
            wanted.expires, wanted.expires_set = parse_time(action["ExpiryTime"], now), True
        except OcsError:
            wanted.expires_set = False
    return wanted


def _reset_top_up(account: engine.Account, kind: str, wanted: engine.BalanceFilter, now: datetime) -> None:
    engine.top_up(account, kind, wanted, now, reset=True)


def _reset_debit(account: engine.Account, kind: str, wanted: engine.BalanceFilter, now: datetime) -> None:
    engine.debit(account, kind, wanted, now, reset=True)


def _drop(account: engine.Account, kind: str, wanted: engine.BalanceFilter, _now: datetime) -> None:
    engine.remove_balances(account, kind, wanted)


def _reset_account(account: engine.Account, _kind: str, _wanted: engine.BalanceFilter, _now: datetime) -> None:
    account.balances = {kind: [engine.Balance()] for kind in account.balances}


def _flag(name: str, value: bool) -> Callable[..., None]:
    def change(account: engine.Account, *_rest: object) -> None:
        setattr(account, name, value)

    return change


_RULES: Final[dict[str, Callable[..., None]]] = {
    "*topup": engine.top_up,
    "*topup_reset": _reset_top_up,
    "*debit": engine.debit,
    "*debit_reset": _reset_debit,
    "*set_balance": engine.set_balance,
    "*remove_balance": _drop,
    "*reset_account": _reset_account,
    "*enable_account": _flag("disabled", False),
    "*disable_account": _flag("disabled", True),
    "*allow_negative": _flag("allow_negative", True),
    "*deny_negative": _flag("allow_negative", False),
}

METHODS = {
    "APIerSv1.SetActions": Method(_SET_V1, lambda ocs, args: _set(ocs, args, numeric=True)),
    "APIerSv2.SetActions": Method(_SET_V2, lambda ocs, args: _set(ocs, args, numeric=False)),
    "APIerSv1.GetActions": Method(None, _get_v1),
    "APIerSv2.GetActions": Method(_LIST, _get_v2),
    "APIerSv1.RemoveActions": Method(_REMOVE, _remove),
}
