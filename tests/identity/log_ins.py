"""Logging in and what comes of it, as the tests of this room need it again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from omnicrm_tui.crm import Crm
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import LoginResult, Tokens
from omnicrm_tui.listing import FIRST, ListQuery

from .conftest import HERE, PASSWORD


def login(crm: Crm, name: str = "ada@mail.example", password: str = PASSWORD, **more: Any) -> LoginResult:
    """Log in from here, as a visitor."""
    with crm.as_actor(visitor(HERE)) as work:
        return work.identity.login(name, password, HERE, **more)


def tokens_of(crm: Crm, **more: Any) -> Tokens:
    """Log in and return the tokens."""
    tokens = login(crm, **more).tokens
    assert tokens is not None
    return tokens


def refresh(crm: Crm, token: str) -> Tokens:
    """Exchange a refresh token from here."""
    with crm.as_actor(visitor(HERE)) as work:
        return work.identity.refresh(token, HERE)


def who(crm: Crm, token: str) -> Actor:
    """Return who holds an access token."""
    with crm.reading(visitor(HERE)) as work:
        return work.identity.actor_of_token(token, HERE)


def actions(crm: Crm, admin: Actor) -> list[tuple[str, str, str]]:
    """Return what was done to users, by whom and from where."""
    with crm.reading(admin) as work:
        rows = work.activity.window(ListQuery(), FIRST, 50).rows
    return [(row.action, row.actor_name, row.source_address) for row in rows if row.object_type == "user"]


def together(tasks: list[Callable[[], object]]) -> None:
    """Run all tasks at the same moment and wait for them."""
    gate = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        gate.wait(30)
        task()

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
