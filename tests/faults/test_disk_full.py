"""A disk that is full: a sentence, nothing half done, and all goes on when there is room again."""

from __future__ import annotations

import resource

import pytest

from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.listing import FIRST, ListQuery
from tests.fixtures.house import House

MOST_CUSTOMERS = 3000


@pytest.mark.req("PLT-066")
def test_a_server_whose_files_cannot_grow_says_so_loses_nothing_and_recovers(house: House) -> None:
    house.configure()
    server, client = house.serve()
    acknowledged: list[str] = []

    def create() -> int:
        name = f"Customer {len(acknowledged):05d}"
        answer = client.post("/crm/customer", json={"customer_name": name, "customer_notes": "x" * 2000})
        if answer.status_code == 200:
            acknowledged.append(name)
        else:
            told.append(answer.json()["message"])
        return answer.status_code

    told: list[str] = []
    assert create() == 200
    hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)[1]
    largest = max(path.stat().st_size for path in house.home.glob("omnicrm.sqlite*"))
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest + 100_000, hard))
    while create() == 200:
        assert len(acknowledged) < MOST_CUSTOMERS, "the files grow beyond their limit"
    assert [create() for _ in range(3)] == [503, 503, 503]
    assert all("disk" in sentence and "Nothing was changed" in sentence for sentence in told)
    assert client.get("/crm/customer").json()["pagination"]["total_items"] == len(acknowledged)

    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert create() == 200
    crm = house.crm()
    with crm.reading(system_actor("test")) as work:
        rows = work.customers.window(ListQuery(sort="customer_name"), FIRST, MOST_CUSTOMERS).rows
    crm.close()
    assert [row.customer_name for row in rows] == sorted(acknowledged)
    assert server.poll() is None
