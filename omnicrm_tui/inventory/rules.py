"""States of an item, how they follow each other, and what the labels of a template tell about its items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omnicrm_tui.languages import N_

ITEM_STATES = (
    N_("New"),
    N_("In Transit"),
    N_("In Stock"),
    N_("Allocated"),
    N_("Assigned"),
    N_("In Use"),
    N_("Used"),
    N_("Internal Use"),
    N_("Damaged"),
    N_("Out Of Service"),
    N_("Lost"),
    N_("Stolen"),
    N_("Decommissioned"),
)
"""The one enumeration (PLT-403, PLT-404 and the index's ruling on item states)."""

ASSIGNED, USED, LOST, STOLEN, OUT_OF_SERVICE = "Assigned", "Used", "Lost", "Stolen", "Out Of Service"

_FROM_ANYWHERE = frozenset({LOST, STOLEN, OUT_OF_SERVICE})
_GONE = frozenset({LOST, STOLEN})
_FOLLOWING: Mapping[str, frozenset[str]] = {
    "New": frozenset({"In Transit", "In Stock", "Allocated", "Assigned", "Internal Use"}),
    "In Transit": frozenset({"New", "In Stock"}),
    "In Stock": frozenset({"New", "In Transit", "Allocated", "Assigned", "Internal Use"}),
    "Allocated": frozenset({"New", "In Stock", "Assigned", "In Use"}),
    "Assigned": frozenset({"In Stock", "In Use", "Used", "Damaged", "Decommissioned"}),
    "In Use": frozenset({"In Stock", "Used", "Damaged", "Decommissioned"}),
    "Used": frozenset({"New", "In Stock", "Damaged", "Decommissioned"}),
    "Internal Use": frozenset({"Used", "Damaged"}),
    "Damaged": frozenset({"New", "Decommissioned"}),
    OUT_OF_SERVICE: frozenset({"New", "In Stock", "Allocated", "Assigned", "In Use", "Used", "Internal Use"}),
}

TEXT_COUNT = 20
TEXT_NAMES = tuple(f"itemtext{number}" for number in range(1, TEXT_COUNT + 1))
LABEL_NAMES = tuple(f"{name}_label" for name in TEXT_NAMES)

SEALED_LABELS = frozenset({"ki", "k", "opc", "op", "password", "management password"})
"""Labels that no text field may have: such values have sealed fields of their own."""

_NAMED = {
    "iccid": frozenset({"iccid"}),
    "imsi": frozenset({"imsi"}),
    "msisdn": frozenset({"msisdn", "phone number", "mobile number", "number"}),
}


def may_follow(state: str, following: str) -> bool:
    """Tell whether an item may go from `state` to `following` as a matter of course (PLT-404..413, BIL-120).

    Any state may become Lost, Stolen or Out Of Service, except that nothing leaves Lost and Stolen. Every
    other step needs a permission and a reason (the index's ruling).
    """
    if state == following or following in _FOLLOWING.get(state, ()):
        return True
    return following in _FROM_ANYWHERE and state not in _GONE


def loss_notice(state: str) -> str | None:
    """Return the extra entry that a state asks for: an audit (PLT-409) or a security report (PLT-410)."""
    return {LOST: N_("Item lost: audit needed"), STOLEN: N_("Item stolen: security report")}.get(state)


def named_values(labels: Iterable[str | None], texts: Iterable[str | None]) -> dict[str, str | None]:
    """Return iccid, imsi and msisdn, found by the labels of the template (CAT-146, CAT-152, SVC-102)."""
    found: dict[str, str | None] = dict.fromkeys(_NAMED)
    for label, text in zip(labels, texts, strict=True):
        spelled = (label or "").strip().casefold()
        for name, spellings in _NAMED.items():
            if found[name] is None and spelled in spellings:
                found[name] = text
    return found
