"""Profiles that the engine keeps beside accounts: attributes, filters, resources, thresholds, chargers.

They are stored, listed and removed, and rate nothing (SVC-517, SVC-518, SVC-522, CAT-503).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from omnicrm_tui.lab.ocs_binding import ANY, FLAG, FREE, NUMBER, TEXT, TEXTS, WHOLE, ListOf, Struct
from omnicrm_tui.lab.ocs_core import Method, Ocs, page, require
from omnicrm_tui.lab.ocs_errors import not_found, server_error
from omnicrm_tui.lab.ocs_time import ZERO_TIME
from omnicrm_tui.lab.ocs_views import show_number

_ATTRIBUTE = Struct("Attribute", {"FilterIDs": TEXTS, "Path": TEXT, "Type": TEXT, "Value": ANY})
_RULE = Struct("FilterRule", {"Type": TEXT, "Element": TEXT, "Values": TEXTS})
_INTERVAL = Struct("ActivationInterval", {"ActivationTime": TEXT, "ExpiryTime": TEXT})


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of profile: its name in the methods, what it must have, and its fields in the order shown."""

    name: str
    required: tuple[str, ...]
    fields: Mapping[str, str | Struct | ListOf]

    def struct(self) -> Struct:
        return Struct(self.name, {"Tenant": TEXT, "ID": TEXT, **self.fields})


_KINDS: Final = (
    _Kind(
        "AttributeProfile",
        ("ID", "Attributes"),
        {
            "Contexts": TEXTS,
            "FilterIDs": TEXTS,
            "ActivationInterval": _INTERVAL,
            "Attributes": ListOf(_ATTRIBUTE),
            "Blocker": FLAG,
            "Weight": NUMBER,
        },
    ),
    _Kind("Filter", ("ID",), {"Rules": ListOf(_RULE), "ActivationInterval": _INTERVAL}),
    _Kind(
        "ResourceProfile",
        ("ID",),
        {
            "FilterIDs": TEXTS,
            "ActivationInterval": _INTERVAL,
            "UsageTTL": WHOLE,
            "Limit": NUMBER,
            "AllocationMessage": TEXT,
            "Blocker": FLAG,
            "Stored": FLAG,
            "Weight": NUMBER,
            "ThresholdIDs": TEXTS,
        },
    ),
    _Kind(
        "ThresholdProfile",
        ("ID",),
        {
            "FilterIDs": TEXTS,
            "ActivationInterval": _INTERVAL,
            "MaxHits": WHOLE,
            "MinHits": WHOLE,
            "MinSleep": WHOLE,
            "Blocker": FLAG,
            "Weight": NUMBER,
            "ActionIDs": TEXTS,
            "Async": FLAG,
            "EeIDs": TEXTS,
        },
    ),
    _Kind(
        "ChargerProfile",
        ("ID",),
        {
            "FilterIDs": TEXTS,
            "ActivationInterval": _INTERVAL,
            "RunID": TEXT,
            "AttributeIDs": TEXTS,
            "Weight": NUMBER,
        },
    ),
)
_KEY = Struct("TenantIDWithAPIOpts", {"Tenant": TEXT, "ID": TEXT, "APIOpts": FREE})
_IDS = Struct("PaginatorWithTenant", {"Tenant": TEXT, "Search": TEXT, "Limit": WHOLE, "Offset": WHOLE})


def _methods(kind: _Kind) -> dict[str, Method]:
    def put(ocs: Ocs, args: dict[str, Any]) -> str:
        require(args, *kind.required)
        profile = {"Tenant": args["Tenant"] or ocs.tenant, "ID": args["ID"]}
        _check_filters(ocs, args, profile)
        profile |= {name: _plain(args[name]) for name in kind.fields}
        for attribute in profile.get("Attributes", []):
            if isinstance(attribute["Value"], str):
                attribute["Value"] = [{"Rules": attribute["Value"]}]
        if profile["ActivationInterval"] is not None:
            interval = profile["ActivationInterval"]
            profile["ActivationInterval"] = {name: text or ZERO_TIME for name, text in interval.items()}
        ocs.store.put(kind.name, ocs.key(args, "ID"), profile)
        return "OK"

    def get(ocs: Ocs, args: dict[str, Any]) -> dict[str, Any]:
        require(args, "ID")
        profile = ocs.store.get(kind.name, ocs.key(args, "ID"))
        if profile is None:
            raise not_found()
        return profile

    def remove(ocs: Ocs, args: dict[str, Any]) -> str:
        require(args, "ID")
        if not ocs.store.delete(kind.name, ocs.key(args, "ID")):
            raise not_found()
        return "OK"

    def names(ocs: Ocs, args: dict[str, Any]) -> list[str]:
        keys = ocs.store.keys(kind.name, f"{args['Tenant'] or ocs.tenant}:{args['Search']}")
        if not keys:
            raise not_found()
        return page([key.partition(":")[2] for key in keys], args)

    return {
        f"APIerSv1.Set{kind.name}": Method(kind.struct(), put),
        f"APIerSv1.Get{kind.name}": Method(_KEY, get),
        f"APIerSv1.Remove{kind.name}": Method(_KEY, remove),
        f"APIerSv1.Get{kind.name}IDs": Method(_IDS, names),
    }


def _check_filters(ocs: Ocs, args: dict[str, Any], profile: dict[str, Any]) -> None:
    tenant, identity = profile["Tenant"], profile["ID"]
    for name in args.get("FilterIDs") or []:
        if not name.startswith("*") and ocs.store.get("Filter", f"{tenant}:{name}") is None:
            raise server_error(f"broken reference to filter: <{name}> for item with ID: {tenant}:{identity}")


def _plain(value: Any) -> Any:
    """Turn exact numbers into those that JSON can hold, at any depth."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return show_number(value) if hasattr(value, "as_tuple") else value


METHODS: Final = {name: method for kind in _KINDS for name, method in _methods(kind).items()}
