"""One question at a time, however many ask and whatever hangs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from omnicrm_tui.api import probe
from omnicrm_tui.api.probe import MOST_AT_ONCE, Probe


class Slow:
    """Answers with how often it was asked, once it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = threading.Event()

    def __call__(self) -> int:
        """Return the number of this question."""
        self.asked += 1
        number = self.asked
        assert self.may_answer.wait(60)
        return number


def ask(question: Probe[int], times: int = 1) -> list[int | BaseException]:
    async def all_at_once() -> list[int | BaseException]:
        return await asyncio.gather(*(question.answer() for _ in range(times)), return_exceptions=True)

    return asyncio.run(all_at_once())


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PATIENCE_SECONDS", 0.05)


def test_all_that_ask_while_it_hangs_share_one_question(slow: Slow, impatient: None) -> None:
    question = Probe(slow)
    for _ in range(3):
        assert all(isinstance(answer, TimeoutError) for answer in ask(question, 5))
    assert slow.asked == 1
    slow.may_answer.set()


def test_each_question_is_put_anew_once_the_last_is_answered(slow: Slow) -> None:
    question = Probe(slow)
    slow.may_answer.set()
    assert [ask(question), ask(question)] == [[1], [2]]


def test_what_is_stuck_is_asked_again_but_not_without_end(
    slow: Slow, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "STUCK_SECONDS", 0)
    question = Probe(slow)
    for _ in range(MOST_AT_ONCE + 3):
        ask(question)
    assert slow.asked == MOST_AT_ONCE
    slow.may_answer.set()


def test_what_goes_wrong_is_the_callers() -> None:
    def burst() -> int:
        raise ZeroDivisionError

    assert isinstance(ask(Probe(burst))[0], ZeroDivisionError)
