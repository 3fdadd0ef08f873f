"""Customers of the demo, with their contacts and sites. Customer n is the same whatever the demo's size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from omnicrm_tui.database.lists import fold
from omnicrm_tui.demo.words import LANDS, PERSONS, UNUSUAL_NAMES, City, Land

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
"""When the demo was made, whenever it is made: histories end here."""

Row = dict[str, Any]

_WEIGHTS = list(accumulate(land.weight for land in LANDS))
_STATUSES = ("Open", "Active", "Pending", "Suspended", "Inactive", "Closed", "Archived")
_STATUS_WEIGHTS = list(accumulate((62, 24, 4, 3, 3, 3, 1)))
_YEARS = 5 * 365
_CONTACT_TYPES = ("Primary", "Billing", "Technical", "Billing,Technical", "Emergency")


@dataclass(slots=True)
class Person:
    """A customer and what hangs directly on it, as rows."""

    number: int
    land: Land
    city: City
    customer: Row
    contacts: list[Row]
    sites: list[Row]

    @property
    def created(self) -> datetime:
        """When the customer was entered."""
        moment: datetime = self.customer["created"]
        return moment

    @property
    def is_business(self) -> bool:
        """Whether it is a company."""
        return bool(self.customer["customer_account_type"] == "Business")


def person(number: int, random: Random) -> Person:
    """Return customer `number` (from 1) with contacts and sites; ids of the latter are set by the caller."""
    land = random.choices(LANDS, cum_weights=_WEIGHTS)[0]
    city = random.choice(land.cities)
    business = random.random() < 0.2
    created = TODAY - timedelta(days=1 + int(_YEARS * random.random() ** 1.5), seconds=random.randrange(86_400))
    given, family = random.choice(land.given), random.choice(land.family)
    status = random.choices(_STATUSES, cum_weights=_STATUS_WEIGHTS)[0]
    phone = _phone(land, number)
    name = _company(land, random) if business else _full(land, given, family)
    if number <= len(UNUSUAL_NAMES):
        name, status = UNUSUAL_NAMES[number - 1], "Open"
        business = name not in PERSONS
    customer: Row = {
        "customer_id": number,
        "customer_name": name,
        "name_key": fold(name),
        "customer_account_type": "Business" if business else "Individual",
        "customer_status": status,
        "customer_payment_type": "postpaid" if business or random.random() < 0.35 else "prepaid",
        "customer_enabled": status not in ("Closed", "Archived"),
        "customer_phone": phone,
        "customer_email": f"customer{number}@{'business' if business else 'home'}.example",
        "customer_notes": "Prefers to be called in the morning." if random.random() < 0.05 else None,
        "tax_identifier": f"TX{number:09d}" if business else None,
        "contract_start_date": created if business else None,
        "contract_end_date": created + timedelta(days=365 * random.randint(1, 6)) if business else None,
        "archived_at": created + timedelta(days=1) if status == "Archived" else None,
        "created": created,
        "last_modified": created,
    }
    contacts = [_contact(number, index, land, created, random) for index in range(2 if random.random() < 0.25 else 1)]
    if not business:
        contacts[0] |= {"contact_firstname": given, "contact_lastname": family, "contact_phone": phone}
    customer["search_text"] = _search_text(customer, contacts)
    sites = [_site(number, index, land, city, created, random) for index in range(2 if random.random() < 0.1 else 1)]
    return Person(number, land, city, customer, contacts, sites)


def _full(land: Land, given: str, family: str) -> str:
    if land.family_first:
        return f"{family}{given}" if ord(family[0]) > 0x2E80 else f"{family} {given}"
    return f"{given} {family}"


def _company(land: Land, random: Random) -> str:
    name, suffix = random.choice(land.companies), random.choice(land.suffixes)
    return f"{name}{suffix}" if land.country in ("中国", "日本") else f"{name} {suffix}"


def _phone(land: Land, number: int) -> str:
    return f"+{land.dialling}4{number % 10_000_000:08d}"


def _contact(number: int, index: int, land: Land, created: datetime, random: Random) -> Row:
    return {
        "customer_id": number,
        "contact_firstname": random.choice(land.given),
        "contact_lastname": random.choice(land.family),
        "contact_email": f"contact{number}.{index + 1}@people.example",
        "contact_phone": f"+{land.dialling}5{number % 10_000_000:07d}{index}",
        "contact_types": "Primary" if index == 0 else random.choice(_CONTACT_TYPES[1:]),
        "created": created,
        "last_modified": created,
    }


def _site(number: int, index: int, land: Land, city: City, created: datetime, random: Random) -> Row:
    return {
        "customer_id": number,
        "site_name": "Main site" if index == 0 else "Branch",
        "address_line_1": f"{random.randint(1, 220)} {random.choice(land.streets)}",
        "address_line_2": f"Level {random.randint(1, 30)}" if random.random() < 0.15 else None,
        "city": city.name,
        "state": city.state or None,
        "zip_code": city.zip_code,
        "country": land.country,
        "latitude": round(city.latitude + random.uniform(-0.08, 0.08), 6),
        "longitude": round(city.longitude + random.uniform(-0.08, 0.08), 6),
        "address_note": "Ring twice." if random.random() < 0.03 else None,
        "created": created,
        "last_modified": created,
    }


def _search_text(customer: Row, contacts: list[Row]) -> str:
    parts = [customer[name] for name in ("customer_name", "customer_phone", "customer_email", "tax_identifier")]
    for contact in contacts:
        parts += [f"{contact['contact_firstname']} {contact['contact_lastname']}"]
        parts += [contact["contact_email"], contact["contact_phone"]]
    return fold("\n".join(part for part in parts if part))
