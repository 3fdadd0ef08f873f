"""One's own sessions: seen, and ended with the password, on all three databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import AccountLocked, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.schemas import SessionView

from .conftest import HERE, PASSWORD, AddUser
from .log_ins import actions, login


def begin(crm: Crm, name: str = "ada") -> Actor:
    actor = login(crm, name).actor
    assert actor is not None
    return actor


def seen(crm: Crm, actor: Actor) -> list[SessionView]:
    with crm.reading(actor) as work:
        return list(work.identity.sessions_of(actor.user_id or 0))


def end(crm: Crm, actor: Actor, password: str = PASSWORD, session_id: str = "", user_id: int = 0) -> int:
    with crm.as_actor(actor) as work:
        return work.identity.end_own_sessions(user_id or actor.user_id or 0, password, session_id)


def is_open(crm: Crm, actor: Actor) -> bool:
    try:
        with crm.reading(visitor(HERE)) as work:
            return work.identity.actor_again(actor).session_id == actor.session_id
    except NotAuthenticated:
        return False


def test_a_person_sees_the_own_sessions_and_ends_them_with_the_password(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    add_user(any_crm), add_user(any_crm, "bob")
    mine, second, third = begin(any_crm), begin(any_crm), begin(any_crm)
    bobs = begin(any_crm, "bob")
    found = seen(any_crm, mine)
    assert {(one.session_id, one.current) for one in found} == {
        (mine.session_id, True),
        (second.session_id, False),
        (third.session_id, False),
    }
    for password in ("", "Wrong-Horse9"):
        with pytest.raises(InvalidInput) as refused:
            end(any_crm, mine, password, second.session_id)
        assert set(refused.value.fields) == {"password"}
    assert end(any_crm, mine, PASSWORD, second.session_id) == 1
    with pytest.raises(NotFound):
        end(any_crm, mine, PASSWORD, second.session_id)
    assert [is_open(any_crm, one) for one in (mine, second, third, bobs)] == [True, False, True, True]
    begin(any_crm)
    assert end(any_crm, mine) == 2
    assert [one.session_id for one in seen(any_crm, mine)] == [mine.session_id]
    assert end(any_crm, mine) == 0
    assert is_open(any_crm, bobs)
    log = actions(any_crm, admin)
    assert ("Own session ended", "ada", HERE) in log
    assert ("Own other sessions ended", "ada", HERE) in log


def test_nobody_ends_or_sees_what_is_another_ones(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    ada = add_user(any_crm)
    add_user(any_crm, "bob")
    adas, bob = begin(any_crm), begin(any_crm, "bob")
    with pytest.raises(NotPermitted), any_crm.reading(bob) as work:
        work.identity.sessions_of(ada)
    key = Actor(ActorKind.MACHINE, "key", ada, frozenset({"admin"}))
    for somebody in (bob, admin, key):
        with pytest.raises(NotPermitted):
            end(any_crm, somebody, PASSWORD, adas.session_id, ada)
    with pytest.raises(NotFound):
        end(any_crm, bob, PASSWORD, adas.session_id)
    assert is_open(any_crm, adas)


def test_a_customers_user_sees_and_ends_the_own_ones(
    any_crm: Crm, add_user: AddUser, add_contact: Callable[[Crm], tuple[int, int]]
) -> None:
    add_user(any_crm)
    _customer_id, contact_id = add_contact(any_crm)
    add_user(any_crm, "zoe", role="", contact_id=contact_id)
    staff, mine, other = begin(any_crm), begin(any_crm, "zoe"), begin(any_crm, "zoe")
    assert mine.own_customer_id is not None
    assert len(seen(any_crm, mine)) == 2
    assert end(any_crm, mine) == 1
    assert [is_open(any_crm, one) for one in (mine, other, staff)] == [True, False, True]
    with pytest.raises(NotPermitted), any_crm.reading(mine) as work:
        work.identity.sessions_of(staff.user_id or 0)


def test_guesses_at_the_password_lock_the_account_as_at_a_log_in(crm: Crm, add_user: AddUser) -> None:
    add_user(crm)
    mine, other = begin(crm), begin(crm)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            end(crm, mine, "Wrong-Horse9")
    with pytest.raises(AccountLocked):
        end(crm, mine)
    assert is_open(crm, other)
