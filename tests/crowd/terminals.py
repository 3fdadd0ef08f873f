"""A few people of the crowd at real terminals: the application itself, in pseudo-terminals."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.pty_run import DOWN, PAGE_DOWN, UP, PtyProgram
from omnicrm_tui.identity.actor import system_actor
from omnicrm_tui.identity.schemas import UserInput
from tests.crowd.crowd import Place

OMNICRM = str(Path(sys.executable).with_name("omnicrm"))
PASSWORD = "Right-Horse9"
ANSWER_SECONDS = 60.0
KEYS = (DOWN, DOWN, UP, PAGE_DOWN, b"j", b"k", b"r", b"s", b"gj", b"gs", b"gc")
TROUBLE = ("unexpected", "could not", "locked", "cannot be", "try again", "no connection")


def add_person(place: Place, name: str) -> None:
    """Add somebody who may log in and do everything."""
    data = {"first_name": name, "last_name": "Crowd", "role": "System Admin", "password": PASSWORD}
    crm = place.crm()
    with crm.as_actor(system_actor("set-up")) as work:
        work.identity.create_user(UserInput(username=name, email=f"{name}@mail.example", **data))
    crm.close()


def log_in(program: PtyProgram, name: str, *seen: str) -> None:
    """Log in at a terminal as somebody who was added, and see the customers, or what else is `seen` then."""
    program.wait_for("Password", timeout=ANSWER_SECONDS)
    program.write(f"{name}@mail.example\t".encode())
    program.wait_for(f"{name}@mail.example", timeout=ANSWER_SECONDS)
    program.write(PASSWORD.encode() + b"\r")
    program.wait_for(*(seen or ("Customers", "1 of ")), timeout=ANSWER_SECONDS)


class Person(threading.Thread):
    """Somebody who logs in, looks around until told to stop, and then finds the list of customers as it should be."""

    def __init__(self, place: Place, name: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self._place, self._ending = place, stop
        self._chance = random.Random(name)
        self.problem = ""
        self.keys = 0

    def run(self) -> None:
        """Work, and keep what went wrong."""
        try:
            with PtyProgram([OMNICRM], columns=100, rows=30, env=self._place.env) as program:
                log_in(program, self.name)
                while not self._ending.is_set():
                    self._press(program)
                program.write(b"gc")
                program.wait_for("Customers", " of ", timeout=ANSWER_SECONDS)
                program.write(b"\x11")
                program.wait_for_exit(ANSWER_SECONDS)
        except Exception as error:
            self.problem = f"{self.name}: {type(error).__name__}: {error}"

    def _press(self, program: PtyProgram) -> None:
        program.write(self._chance.choice(KEYS))
        program.settle(idle=0.2, limit=2.0)
        self.keys += 1
        said = [words for words in TROUBLE if words in program.text]
        if said:
            raise AssertionError(f"the screen says {said}:\n{program.text}")


@contextmanager
def people_at_terminals(place: Place, number: int) -> Iterator[list[Person]]:
    """Let that many people work at terminals while the block runs; none of them may have met a problem."""
    stop = threading.Event()
    people = [Person(place, f"person{at}", stop) for at in range(number)]
    for person in people:
        add_person(place, person.name)
        person.start()
    try:
        yield people
    finally:
        stop.set()
        deadline = time.monotonic() + 2 * ANSWER_SECONDS
        for person in people:
            person.join(max(0.0, deadline - time.monotonic()))
    problems = [person.problem for person in people if person.problem]
    assert not problems, "\n".join(problems)
    assert all(person.keys for person in people), "somebody never got to work"
