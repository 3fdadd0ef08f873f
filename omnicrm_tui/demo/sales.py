"""What customers of the demo bought: services with their items, and the jobs that made them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from omnicrm_tui.customer_services.rules import first_day, last_day, search_text
from omnicrm_tui.database.lists import fold
from omnicrm_tui.demo.catalogue import ONT, SIM, Catalogue, Sold
from omnicrm_tui.demo.people import TODAY, Person, Row
from omnicrm_tui.demo.stock import Stock

_STATUSES = ("Active", "Suspended", "Pending Cancellation", "Inactive", "Deactivated")
_STATUS_WEIGHTS = list(accumulate((80, 6, 4, 4, 6)))
_OVER = ("Inactive", "Deactivated")
_HOMES = ("mobile-sim-only", "prepaid-mobile-20gb", "prepaid-mobile-20gb", "home-internet-100")
_OFFICES = ("business-mobile-100gb", "mobile-sim-only", "business-voice-line", "home-internet-100")
_ALL_JOBS_UP_TO = 600
_JOB_OF_EVERY = 16
_STEPS = (
    "Load the configuration",
    "Stop here to deprovision",
    "Read the product",
    "Read the SIM and the number",
    "Name the service",
    "Create the charging account",
    "Add the balances",
    "Create the HSS subscriber",
    "Create the service",
    "Assign the inventory",
    "Record the set-up charge",
    "Send the welcome message",
)
_ROLLBACK = ("Remove the charging account", "Remove the HSS subscriber", "Give the inventory back", "End as intended")
_TROUBLES = (
    ("fatal", "The charging system refused the account: SERVER_ERROR.", 5),
    ("timed_out", "The task took longer than 300 seconds.", 7),
    ("cancelled", "The job was cancelled.", 3),
    ("interrupted", "The job's process ended without a result.", 6),
)


@dataclass(slots=True)
class Sale:
    """A service with the product it came from."""

    row: Row
    sold: Sold

    @property
    def is_live(self) -> bool:
        """Whether the charging system has an account for it."""
        return self.row["service_status"] not in _OVER


@dataclass(slots=True)
class Sales:
    """Makes services, items, jobs and events, customer by customer."""

    catalogue: Catalogue
    stock: Stock
    services: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    jobs: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)

    def of(self, person: Person, random: Random) -> list[Sale]:
        """Make and return what `person` bought."""
        count = 0 if random.random() < 0.05 else 2 if random.random() < 0.16 else 1
        offers = _OFFICES if person.is_business else _HOMES
        sales = [self._sale(person, self.catalogue.products[random.choice(offers)], random) for _ in range(count)]
        if sales and (person.number <= _ALL_JOBS_UP_TO or person.number % _JOB_OF_EVERY == 0):
            for sale in sales:
                if random.random() < 0.12:
                    self._failed_job(person, sale, random)
                self._job(person, sale)
        return sales

    def _sale(self, person: Person, sold: Sold, random: Random) -> Sale:
        number = len(self.services) + 1
        created = person.created + (TODAY - person.created) * (random.random() * 0.5)
        status = random.choices(_STATUSES, cum_weights=_STATUS_WEIGHTS)[0]
        ended = created + (TODAY - created) * 0.8 if status in _OVER else None
        leaving = TODAY + timedelta(days=random.randint(2, 28)) if status == "Pending Cancellation" else ended
        contract = created + timedelta(days=sold.contract_days) if sold.contract_days else None
        while contract and contract < TODAY and not ended:
            contract += timedelta(days=sold.contract_days)
        prefix = "Mobile_SIM" if SIM in sold.items else "Service"
        # A permutation of the 32-bit numbers: looks drawn by lot, and no two services share a name.
        uuid = f"{prefix}_{number * 2_654_435_761 % 2**32:08x}"
        items = self._items(person, sold, number, created, ended)
        name = f"{sold.name} - {items[-1]['itemtext1']}" if SIM in sold.items else f"Service: {uuid}"
        found_by = [name, uuid, *(item[text] for item in items for text in ("itemtext1", "itemtext2"))]
        row: Row = {
            "service_id": number,
            "customer_id": person.number,
            "product_id": sold.product_id,
            "site_id": person.sites[0]["site_id"],
            "service_name": name,
            "name_key": fold(name),
            "search_text": fold(search_text(found_by)),
            "service_type": sold.service_type,
            "service_uuid": uuid,
            "icon": sold.icon,
            "service_status": status,
            "service_provisioned_date": created,
            "service_active_date": created,
            "service_deactivate_date": leaving,
            "contract_end_date": contract,
            "start_date": first_day(created, created, created),
            "end_date": last_day(leaving, contract),
            "retail_cost": sold.retail_cost,
            "wholesale_cost": sold.wholesale_cost,
            "auto_renew": bool(contract) and random.random() < 0.5,
            "provisioning_play": sold.play,
            "provisioning_json_vars": "{}",
            "deprovisioning_play": sold.play,
            "service_notes": "Number ported in." if random.random() < 0.04 else None,
            "created": created,
            "last_modified": ended or created,
        }
        self.services.append(row)
        return Sale(row, sold)

    def _items(self, person: Person, sold: Sold, service: int, created: datetime, ended: datetime | None) -> list[Row]:
        """Return the items that a service has, or had: those of one that is over were given back."""
        mine: dict[str, Any] = {
            "item_state": "In Use" if service % 4 == 0 else "Assigned",
            "customer_id": person.number,
            "service_id": service,
            "sold_date": created,
            "item_location": "Customer",
        }
        if ended:
            mine = {"item_state": "Used"}
        loaded = created - timedelta(days=10)
        items: list[Row] = []
        if SIM in sold.items:
            items.append(self.stock.sim(loaded, **mine))
            items.append(self.stock.number(person.land.dialling, person.land.country, loaded, **mine))
        elif ONT in sold.items:
            items.append(self.stock.terminal(person, loaded, **mine))
        self.items += items
        return items

    def _job(self, person: Person, sale: Sale) -> None:
        created = sale.row["created"]
        row = self._job_row(person, sale, created - timedelta(seconds=20))
        row |= {
            "service_id": sale.row["service_id"],
            "service_uuid": sale.row["service_uuid"],
            "facts": {"service_uuid": sale.row["service_uuid"], "service_id": sale.row["service_id"]},
            "provisioning_status": 0,
            "status_reason": "finished",
            "finished": created,
        }
        self._events(row, [(name, "main", 0) for name in _STEPS])

    def _failed_job(self, person: Person, sale: Sale, random: Random) -> None:
        reason, message, step = random.choice(_TROUBLES)
        row = self._job_row(person, sale, sale.row["created"] - timedelta(minutes=random.randint(5, 90)))
        row |= {
            "provisioning_status": 2,
            "status_reason": reason,
            "error_message": message,
            "cancel_requested": reason == "cancelled",
            "finished": row["started"] + timedelta(seconds=25),
        }
        done = [(name, "main", 0) for name in _STEPS[:step]]
        self._events(
            row, [*done, (_STEPS[step], "main", 2), *((name, "rescue", 0) for name in _ROLLBACK)], message=message
        )

    def _job_row(self, person: Person, sale: Sale, started: datetime) -> Row:
        variables = {"product_id": sale.sold.product_id, "customer_id": person.number}
        row: Row = {
            "provision_id": len(self.jobs) + 1,
            "customer_id": person.number,
            "product_id": sale.sold.product_id,
            "service_id": None,
            "service_uuid": None,
            "provisioning_play": sale.sold.play,
            "playbook_description": f"{sale.sold.name} for {person.customer['customer_name']}"[:300],
            "provisioning_json_vars": variables,
            "facts": {},
            "error_message": None,
            "task_count": len(_STEPS),
            "initiating_user": self.catalogue.admin_id,
            "started": started,
            "cancel_requested": False,
            "created": started - timedelta(seconds=1),
            "last_modified": started,
        }
        self.jobs.append(row)
        return row

    def _events(self, job: Row, steps: list[tuple[str, str, int]], message: str = "") -> None:
        step_time = (job["finished"] - job["started"]) / len(steps)
        for number, (name, phase, status) in enumerate(steps, 1):
            begun = job["started"] + step_time * (number - 1)
            result = {"changed": False, "msg": message} if status else {"changed": number > 4}
            self.events.append(
                {
                    "provision_event_id": len(self.events) + 1,
                    "provision_id": job["provision_id"],
                    "event_number": number,
                    "event_name": name,
                    "phase": phase,
                    "provisioning_status": status,
                    "provisioning_result_json": json.dumps(result),
                    "timestamp": begun,
                    "finished": begun + step_time,
                }
            )
        job["event_count"] = len(steps)
