"""One use case is one transaction, and a database in trouble says so."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.models import Customer
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.errors import DatabaseProblem, InvalidInput
from omnicrm_tui.identity.actor import Actor
from omnicrm_tui.settings import Settings

ADA = CustomerInput(customer_name="Ada")


def customers(crm: Crm, admin: Actor) -> int:
    with crm.reading(admin) as work:
        return work.session.scalar(select(func.count()).select_from(Customer)) or 0


def test_what_was_put_off_runs_after_the_commit_and_never_after_a_rollback(crm: Crm, admin: Actor) -> None:
    seen: list[int] = []
    with crm.as_actor(admin) as work:
        work.customers.create(ADA)
        work.after_commit(lambda: seen.append(customers(crm, admin)))
        assert seen == []
    assert seen == [1]
    with pytest.raises(InvalidInput), crm.as_actor(admin) as work:
        work.customers.create(ADA)
        work.after_commit(lambda: seen.append(-1))
        work.customers.create(CustomerInput(customer_name="Bob", customer_status="nonsense"))
    assert seen == [1]
    assert customers(crm, admin) == 1


def test_writers_on_one_sqlite_file_wait_for_each_other_and_lose_nothing(crm: Crm, admin: Actor) -> None:
    def write() -> None:
        for _ in range(10):
            with crm.as_actor(admin) as work:
                work.customers.create(ADA)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert customers(crm, admin) == 40


@pytest.mark.req("PLT-054")
def test_a_locked_database_says_so(crm: Crm, admin: Actor, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "omnicrm.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    crm.close()
    hasty = Crm(crm.settings, make_engine(crm.settings.database_url, busy_seconds=0), crm.clock, crm.vault)
    with pytest.raises(DatabaseProblem, match="locked"), hasty.as_actor(admin) as work:
        work.customers.create(ADA)
    other.close()
    with hasty.as_actor(admin) as work:
        work.customers.create(ADA)
    hasty.close()


def test_a_full_disk_says_so_and_changes_nothing(crm: Crm, admin: Actor) -> None:
    with crm.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    notes = CustomerInput(customer_name="Ada", customer_notes="x" * 10_000)
    with pytest.raises(DatabaseProblem, match="full"), crm.as_actor(admin) as work:
        for _ in range(20):
            work.customers.create(notes)
    assert customers(crm, admin) == 0


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql+psycopg://nobody@127.0.0.1:1/none", "cannot be reached"),
        ("mysql+pymysql://nobody@127.0.0.1:1/none", "cannot be reached"),
        ("sqlite:////proc/nowhere/x.sqlite", "cannot be opened"),
    ],
)
def test_an_unreachable_database_says_so(
    url: str, sentence: str, settings: Settings, clock: FrozenClock, vault: Vault, admin: Actor
) -> None:
    crm = Crm(settings, make_engine(url), clock, vault)
    with pytest.raises(DatabaseProblem, match=sentence), crm.reading(admin) as work:
        work.session.scalar(select(func.count()).select_from(Customer))


def test_an_empty_database_names_the_command_that_helps(any_database_url: str, crm: Crm, admin: Actor) -> None:
    empty = Crm(crm.settings, make_engine(any_database_url), crm.clock, crm.vault)
    with pytest.raises(DatabaseProblem, match="db upgrade"), empty.reading(admin) as work:
        work.session.scalar(select(func.count()).select_from(Customer))
    empty.close()


def test_an_unknown_kind_of_database_is_refused() -> None:
    with pytest.raises(DatabaseProblem, match="sqlite, postgresql or mariadb"):
        make_engine("oracle://x")
