"""The demo's lab network: a charging account for each live service, a subscriber for each live SIM."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from omnicrm_tui.clock import Clock
from omnicrm_tui.demo.catalogue import GIB, MINUTE, SIM
from omnicrm_tui.demo.people import Row
from omnicrm_tui.demo.sales import Sale
from omnicrm_tui.lab.hss import SUBSCRIBER
from omnicrm_tui.lab.ocs_core import ACCOUNT
from omnicrm_tui.lab.ocs_engine import Account, Balance, account_doc
from omnicrm_tui.lab.store import Store
from omnicrm_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class Live:
    """What the network has to know of a live service."""

    number: int
    service_uuid: str
    is_mobile: bool
    enabled: bool
    imsi: str | None
    msisdn: str | None


def live_services(sales: Iterable[Sale], items: Iterable[Row]) -> list[Live]:
    """Return what the network knows: services that are not over, with the numbers of their SIMs."""
    imsis: dict[int, str] = {}
    msisdns: dict[int, str] = {}
    for item in items:
        if item["service_id"] is not None:
            if item["item"] == SIM:
                imsis[item["service_id"]] = item["itemtext2"]
            else:
                msisdns[item["service_id"]] = item["itemtext1"]
    return [
        Live(
            number=sale.row["service_id"],
            service_uuid=sale.row["service_uuid"],
            is_mobile=sale.sold.service_type == "mobile",
            enabled=sale.row["service_status"] != "Suspended",
            imsi=imsis.get(sale.row["service_id"]),
            msisdn=msisdns.get(sale.row["service_id"]),
        )
        for sale in sales
        if sale.is_live
    ]


def fill_lab(settings: Settings, services: Iterable[Live], clock: Clock) -> int:
    """Write accounts and subscribers into the home's lab, in one transaction; return how many accounts.

    Balances expire some weeks from now, not from the day the demo stands on: the lab forgets what has expired.
    """
    store = Store(settings.lab_folder, clock)
    count, now = 0, clock.now().replace(microsecond=0)
    try:
        with store.transaction():
            for service in services:
                account_id = f"{settings.ocs.ocsTenant}:{service.service_uuid}"
                account = Account(account_id, _balances(service, now), disabled=not service.enabled)
                store.put(ACCOUNT, account_id, account_doc(account))
                if service.imsi:
                    subscriber = {"imsi": service.imsi, "msisdn": service.msisdn, "enabled": service.enabled}
                    store.put(SUBSCRIBER, service.imsi, {**subscriber, "subscriber_id": service.imsi})
                count += 1
    finally:
        store.close()
    return count


def _balances(service: Live, now: datetime) -> dict[str, list[Balance]]:
    random = Random(service.number)  # noqa: S311 - invented balances
    expires = now + timedelta(days=random.randint(4, 28))
    credit = _balance(service, "Credit", random.randint(0, 4000), None, weight=1)
    if not service.is_mobile:
        return {"*monetary": [credit]}
    data = _balance(service, "Data", random.randint(0, 20 * 1024) * (GIB // 1024), expires)
    voice = _balance(service, "Voice", random.randint(0, 1000) * MINUTE, expires)
    messages = _balance(service, "SMS", random.randint(0, 500), expires)
    return {"*monetary": [credit], "*data": [data], "*voice": [voice], "*sms": [messages]}


def _balance(service: Live, name: str, value: int, expires: datetime | None, weight: float = 10) -> Balance:
    uuid = f"00000000-0000-4000-8000-{service.number:08x}{sum(name.encode()):04x}"
    return Balance(uuid=uuid, id=name, value=Decimal(value), expires=expires, weight=weight)
