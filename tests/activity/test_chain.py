"""The chain through the activity log: nothing is changed, removed, slipped in or cut off without being seen."""

from __future__ import annotations

import re
import threading

import pytest
from sqlalchemy import func, select

from omnicrm_tui.activity.models import ActivityEntry
from omnicrm_tui.billing.models import InvoiceCounter
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.database import migrate
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.errors import NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.settings import Settings
from tests.fixtures.every_table import ODD


def _add(crm: Crm, actor: Actor, *names: str) -> None:
    with crm.as_actor(actor) as work:
        for name in names:
            work.customers.create(CustomerInput(customer_name=name))


def _problem(crm: Crm, actor: Actor) -> str | None:
    with crm.reading(actor) as work:
        return work.activity.verify_chain().problem


def _tamper(crm: Crm, statement: str) -> None:
    with crm.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_each_entry_hangs_on_the_one_before(any_crm: Crm, admin: Actor) -> None:
    assert _problem(any_crm, admin) is None
    _add(any_crm, admin, "Ada", ODD.strip()[:40])
    _add(any_crm, admin, "Bob")
    with any_crm.reading(admin) as work:
        report = work.activity.verify_chain()
        numbers = work.session.scalars(select(ActivityEntry.chain_number).order_by(ActivityEntry.activity_id)).all()
    assert (report.entries, report.problem) == (3, None)
    assert list(numbers) == [1, 2, 3]
    with any_crm.reading(admin) as work:
        assert work.activity.verify_chain() == report


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE activity_log SET action = 'Nothing happened' WHERE activity_id = 3",
            "Entry 3 of the activity log",
        ),
        ("UPDATE activity_log SET details = '{}' WHERE activity_id = 2", "Entry 2 of the activity log was changed"),
        (
            "UPDATE activity_log SET actor_name = 'x' WHERE activity_id = 1",
            "Entry 1 of the activity log",
        ),
        ("DELETE FROM activity_log WHERE activity_id = 3", "The entry after 2 of the activity log was removed"),
        ("DELETE FROM activity_log WHERE activity_id = 1", "The entry after 0 of the activity log was removed"),
        ("DELETE FROM activity_log WHERE activity_id > 3", "ends after entry 3: 2 entries were cut off"),
        ("DELETE FROM activity_log", "ends after entry 0: 5 entries were cut off"),
        ("UPDATE activity_chain SET entries = 4", "head of the activity log's chain was changed"),
        ("DELETE FROM activity_chain", "head of the activity log's chain was changed"),
        (
            "UPDATE activity_log SET chain_number = NULL WHERE activity_id = 5",
            "Entry 5 .* slipped in",
        ),
    ],
)
def test_what_was_tampered_with_is_named(crm: Crm, admin: Actor, statement: str, problem: str) -> None:
    _add(crm, admin, "A", "B", "C", "D", "E")
    assert _problem(crm, admin) is None
    _tamper(crm, statement)
    found = _problem(crm, admin)
    assert found is not None
    assert re.search(problem, found), found


def test_what_is_rolled_back_leaves_no_gap(any_crm: Crm, admin: Actor) -> None:
    _add(any_crm, admin, "Ada")
    with pytest.raises(RuntimeError), any_crm.as_actor(admin) as work:
        work.customers.create(CustomerInput(customer_name="Bob"))
        raise RuntimeError
    with any_crm.as_actor(admin) as work:
        work.customers.create(CustomerInput(customer_name="Cy"))
        with pytest.raises(RuntimeError), work.session.begin_nested():
            work.activity.record("customer", 1, "Taken back")
            raise RuntimeError
        with work.session.begin_nested():
            work.session.add(InvoiceCounter(year=2026, last=0))
            work.activity.record("customer", 1, "Kept")
    with any_crm.reading(admin) as work:
        report = work.activity.verify_chain()
        actions = work.session.scalars(select(ActivityEntry.action).order_by(ActivityEntry.activity_id)).all()
    assert report.problem is None
    assert report.entries == len(actions) == 3
    assert actions[-1] == "Kept"


def test_many_writers_make_one_chain(any_crm: Crm, admin: Actor) -> None:
    troubles: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for number in range(8):
                _add(any_crm, admin, f"{name} {number}", f"{name} {number} again")
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "ABCD"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    with any_crm.reading(admin) as work:
        report = work.activity.verify_chain()
        assert work.session.scalar(select(func.count()).select_from(ActivityEntry)) == report.entries == 64
    assert report.problem is None


def test_bulk_entries_are_chained_behind_what_there_is(crm: Crm, admin: Actor) -> None:
    _add(crm, admin, "Ada")
    with crm.as_actor(admin) as work:
        work.activity.record("customer", 1, "Recorded")
        work.session.flush()
        copy = "timestamp, actor_name, source_address, object_type, action, details"
        work.session.connection().exec_driver_sql(f"INSERT INTO activity_log ({copy}) SELECT {copy} FROM activity_log")
        work.activity.chain_bulk()
    with crm.reading(admin) as work:
        report = work.activity.verify_chain()
    assert (report.entries, report.problem) == (4, None)


def test_a_customer_may_not_look_but_its_changes_are_chained(crm: Crm, admin: Actor) -> None:
    _add(crm, admin, "Ada")
    own = Actor(ActorKind.CUSTOMER, "ada", permissions=frozenset({"update_customer"}), own_customer_id=1)
    with crm.as_actor(own) as work:
        work.activity.record("customer", 1, "Changed", customer_id=1)
    assert _problem(crm, admin) is None
    with crm.reading(own) as work, pytest.raises(NotPermitted):
        work.activity.verify_chain()


def test_entries_of_an_older_version_are_chained_by_the_migration(settings: Settings) -> None:
    migrate.upgrade(settings, "0002")
    engine = make_engine(settings.database_url)

    insert = (
        "INSERT INTO activity_log (activity_id, timestamp, actor_name, source_address, object_type, action, details)"
        " VALUES (?, '2026-11-21 12:00:00.000000', 'Zoë', '', 'customer', 'Customer created', '{}')"
    )
    with engine.begin() as connection:
        for number in (2, 5, 9):
            connection.exec_driver_sql(insert, (number,))
    migrate.upgrade(settings)
    crm = Crm.open(settings)
    admin = Actor(ActorKind.STAFF, "admin", permissions=frozenset({"admin"}))
    with crm.reading(admin) as work:
        report = work.activity.verify_chain()
    assert (report.entries, report.problem) == (3, None)
    crm.close()
    engine.dispose()
