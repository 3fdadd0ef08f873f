"""The chain through the activity log: each entry carries a hash over itself and over the entry before it.

Whoever changes, removes or slips in an entry breaks the chain at that place; whoever cuts off its end is told by the
head, which counts the entries. Entries are numbered in the order of their commits: the head's row is locked as the last
thing of a transaction, so that it is held for a moment only and nobody who holds it waits for another row.

`rules.py` says what a hash is over, and finds what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    String,
    bindparam,
    column,
    insert,
    select,
    table,
    update,
)

from omnicrm_tui.activity.rules import FIRST, HASHED, HEAD, link_hash
from omnicrm_tui.database.types import Id, LongText, UtcDateTime

ENTRIES_AT_ONCE = 1000

# Not the models: a migration links the entries of its own time with this.
_log = table(
    "activity_log",
    column("activity_id", Id),
    column("timestamp", UtcDateTime),
    *(column(name, Id) for name in HASHED[2:6]),
    *(column(name, String) for name in HASHED[6:9]),
    column("object_id", Id),
    column("action", String),
    column("details", LongText),
    column("chain_number", Id),
    column("chain_hash", LargeBinary),
)
_head = table("activity_chain", column("id", Integer), column("entries", BigInteger), column("last_hash", LargeBinary))


def link(connection: Connection, activity_ids: Iterable[int]) -> None:
    """Put the entries with these ids, which the running transaction wrote, at the end of the chain.

    Nothing may be written afterwards in the transaction: the head is locked until it ends.
    """
    number, last = _locked_head(connection)
    for ids in _some(activity_ids):
        found = connection.execute(select(_log).where(_log.c.activity_id.in_(ids)).order_by(_log.c.activity_id)).all()
        number, last = _link_rows(connection, found, number, last)
    connection.execute(update(_head).where(_head.c.id == HEAD).values(entries=number, last_hash=last))


def link_all(connection: Connection) -> None:
    """Put all entries that are not in the chain at its end, in the order of their ids: those of a bulk insert."""
    number, last = _locked_head(connection)
    statement = select(_log).where(_log.c.chain_number.is_(None)).order_by(_log.c.activity_id).limit(ENTRIES_AT_ONCE)
    while found := connection.execute(statement).all():
        number, last = _link_rows(connection, found, number, last)
        statement = statement.where(_log.c.activity_id > found[-1].activity_id)
    connection.execute(update(_head).where(_head.c.id == HEAD).values(entries=number, last_hash=last))


def _link_rows(connection: Connection, found: Sequence[Any], number: int, last: bytes) -> tuple[int, bytes]:
    linked = []
    for row in found:
        number += 1
        moment = row.timestamp.isoformat(" ", "microseconds")[: len("2026-11-21 12:00:00.000000")]
        last = link_hash(last, number, [row.activity_id, moment, *row[2 : len(HASHED)]])
        linked.append({"entry": row.activity_id, "number": number, "hash": last})
    entry = update(_log).where(_log.c.activity_id == bindparam("entry"))
    connection.execute(entry.values(chain_number=bindparam("number"), chain_hash=bindparam("hash")), linked)
    return number, last


def _locked_head(connection: Connection) -> tuple[int, bytes]:
    statement = select(_head.c.entries, _head.c.last_hash).where(_head.c.id == HEAD).with_for_update()
    head = connection.execute(statement).one_or_none()
    if head is None:
        connection.execute(_first_head(connection.dialect.name))
        head = connection.execute(statement).one()
    return head.entries, bytes(head.last_hash)


def _first_head(dialect: str) -> Any:
    """Of two that begin a chain at once, one does, and the other waits for it."""
    values = {"id": HEAD, "entries": 0, "last_hash": FIRST}
    if dialect in ("mysql", "mariadb"):
        from sqlalchemy.dialects.mysql import insert as insert_mariadb

        # Not IGNORE: that would share the row's lock between all who came too late, and none could have it alone.
        return insert_mariadb(_head).values(values).on_duplicate_key_update(id=HEAD)
    if dialect == "sqlite":
        return insert(_head).values(values).prefix_with("OR IGNORE")
    from sqlalchemy.dialects.postgresql import insert as insert_postgresql

    return insert_postgresql(_head).values(values).on_conflict_do_nothing()


def _some(ids: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), ENTRIES_AT_ONCE):
        yield ordered[start : start + ENTRIES_AT_ONCE]
