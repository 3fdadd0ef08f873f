"""The customer list of a demo of 50,000: keys, bytes and silence in the terminal, and its queries without one."""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.browse import byte_rows, idle_rows, key_rows
from bench.homes import CUSTOMERS, Home, demo_home, list_is_complete, remembered
from bench.pty_run import PtyProgram
from bench.report import Row, p95

TITLE = f"{CUSTOMERS:,} customers"
PAGE = 200
"""Rows of a page, as the table reads them."""


def run() -> list[Row]:
    """Measure the list on the screen and its first pages."""
    home = remembered(demo_home())

    @contextmanager
    def customers(columns: int, rows: int) -> Iterator[PtyProgram]:
        with home.tui(columns, rows) as program:
            program.wait_until(lambda: list_is_complete(program.text), timeout=30)
            program.settle(idle=1.5)  # the session is renewed a second after the first list
            yield program

    return [
        Row(f"omnicrm demo --customers {CUSTOMERS}", home.seconds, 60, "s"),
        *key_rows(TITLE, customers),
        *byte_rows(TITLE, customers, 120, 40, 600),
        *byte_rows(TITLE, customers, 80, 24, 400),
        *idle_rows(TITLE, customers),
        *_first_pages(home),
    ]


def _first_pages(home: Home) -> list[Row]:
    """Ask for the first page under every offered sort, either way, with every filter and pair of filters."""
    from omnicrm_tui.config_file import load_settings
    from omnicrm_tui.crm import Crm
    from omnicrm_tui.customers.service import CUSTOMER_LIST
    from omnicrm_tui.identity.actor import system_actor
    from omnicrm_tui.listing import FIRST, ListQuery

    crm = Crm.open(load_settings({**os.environ, **home.env}))
    offered = {
        "customer_status": crm.settings.crm.customer_statuses,
        "customer_account_type": ("Individual", "Business"),
        "customer_payment_type": ("prepaid", "postpaid"),
    }
    single = [(name, value) for name, values in offered.items() for value in values]
    pairs = [pair for pair in itertools.combinations(single, 2) if pair[0][0] != pair[1][0]]
    filters = [{}, *({name: [value]} for name, value in single), *({a: [b], c: [d]} for (a, b), (c, d) in pairs)]
    plain = sqlite3.connect(home.path / "omnicrm.sqlite")
    times: list[float] = []
    floor: list[float] = []
    for sort, descending, chosen in itertools.product(CUSTOMER_LIST.sorts, (False, True), filters):
        query = ListQuery(filters=chosen, sort=sort, descending=descending)
        begin = time.perf_counter()
        with crm.reading(system_actor("bench")) as work:
            work.customers.window(query, FIRST, PAGE)
        times.append((time.perf_counter() - begin) * 1000)
        begin = time.perf_counter()
        plain.execute("SELECT * FROM customer ORDER BY customer_id LIMIT ?", (PAGE,)).fetchall()
        floor.append((time.perf_counter() - begin) * 1000)
    plain.close()
    crm.close()
    what = f"first page, any of {len(times)} sorts and filters"
    return [Row(f"{what}, p95", p95(times), 50, floor=p95(floor)), Row(f"{what}, longest", max(times), 50)]
