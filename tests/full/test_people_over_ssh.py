"""Twenty people at once through a real sshd: each writes, some are cut off in the middle, and nothing is lost."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.pty_run import DOWN, PtyProgram
from bench.sshd import SSHD, Sshd
from omnicrm_tui.customers.models import Customer
from tests.crowd.crowd import make_place
from tests.crowd.terminals import ANSWER_SECONDS, add_person, log_in

pytestmark = [pytest.mark.full, pytest.mark.terminal]

PEOPLE = 20
CUT_OFF = 5
"""So many lose their connection while they write."""

ENTER, CTRL_S, CTRL_Q = b"\r", b"\x13", b"\x11"


@pytest.mark.req("PLT-168")
def test_twenty_people_work_at_once_over_ssh(tmp_path: Path) -> None:
    if SSHD is None:
        pytest.skip("needs sshd, which is not installed (openssh-server)")
    place = make_place(tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'omnicrm.sqlite'}", customers=60)
    names = [f"person{number:02d}" for number in range(PEOPLE)]
    for name in names:
        add_person(place, name)
    folder = tmp_path / "sshd"
    folder.mkdir()
    with Sshd(folder, place.home) as sshd, ExitStack() as stack:
        keys = {name: sshd.admit(sshd.make_key(name)) for name in names}
        seats = {
            name: stack.enter_context(PtyProgram(sshd.argv(key), columns=80, rows=24)) for name, key in keys.items()
        }
        for name, seat in seats.items():
            log_in(seat, name)
        assert len(sshd.applications()) == PEOPLE
        for seat in seats.values():
            seat.write(DOWN)
        for seat in seats.values():
            seat.wait_for("2 of 60", timeout=ANSWER_SECONDS)
        for name, seat in seats.items():
            seat.write(b"n")
            seat.wait_for("New customer", timeout=ANSWER_SECONDS)
            seat.write(f"Made by {name}".encode())
            seat.wait_for(f"Made by {name}", timeout=ANSWER_SECONDS)
        for name in names[:CUT_OFF]:
            os.kill(seats[name].pid, signal.SIGHUP)
        for name in names[CUT_OFF:]:
            seats[name].write(CTRL_S)  # all at once: each waits for the others' turn
        for name in names[CUT_OFF:]:
            seats[name].wait_for(f"Made by {name} #", timeout=ANSWER_SECONDS)
        for name in names[:CUT_OFF]:
            assert seats[name].wait_for_exit(ANSWER_SECONDS) is not None
            back = stack.enter_context(PtyProgram(sshd.argv(keys[name]), columns=80, rows=24))
            log_in(back, name, "There is an unfinished draft of “New customer” from")
            back.write(ENTER)
            back.wait_for(f"Made by {name}", timeout=ANSWER_SECONDS)
            back.write(CTRL_S)
            back.wait_for(f"Made by {name} #", timeout=ANSWER_SECONDS)
            back.write(CTRL_Q)
            assert back.wait_for_exit(ANSWER_SECONDS) == 0
        for name in names[CUT_OFF:]:
            seats[name].write(CTRL_Q)
        for name in names[CUT_OFF:]:
            assert seats[name].wait_for_exit(ANSWER_SECONDS) == 0
    crm = place.crm()
    with crm.engine.connect() as connection:
        found = sorted(connection.execute(Customer.__table__.select()).mappings(), key=lambda row: row["customer_name"])
    crm.close()
    made = [row["customer_name"] for row in found if row["customer_name"].startswith("Made by")]
    assert made == [f"Made by {name}" for name in names]
