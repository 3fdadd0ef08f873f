"""One of the crowd, in a process of its own: `python -m tests.crowd.member reader|writer NAME SECONDS`.

It opens the service layer as a terminal does, says "ready", begins at a line of input, and ends with a report in JSON:
what it was told is done (acknowledged), and everything that went wrong.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from threading import Event
from typing import Any

from omnicrm_tui.config_file import load_settings
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerChange, CustomerInput
from omnicrm_tui.errors import Conflict
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.opening import open_for_terminal

SHARED = 1
"""The customer that all writers change: its notes count how often."""


class Member:
    """Reads, or reads and writes, as fast as a busy person with a macro."""

    def __init__(self, name: str, crm: Crm) -> None:
        self.name = name
        self._crm = crm
        self._actor = Actor(ActorKind.STAFF, name, permissions=frozenset({"admin"}))
        self._chance = random.Random(name)
        self._pause = Event()
        self.report: dict[str, Any] = {"name": name, "made": [], "counted": 0, "reads": 0, "errors": [], "slowest": 0.0}

    def work(self, seconds: float, writes: bool) -> None:
        """Go on until the time is up."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for step in (self._read, self._make, self._count) if writes else (self._read,):
                begun = time.monotonic()
                try:
                    step()
                except Exception as error:
                    self.report["errors"].append(f"{step.__name__}: {type(error).__name__}: {error}"[:500])
                self.report["slowest"] = max(self.report["slowest"], time.monotonic() - begun)
            self._pause.wait(self._chance.uniform(0.02, 0.2))

    def _read(self) -> None:
        with self._crm.reading(self._actor) as work:
            rows = work.customers.window(ListQuery(sort="customer_name"), FIRST, 50).rows
            work.customers.count(ListQuery(search="e"))
            work.customers.get(self._chance.choice(rows).customer_id)
            work.activity.window(ListQuery(descending=True), FIRST, 50)
        self.report["reads"] += 1

    def _make(self) -> None:
        name = f"{self.name}-{len(self.report['made']):06d}"
        with self._crm.as_actor(self._actor) as work:
            work.customers.create(CustomerInput(customer_name=name))
        self.report["made"].append(name)

    def _count(self) -> None:
        """Add one to the shared count; who worked from an old version is told so, and begins again next time."""
        with self._crm.reading(self._actor) as work:
            shared = work.customers.get(SHARED)
        change = CustomerChange(customer_notes=str(int(shared.customer_notes or 0) + 1), version=shared.version)
        try:
            with self._crm.as_actor(self._actor) as work:
                work.customers.update(SHARED, change)
        except Conflict:
            return
        self.report["counted"] += 1


def main() -> None:
    """Work as the arguments say."""
    role, name, seconds = sys.argv[1:]
    crm = open_for_terminal(load_settings(os.environ))
    print("ready", flush=True)
    sys.stdin.readline()
    member = Member(name, crm)
    member.work(float(seconds), writes=role == "writer")
    print(json.dumps(member.report), flush=True)


if __name__ == "__main__":
    main()
