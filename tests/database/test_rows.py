"""Rows leave every database in one form, and come into every other one unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    Engine,
    Float,
    Integer,
    LargeBinary,
    String,
    Text,
    func,
    insert,
    select,
)

from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.models import Customer
from omnicrm_tui.customers.schemas import CustomerInput
from omnicrm_tui.database import rows
from omnicrm_tui.database.engine import make_engine
from omnicrm_tui.database.rows import Row
from omnicrm_tui.database.schema import metadata
from omnicrm_tui.database.types import JsonText, LongBinary, LongText, Money, UtcDateTime
from omnicrm_tui.identity.actor import Actor
from tests.fixtures.every_table import FLOATS, KEYS, MONEY, fill_every_table

KNOWN = (Money, UtcDateTime, JsonText, LongText, Boolean, Integer, Float, Date, LargeBinary, LongBinary, String, Text)


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def _everything(connection: Connection) -> dict[str, list[Row]]:
    tables = rows.tables_of(connection, metadata.tables)
    return {
        table.name: [
            row for batch in rows.read(connection, table, metadata.tables[table.name].columns.keys()) for row in batch
        ]
        for table in tables
    }


def test_every_column_has_a_type_that_rows_know() -> None:
    strange = {
        f"{column.table.name}.{column.name}": column.type
        for table in metadata.tables.values()
        for column in table.columns
        if not isinstance(column.type, KNOWN)
    }
    assert strange == {}


def test_every_table_is_read_parents_first(crm: Crm) -> None:
    with rows.snapshot(crm.engine) as connection:
        names = [table.name for table in rows.tables_of(connection, metadata.tables)]
    assert sorted(names) == sorted(metadata.tables)
    late = {
        (name, key.column.table.name)
        for place, name in enumerate(names)
        for key in metadata.tables[name].foreign_keys
        if key.column.table.name not in names[: place + 1]
    }
    assert late == set()


def test_every_value_of_every_table_is_the_same_on_the_three_databases(every_database_url: dict[str, str]) -> None:
    first: dict[str, list[Row]] | None = None
    for url in every_database_url.values():
        with _engine(url) as engine:
            with engine.begin() as connection:
                fill_every_table(connection)
            with rows.snapshot(engine) as connection:
                found = _everything(connection)
        first = first or found
        assert found == first
    assert first is not None
    assert {name: len(found) for name, found in first.items()} == dict.fromkeys(metadata.tables, len(KEYS))


@pytest.mark.parametrize("target", ["sqlite", "postgresql", "mariadb"])
def test_rows_go_from_one_database_to_another_and_ids_go_on_behind_them(
    crm: Crm, every_database_url: dict[str, str], target: str
) -> None:
    with crm.engine.begin() as connection:
        fill_every_table(connection)
    with _engine(every_database_url[target]) as engine:
        with rows.snapshot(crm.engine) as source, rows.loading(engine) as connection:
            theirs = {table.name: table for table in rows.tables_of(connection, metadata.tables)}
            connection.rollback()
            for table in rows.tables_of(source, metadata.tables):
                with connection.begin():
                    names = table.columns.keys()
                    rows.load(connection, theirs[table.name], names, rows.read(source, table))
            assert rows.orphans(connection, list(theirs.values())) == []
            assert _everything(connection) == _everything(source)
        with engine.begin() as connection:
            customer = connection.execute(select(Customer.__table__)).mappings().first()
            assert customer is not None
            new = {name: value for name, value in customer.items() if name != "customer_id"}
            made = connection.execute(insert(Customer.__table__), new).inserted_primary_key
            assert made is not None
            assert made[0] == KEYS[-1] + 1
            invoices = metadata.tables["customer_invoice"]
            assert sorted(connection.scalars(select(invoices.c.subtotal))) == sorted(MONEY)
            sites = metadata.tables["customer_site"]
            assert set(connection.scalars(select(sites.c.latitude))) <= {*FLOATS, None}


def test_an_orphan_is_found(any_crm: Crm) -> None:
    with any_crm.engine.begin() as connection:
        fill_every_table(connection)
    with rows.loading(any_crm.engine) as connection, connection.begin() as transaction:
        tables = rows.tables_of(connection, metadata.tables)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE customer_site DROP CONSTRAINT fk_customer_site_customer_id")
        connection.exec_driver_sql(f"UPDATE customer_site SET customer_id = 77 WHERE site_id = {KEYS[0]}")
        assert rows.orphans(connection, tables) == ["1 of customer_site.customer_id point at no customer"]
        transaction.rollback()


def test_a_snapshot_does_not_see_what_is_written_meanwhile(any_crm: Crm, admin: Actor) -> None:
    def add(name: str) -> None:
        with any_crm.as_actor(admin) as work:
            work.customers.create(CustomerInput(customer_name=name))

    add("Ada")
    with rows.snapshot(any_crm.engine) as connection:
        (customers,) = rows.tables_of(connection, ["customer"])
        add("Bob")
        assert [len(batch) for batch in rows.read(connection, customers)] == [1]
    with any_crm.reading(admin) as work:
        assert work.session.scalar(select(func.count()).select_from(Customer)) == 2
