"""Column types that mean the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

MONEY_SCALE = 4
"""Stored decimals: one more than any currency needs (ISO 4217 goes to 3, and CLF to 4)."""

_UNIT = Decimal(10) ** MONEY_SCALE
_MARIADB = ("mysql", "mariadb")
# The dialects of the servers are imported where a server is spoken to: an embedded start would pay 50 ms for them.

Id = BigInteger().with_variant(Integer(), "sqlite")
"""Primary and foreign keys. SQLite only auto-increments columns declared INTEGER."""


class Money(TypeDecorator[Decimal]):
    """An exact amount: NUMERIC(18,4); on SQLite, which would store a float, an integer of ten-thousandths."""

    impl = Numeric(18, MONEY_SCALE)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the storage for `dialect`."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(18, MONEY_SCALE))

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Any:
        """Refuse floats: an amount that went through one is no longer exact."""
        if value is None:
            return None
        if isinstance(value, float):
            raise TypeError("money is Decimal, not float")
        amount = Decimal(value)
        if dialect.name != "sqlite":
            return amount
        scaled = amount * _UNIT
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} has more than {MONEY_SCALE} decimals")
        return int(scaled)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return the amount as Decimal, without trailing storage digits beyond the scale."""
        if value is None:
            return None
        amount = Decimal(value) / _UNIT if dialect.name == "sqlite" else Decimal(value)
        return amount.quantize(Decimal(1) / _UNIT)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, with microseconds, always aware UTC in Python."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose a storage that keeps microseconds (MariaDB's plain DATETIME does not)."""
        if dialect.name in _MARIADB:
            from sqlalchemy.dialects.mysql import DATETIME

            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they have no meaning of their own."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("times are aware UTC")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """A JSON document stored as text, alike on every database."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """MariaDB's TEXT ends at 64 KiB; take the larger one."""
        return _long_text(dialect)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write compact JSON with sorted keys, so that equal documents are equal texts."""
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read the document back."""
        return None if value is None else json.loads(value)


class LongText(TypeDecorator[str]):
    """Text of any length."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the storage for `dialect`."""
        return _long_text(dialect)


class LongBinary(TypeDecorator[bytes]):
    """Bytes of any length that fits a request: MariaDB's BLOB ends at 64 KiB."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the storage for `dialect`."""
        if dialect.name in _MARIADB:
            from sqlalchemy.dialects.mysql import MEDIUMBLOB

            return dialect.type_descriptor(MEDIUMBLOB())
        return dialect.type_descriptor(LargeBinary())


def _long_text(dialect: Dialect) -> TypeEngine[Any]:
    if dialect.name in _MARIADB:
        from sqlalchemy.dialects.mysql import LONGTEXT

        return dialect.type_descriptor(LONGTEXT())
    return dialect.type_descriptor(Text())


def sort_key(length: int) -> TypeEngine[str]:
    """Return a text type that sorts by code point everywhere, for the folded copy of a displayed name."""
    return (
        String(length)
        .with_variant(String(length, collation="utf8mb4_bin"), *_MARIADB)
        .with_variant(String(length, collation="C"), "postgresql")
    )
