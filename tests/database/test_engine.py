"""Several programs that open a new SQLite file in the same moment."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from omnicrm_tui.database import engine


class Contended(sqlite3.Cursor):
    """SQLite refuses to change the journal at once, without waiting, while others do the same."""

    refusals = 2
    asked = 0

    def execute(self, sql: str, *_values: Any) -> sqlite3.Cursor:
        """Refuse as often as `refusals` says."""
        self.asked += 1
        if self.asked <= self.refusals:
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql)


@pytest.fixture
def cursor() -> Contended:
    connection = sqlite3.connect(":memory:")
    return connection.cursor(Contended)


def test_a_journal_that_others_change_is_waited_for(cursor: Contended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_WAL_PAUSE_SECONDS", 0)
    engine._write_ahead(cursor, busy_seconds=15)
    assert cursor.asked == 3


def test_nobody_waits_for_ever(cursor: Contended) -> None:
    cursor.refusals = 1_000_000
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        engine._write_ahead(cursor, busy_seconds=0)
