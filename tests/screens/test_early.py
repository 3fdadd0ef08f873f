"""The first list that a child process reads: the same rows, once, and only for a session that holds."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import Any

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.listing import FIRST, LAST, Count, ListQuery, Window
from screens.early import FIRST_QUERY, EarlyList, EarlySource
from screens.seat import Seat
from tests.screens.people import PASSWORD, add_people, add_user

CHILD = """
import pathlib, sys
from omnicrm_tui.settings import Settings
from screens.early import begin
early = begin(Settings(home=pathlib.Path(sys.argv[1])))
found = early.result() if early else None
print(found and [row.customer_name for row in found[1].rows], found and found[2].value, found and found[0].name)
"""

LOADED = """
import pathlib, sys
from omnicrm_tui.settings import Settings
from screens import early
settings = Settings(home=pathlib.Path(sys.argv[1]))
assert early._read(settings, early.Seat(settings.home))
unneeded = ("asyncio.events", "cryptography", "textual", "fastapi", "omnicrm_tui.identity.sessions")
print([name for name in unneeded if name in sys.modules])
"""

FORKED = """
import os, sys
from omnicrm_tui.cli.terminal import open_terminal
from screens import early
def begin(settings):
    os._exit(any(name in sys.modules for name in ("textual", "rich", "asyncio.events", "sqlalchemy")))
early.begin = begin
sys.stdin.isatty = sys.stdout.isatty = lambda: True
open_terminal()
"""


def read_early(crm: Crm, program: str = CHILD) -> str:
    command = [sys.executable, "-c", program, str(crm.settings.home)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SSH_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environ)
    return done.stdout.strip()


@pytest.mark.req("PLT-177")
def test_the_child_reads_for_whoever_is_remembered(crm: Crm, admin: Actor) -> None:
    add_people(crm, admin)
    add_user(crm, admin)
    (crm.settings.home / "keys").mkdir(exist_ok=True)
    opened = Crm.open(crm.settings)
    with opened.as_actor(visitor("127.0.0.1")) as work:
        tokens = work.identity.login("ada", PASSWORD, "127.0.0.1", remember=True).tokens
    assert tokens is not None
    session = Seat(crm.settings.home, {}).session
    assert session is not None
    session.remember(tokens.refresh_token)
    told = read_early(crm)
    assert "'Ada Lovelace'" in told
    assert told.endswith("6 ada")
    assert read_early(crm, LOADED) == "[]", "the first list waits for whatever is imported here"
    assert session.peek(str) == tokens.refresh_token
    session.remember("no such token")
    assert read_early(crm) == "None None None"
    session.forget()
    assert read_early(crm) == "None None None"


def test_the_child_begins_before_anything_is_imported_that_draws(crm: Crm) -> None:
    environ = {**os.environ, "OMNICRM_HOME": str(crm.settings.home), "OMNICRM_CONFIG": ""}
    command = [sys.executable, "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert (done.returncode, done.stderr) == (0, ""), "Textual is imported before the fork: the first list waits for it"


class Source:
    """Counts what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def window(self, query: ListQuery, anchor: Any, limit: int) -> Window[Any]:
        self.asked.append((query, anchor))
        return Window([], [], False, False)

    def count(self, query: ListQuery, cap: int = 0) -> Count:
        self.asked.append(query)
        return Count(0)


def sent(found: object) -> EarlyList:
    """Return an early list that a child sent which ended at once."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(pickle.dumps(found) if found else b"")
    child = subprocess.Popen([sys.executable, "-c", ""])
    return EarlyList(child.pid, reader)


def test_the_first_question_is_answered_early_and_only_that() -> None:
    rows: Window[Any] = Window(["a", "b", "c"], [], False, False)
    source = Source()
    early = EarlySource(source, sent(("actor", rows, Count(3))))
    first = early.window(FIRST_QUERY, FIRST, 2)
    assert (list(first.rows), first.more_after) == (["a", "b"], True)
    assert early.count(FIRST_QUERY) == Count(3)
    assert source.asked == []
    early.window(FIRST_QUERY, FIRST, 2)
    early.count(FIRST_QUERY)
    assert source.asked == [(FIRST_QUERY, FIRST), FIRST_QUERY]


@pytest.mark.parametrize(("query", "anchor"), [(ListQuery(search="x"), FIRST), (FIRST_QUERY, LAST)])
def test_any_other_question_goes_to_the_service(query: ListQuery, anchor: Any) -> None:
    source = Source()
    early = EarlySource(source, sent(("actor", Window([], [], False, False), Count(0))))
    early.window(query, anchor, 2)
    assert source.asked == [(query, anchor)]


def test_a_child_that_could_not_tell_is_no_answer() -> None:
    source = Source()
    EarlySource(source, sent(None)).window(FIRST_QUERY, FIRST, 2)
    assert len(source.asked) == 1
