"""Column types mean the same on all three databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, func, insert, select
from sqlalchemy.exc import StatementError

from omnicrm_tui.database.types import JsonText, Money, UtcDateTime, sort_key

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("amount", Money),
    Column("moment", UtcDateTime),
    Column("document", JsonText),
    Column("name", sort_key(50)),
)


@pytest.fixture
def engine(any_database_url: str):
    engine = create_engine(any_database_url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_amounts_are_exact_and_so_are_their_sums(engine) -> None:
    amounts = [Decimal("0.1"), Decimal("0.2"), Decimal("-99999999999.9999"), Decimal("19.995")]
    with engine.begin() as connection:
        connection.execute(insert(things), [{"amount": amount} for amount in amounts])
        assert list(connection.scalars(select(things.c.amount).order_by(things.c.id))) == amounts
        assert connection.scalar(select(func.sum(things.c.amount))) == sum(amounts)
        assert connection.scalar(select(func.count()).where(things.c.amount > Decimal("0.15"))) == 2


@pytest.mark.parametrize("wrong", [0.1, 1e20])
def test_a_float_is_refused_as_an_amount(engine, wrong: float) -> None:
    with engine.begin() as connection, pytest.raises(StatementError, match="Decimal"):
        connection.execute(insert(things), [{"amount": wrong}])


def test_an_instant_keeps_its_microseconds_and_comes_back_in_utc(engine) -> None:
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with engine.begin() as connection:
        connection.execute(insert(things), [{"moment": moment}])
        seen = connection.scalar(select(things.c.moment))
    assert seen == moment
    assert seen.tzinfo is UTC


def test_a_naive_time_is_refused(engine) -> None:
    with engine.begin() as connection, pytest.raises(StatementError, match="aware"):
        connection.execute(insert(things), [{"moment": datetime(2026, 1, 1)}])  # noqa: DTZ001


def test_documents_and_code_point_order_agree_everywhere(engine) -> None:
    names = ["zoe", "Zoe", "ähnlich", "李", "a b", "a-b", "ab"]
    with engine.begin() as connection:
        connection.execute(insert(things), [{"name": name, "document": {"名": [name, None, 1]}} for name in names])
        seen = connection.execute(select(things.c.name, things.c.document).order_by(things.c.name)).all()
    assert [row.name for row in seen] == sorted(names)
    assert seen[0].document == {"名": ["Zoe", None, 1]}
