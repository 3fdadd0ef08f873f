"""What a database refuses is told as bad input, and its values stay out of the message."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from omnicrm_tui.database.engine import make_engine, speaking_database
from omnicrm_tui.errors import InvalidInput


def test_a_value_that_a_column_does_not_hold_is_bad_input() -> None:
    with pytest.raises(InvalidInput, match="too long or too large"), speaking_database():
        raise DataError("INSERT", {}, Exception("Data too long for column"))


def test_an_error_keeps_the_values_to_itself(any_database_url: str) -> None:
    engine = make_engine(any_database_url)
    with pytest.raises(Exception) as caught, engine.connect() as connection:
        connection.execute(text("INSERT INTO nothing_here VALUES (:value)"), {"value": "Tr0mbone!x"})
    engine.dispose()
    assert "nothing_here" in str(caught.value)
    assert "Tr0mbone!x" not in str(caught.value)
