"""Items of the demo: what customers have, and stock in every state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from omnicrm_tui.database.lists import fold
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.demo.catalogue import CPE, ESIM, MODEM, NUMBER, ONT, SIM, TEMPLATES
from omnicrm_tui.demo.people import TODAY, Person, Row
from omnicrm_tui.inventory.rules import ITEM_STATES, TEXT_NAMES

_SEARCHED = ("item", *TEXT_NAMES, "item_location", "address_line_1", "city", "zip_code")
_SHELVES = ("Warehouse A, Shelf 3", "Warehouse A, Shelf 7", "Store North", "Store Harbour", "Service van 2")
_OPTIONAL: Row = {
    **dict.fromkeys(TEXT_NAMES[1:5]),
    **dict.fromkeys(("customer_id", "service_id", "ki", "opc", "management_password", "sold_date")),
    **dict.fromkeys(("address_line_1", "city", "state", "zip_code", "country", "latitude", "longitude")),
    **dict.fromkeys(("management_url", "management_username", "inventory_notes")),
}
_COSTS = {str(kind["item"]): (Decimal(kind["wholesale_cost"]), Decimal(kind["retail_cost"])) for kind in TEMPLATES}


class Stock:
    """Makes items one after the other; numbers on them follow from their id."""

    def __init__(self, template_ids: dict[str, int], vault: Vault, first_id: int = 1) -> None:
        self._template_ids = template_ids
        self._vault = vault
        self._next = first_id

    def item(self, kind: str, texts: tuple[str, ...], created: datetime, **more: Any) -> Row:
        """Return an item's row; `more` are the fields that differ from those of an item on the shelf."""
        number = self._next
        self._next += 1
        wholesale, retail = _COSTS[kind]
        row: Row = {
            "inventory_id": number,
            "inventory_template_id": self._template_ids[kind],
            "item": kind,
            "item_state": "In Stock",
            "item_location": _SHELVES[number % len(_SHELVES)],
            "wholesale_cost": wholesale,
            "retail_cost": retail,
            "created": created,
            "last_modified": created,
            **_OPTIONAL,
            **dict(zip(TEXT_NAMES, texts, strict=False)),
            **more,
        }
        for secret in ("ki", "opc", "management_password"):
            row[secret] = self._vault.seal(f"inventory.{secret}", number, row[secret])
        row["text_key"] = fold(row["itemtext1"])[:500]
        row["search_text"] = fold("\n".join(text for name in _SEARCHED if (text := row.get(name))))
        return row

    def sim(self, created: datetime, kind: str = SIM, **more: Any) -> Row:
        """Return a SIM with its secret keys; they are invented and the same every time."""
        number = self._next
        random = Random(number * 7919)  # noqa: S311 - invented keys of an invented network
        iccid = _with_check_digit(f"8988303{number:011d}")
        texts = (iccid, f"99970{number:010d}", "eSIM" if kind == ESIM else "Physical")
        if kind == ESIM:
            more["management_url"] = f"LPA:1$smdp.example.com$DEMO-{number:08d}"
        keys = {"ki": f"{random.getrandbits(128):032X}", "opc": f"{random.getrandbits(128):032X}"}
        return self.item(kind, texts, created, **keys, **more)

    def number(self, dialling: str, region: str, created: datetime, **more: Any) -> Row:
        """Return a telephone number."""
        return self.item(NUMBER, (f"+{dialling}7{self._next:08d}", region, "Mobile"), created, **more)

    def terminal(self, person: Person, created: datetime, **more: Any) -> Row:
        """Return an optical terminal, at the customer's first site."""
        site = person.sites[0]
        places = {name: site[name] for name in ("address_line_1", "city", "state", "zip_code", "country")}
        places |= {"latitude": str(site["latitude"]), "longitude": str(site["longitude"])}
        return self.item(ONT, self._terminal_texts(), created, **places, **more)

    def _terminal_texts(self) -> tuple[str, ...]:
        number = self._next
        pon = f"OLT-{number % 9 + 1}, PON {number % 16 + 1}, ONT {number % 64 + 1}"
        return (f"DEMO{number:08X}", _mac(number), pon, "G-100")

    def shelves(self, customers: int) -> Iterator[Row]:
        """Yield what nobody has: enough to sell from, and some of every kind in every state."""
        created = TODAY - timedelta(days=40)
        for _ in range(max(60, customers // 8)):
            yield self.sim(created, item_state="New" if self._next % 3 else "In Stock")
            yield self.number("61", "Australia", created, item_state="In Stock")
        for kind in (ONT, CPE, MODEM, ESIM):
            for _ in range(12):
                yield self._spare(kind, created)
        for state in ITEM_STATES:
            notes = "Reported on the telephone; see the activity." if state in ("Lost", "Stolen") else None
            for kind in (SIM, NUMBER, ONT, CPE, MODEM, ESIM):
                yield self._spare(kind, created, item_state=state, inventory_notes=notes)

    def _spare(self, kind: str, created: datetime, **more: Any) -> Row:
        number = self._next
        if kind in (SIM, ESIM):
            return self.sim(created, kind, **more)
        if kind == NUMBER:
            return self.number("61", "Australia", created, **more)
        if kind == ONT:
            return self.item(ONT, self._terminal_texts(), created, **more)
        device = {
            "management_url": f"https://192.168.100.{number % 250 + 1}",
            "management_username": "admin",
            "management_password": f"demo-{number:06d}",
        }
        texts = (_mac(number), f"SN{number:08d}", "v2.4.1", "Demo Devices", "Link 2")
        return self.item(kind, texts if kind == CPE else texts[:2], created, **device, **more)


def _mac(number: int) -> str:
    return ":".join(f"{byte:02X}" for byte in (0x02, 0xDE, 0x30, *number.to_bytes(3, "big")))


@cache
def _doubled(digit: int) -> int:
    return digit * 2 - 9 if digit > 4 else digit * 2


def _with_check_digit(digits: str) -> str:
    """Return `digits` with Luhn's check digit, as on real cards."""
    total = sum(_doubled(int(d)) if place % 2 == 0 else int(d) for place, d in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"
