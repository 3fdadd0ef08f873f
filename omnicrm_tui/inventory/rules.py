"""States of an item and how they follow each other (PLT-403..412 and the index's ruling on item states)."""

from __future__ import annotations

ITEM_STATES = (
    "New",
    "In Transit",
    "In Stock",
    "Allocated",
    "Assigned",
    "In Use",
    "Used",
    "Internal Use",
    "Damaged",
    "Out Of Service",
    "Lost",
    "Stolen",
    "Decommissioned",
)

PICKABLE_STATES = ("New", "In Stock")
"""What the picker offers (BIL-103, SVC-167)."""
