"""A terminal whose database goes away: a sentence, the last figures stay, and it goes on by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from bench.pty_run import PtyProgram
from tests.crowd.crowd import make_place
from tests.crowd.terminals import ANSWER_SECONDS, OMNICRM, add_person, log_in
from tests.faults.proxy import Proxy

pytestmark = [pytest.mark.full, pytest.mark.terminal]

LOST = "The connection to the database was lost"


@pytest.mark.req("PLT-066")
def test_a_terminal_outlasts_a_database_that_is_gone(every_database_url: dict[str, str], tmp_path: Path) -> None:
    target = make_url(every_database_url["postgresql"])
    with Proxy(target.host or "127.0.0.1", target.port or 5432) as proxy:
        through = target.set(host="127.0.0.1", port=proxy.port).update_query_dict({"gssencmode": "disable"})
        place = make_place(tmp_path / "home", through.render_as_string(hide_password=False), customers=20)
        add_person(place, "ada")
        with PtyProgram([OMNICRM], columns=100, rows=30, env=place.env) as program:
            log_in(program, "ada")
            program.write(b"gw")
            program.wait_for("Latest", "Sessions", timeout=ANSWER_SECONDS)
            proxy.cut()
            program.wait_for(LOST, "Sessions", timeout=ANSWER_SECONDS)
            program.write(b"gc")
            program.wait_for("1 of 20", timeout=ANSWER_SECONDS)
            program.write(b"r")
            program.wait_for(LOST, timeout=ANSWER_SECONDS)
            program.write(b"n")
            program.wait_for("New customer", timeout=ANSWER_SECONDS)
            program.write(b"Zoe Terminal")
            program.wait_for("Zoe Terminal", timeout=ANSWER_SECONDS)
            program.write(b"\x13")
            program.wait_until(lambda: program.text.count(LOST) > 1, timeout=ANSWER_SECONDS)
            proxy.mend()
            program.write(b"\x13")
            program.wait_for("Zoe Terminal #21", timeout=ANSWER_SECONDS)
            program.write(b"gw")
            program.wait_until(lambda: LOST not in program.text and "Sessions" in program.text, timeout=ANSWER_SECONDS)
