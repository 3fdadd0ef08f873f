"""How the engine shows an account: the shape of its second API and the older one of its first."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from omnicrm_tui.lab.ocs_engine import Account, Balance, Flags
from omnicrm_tui.lab.ocs_time import ZERO_TIME, show_time


def show_number(value: Decimal | float | int) -> int | float:
    """Return a JSON number without a needless fraction."""
    return int(value) if value == int(value) else float(value)


def account_v2(account: Account, now: datetime) -> dict[str, Any]:
    """Show an account as ApierV2 does: no balances at all is null, a type whose balances expired is null."""
    balances = {
        kind: [_balance_v2(balance) for balance in account.live(kind, now)] or None for kind in sorted(account.balances)
    }
    return {
        "ID": account.id,
        "BalanceMap": balances or None,
        "UnitCounters": None,
        "ActionTriggers": None,
        "AllowNegative": account.allow_negative,
        "Disabled": account.disabled,
        "UpdateTime": ZERO_TIME,
    }


def account_v1(account: Account, now: datetime) -> dict[str, Any]:
    """Show an account in the older shape of ApierV1: directions in the keys, lists as text."""
    return {
        "Id": f"*out:{account.id}",
        "BalanceMap": {
            f"{kind}*out": [_balance_v1(balance) for balance in account.live(kind, now)]
            for kind in sorted(account.balances)
        },
        "UnitCounters": [],
        "ActionTriggers": [],
        "AllowNegative": account.allow_negative,
        "Disabled": account.disabled,
    }


def _balance_v2(balance: Balance) -> dict[str, Any]:
    return {
        "Uuid": balance.uuid,
        "ID": balance.id,
        "Value": show_number(balance.value),
        "ExpirationDate": show_time(balance.expires),
        "Weight": show_number(balance.weight),
        "DestinationIDs": balance.destination_ids,
        "RatingSubject": balance.rating_subject,
        "Categories": balance.categories,
        "SharedGroups": balance.shared_groups,
        "Timings": None,
        "TimingIDs": balance.timing_ids,
        "Disabled": balance.disabled,
        "Factors": balance.factors,
        "Blocker": balance.blocker,
    }


def _balance_v1(balance: Balance) -> dict[str, Any]:
    return {
        "Uuid": balance.uuid,
        "Id": balance.id,
        "Value": show_number(balance.value),
        "ExpirationDate": show_time(balance.expires),
        "Weight": show_number(balance.weight),
        "DestinationIds": flags_text(balance.destination_ids),
        "RatingSubject": balance.rating_subject,
        "Category": flags_text(balance.categories),
        "SharedGroup": flags_text(balance.shared_groups),
        "Timings": None,
        "TimingIDs": flags_text(balance.timing_ids),
        "Disabled": balance.disabled,
    }


def flags_text(flags: Flags | None) -> str:
    """Write a map of flags as "a;b;!c"."""
    return ";".join(name if flag else f"!{name}" for name, flag in (flags or {}).items())
