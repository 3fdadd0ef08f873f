"""Rules of the outbox."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.integrations.mail import TIMEOUT_SECONDS
from omnicrm_tui.messaging.rules import BACKOFF, is_email, one_line, phone_number, wait_after


def test_pauses_grow_and_outlast_an_attempt() -> None:
    assert list(BACKOFF) == sorted(BACKOFF)
    assert BACKOFF[0].total_seconds() > 4 * TIMEOUT_SECONDS
    assert wait_after(1) == BACKOFF[0]
    assert wait_after(99) == BACKOFF[-1]


@pytest.mark.parametrize(
    ("text", "number"),
    [("+47 900 11 223", "+4790011223"), ("(0351) 12-34", "03511234"), ("twelve", None), ("", None), ("+", None)],
)
def test_phone_numbers_lose_their_blanks(text: str, number: str | None) -> None:
    assert phone_number(text) == number


@pytest.mark.parametrize("text", ["", "x", "a@b@c", "a b@c", "a@b\nBcc: c@d", "@", "a@"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert not is_email(text)


@given(st.text())
def test_a_subject_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert not set(one_line(text)) & set("\r\n\x00\x1b")
