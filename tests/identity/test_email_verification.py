"""E-mail addresses: a new one waits, is verified with a mailed code, and the one before is told."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from omnicrm_tui.activity.service import REDACTED
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted, TooManyRequests
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import UserChange, UserView
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging.delivery import OutboxCourier

from .conftest import HERE, PASSWORD, AddUser
from .log_ins import actions, login, together

CODE = re.compile(r"\b[A-Z0-9]{4}(?:-[A-Z0-9]{4}){3}\b")
OLD, NEW = "ada@mail.example", "augusta@new.example"


def change(crm: Crm, admin: Actor, user_id: int, email: str = NEW) -> UserView:
    with crm.as_actor(admin) as work:
        return work.identity.update_user(user_id, UserChange(email=email))


def user(crm: Crm, admin: Actor, user_id: int) -> UserView:
    with crm.reading(admin) as work:
        return work.identity.user(user_id)


def verify(crm: Crm, code: str) -> str:
    with crm.as_actor(visitor(HERE)) as work:
        return work.identity.verify_email(code, HERE)


def resend(crm: Crm, actor: Actor, user_id: int) -> str:
    with crm.as_actor(actor) as work:
        return work.identity.resend_verification(user_id)


def mails(crm: Crm, admin: Actor) -> list[tuple[str, str]]:
    """Return whom was written to, the oldest first, and the whole text."""
    with crm.as_actor(admin) as work:
        rows = work.messaging.window(ListQuery(), FIRST, 100).rows
        told = []
        for row in sorted(rows, key=lambda row: row.outbox_id):
            sealed = work.session.execute(
                text("SELECT sealed_text FROM outbox WHERE outbox_id = :id"), {"id": row.outbox_id}
            ).scalar()
            opened = work.vault.open("outbox.sealed_text", row.outbox_id, sealed)
            told.append((row.recipient, opened or work.messaging.get(row.outbox_id).text or ""))
    return told


def last_code(crm: Crm, admin: Actor) -> str:
    found = [match[0] for _to, words in mails(crm, admin) if (match := CODE.search(words))]
    return found[-1]


@pytest.mark.req("BIL-430", "BIL-394", "BIL-385", "BIL-207", "BIL-513", "PLT-225")
def test_a_new_address_waits_until_its_code_comes_back(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    change(any_crm, admin, user_id)
    (to, asked), (old_one, warned) = mails(any_crm, admin)
    code = last_code(any_crm, admin)
    assert (to, old_one) == (NEW, OLD)
    for words in ("Dear ada,", f"/verify-email/{code}", "24 h", "ctrl+k"):
        assert words in asked
    assert "a***@new.example" in warned
    assert NEW not in warned
    for address in (NEW, NEW.upper()):
        with pytest.raises(NotAuthenticated):
            login(any_crm, address)
    with any_crm.as_actor(visitor(HERE)) as work:
        work.password_reset.request(NEW, HERE)
    assert len(mails(any_crm, admin)) == 2
    assert verify(any_crm, f" {code.lower().replace('-', ' ')} ") == NEW
    seen = user(any_crm, admin, user_id)
    assert (seen.email, seen.email_verified, seen.pending_email) == (NEW, True, None)
    assert login(any_crm, NEW).tokens
    with pytest.raises(NotAuthenticated):
        login(any_crm, OLD)
    told_to, done = mails(any_crm, admin)[2]
    assert told_to == OLD
    assert HERE in done
    assert "a***@new.example" in done
    assert ("E-mail address verified", "ada", HERE) in actions(any_crm, admin)
    with pytest.raises(InvalidInput):
        verify(any_crm, code)


@pytest.mark.req("BIL-430")
def test_only_a_keyed_hash_is_kept_and_who_looks_at_the_outbox_sees_no_code(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    change(any_crm, admin, add_user(any_crm))
    code = last_code(any_crm, admin)
    with any_crm.reading(admin) as work:
        row = next(row for row in work.messaging.window(ListQuery(), FIRST, 10).rows if row.recipient == NEW)
        shown = work.messaging.get(row.outbox_id).text or ""
    assert f"/verify-email/{REDACTED}" in shown
    with any_crm.engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM crm_email_verification")).all())
        kept += str(connection.execute(text("SELECT payload FROM outbox")).all())
    assert code not in kept
    assert code.replace("-", "") not in kept


@pytest.mark.req("BIL-430")
def test_a_code_ends_with_its_time_and_with_the_next_one(
    any_crm: Crm, admin: Actor, add_user: AddUser, clock: FrozenClock
) -> None:
    user_id = add_user(any_crm)
    change(any_crm, admin, user_id)
    first = last_code(any_crm, admin)
    change(any_crm, admin, user_id, "other@new.example")
    second = last_code(any_crm, admin)
    assert resend(any_crm, admin, user_id) == "other@new.example"
    third = last_code(any_crm, admin)
    for code in (first, second, "AAAA-BBBB-CCCC-DDDD", ""):
        with pytest.raises(InvalidInput) as refused:
            verify(any_crm, code)
        assert set(refused.value.fields) == {"token"}
    clock.advance(timedelta(hours=24))
    with pytest.raises(InvalidInput):
        verify(any_crm, third)
    assert user(any_crm, admin, user_id).email == OLD
    resend(any_crm, admin, user_id)
    clock.advance(timedelta(hours=23, minutes=59))
    assert verify(any_crm, last_code(any_crm, admin)) == "other@new.example"


@pytest.mark.req("BIL-430")
def test_an_address_that_is_another_users_by_then_is_refused_and_nothing_is_half_done(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    change(any_crm, admin, user_id)
    add_user(any_crm, "bob", email=NEW)
    for _ in range(2):  # the code is not used up by it
        with pytest.raises(Conflict, match="Another user"):
            verify(any_crm, last_code(any_crm, admin))
    seen = user(any_crm, admin, user_id)
    assert (seen.email, seen.email_verified, seen.pending_email) == (OLD, False, NEW)
    assert len(mails(any_crm, admin)) == 2


@pytest.mark.req("BIL-430")
def test_of_two_who_verify_the_same_address_at_once_one_gets_it(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    people = [add_user(any_crm), add_user(any_crm, "bob")]
    codes = []
    for user_id in people:
        change(any_crm, admin, user_id)
        codes.append(last_code(any_crm, admin))
    lost: list[str] = []

    def attempt(code: str) -> None:
        try:
            verify(any_crm, code)
        except Conflict as error:
            lost.append(error.message)

    together([lambda code=code: attempt(code) for code in codes])  # type: ignore[misc]
    assert len(lost) == 1
    assert sorted(user(any_crm, admin, user_id).email == NEW for user_id in people) == [False, True]


@pytest.mark.req("BIL-430")
def test_a_change_is_cancelled(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.identity.cancel_email_change(user_id)
    change(any_crm, admin, user_id)
    with any_crm.as_actor(admin) as work:
        work.identity.cancel_email_change(user_id)
    assert user(any_crm, admin, user_id).pending_email is None
    with pytest.raises(InvalidInput):
        verify(any_crm, last_code(any_crm, admin))
    with pytest.raises(NotFound), any_crm.as_actor(admin) as work:
        work.identity.cancel_email_change(user_id + 1)


@pytest.mark.req("BIL-430", "BIL-207")
def test_a_person_verifies_the_own_address_and_nobody_elses(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id, other = add_user(any_crm), add_user(any_crm, "bob")
    me = login(any_crm).actor
    assert me is not None
    assert resend(any_crm, me, user_id) == OLD
    code = last_code(any_crm, admin)
    for actor, number in ((me, other), (login(any_crm, "bob").actor, other)):
        with pytest.raises((InvalidInput, NotPermitted)), any_crm.as_actor(actor or me) as work:
            work.identity.verify_own_email(number, code)
    with pytest.raises(NotPermitted):
        resend(any_crm, me, other)
    with any_crm.as_actor(me) as work:
        assert work.identity.verify_own_email(user_id, code) == OLD
    assert user(any_crm, admin, user_id).email_verified
    with pytest.raises(Conflict, match="verified already"):
        resend(any_crm, me, user_id)
    assert [to for to, _words in mails(any_crm, admin)] == [OLD]


@pytest.mark.req("BIL-430", "BIL-378")
def test_a_customers_user_verifies_the_own_address(
    any_crm: Crm, admin: Actor, add_user: AddUser, add_contact: object
) -> None:
    assert callable(add_contact)
    user_id = add_user(any_crm, "zoe", "Customer", contact_id=add_contact(any_crm)[1])
    me = login(any_crm, "zoe").actor
    assert me is not None
    resend(any_crm, me, user_id)
    with any_crm.as_actor(me) as work:
        assert work.identity.verify_own_email(user_id, last_code(any_crm, admin)) == "zoe@mail.example"


@pytest.mark.req("BIL-430", "PLT-179")
def test_nobodys_mailbox_is_filled_and_who_may_not_log_in_verifies_nothing(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    change(any_crm, admin, user_id)
    for _ in range(any_crm.settings.security.limits.reset_per_account):
        resend(any_crm, admin, user_id)
    with pytest.raises(TooManyRequests):
        resend(any_crm, admin, user_id)
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(user_id)
    with pytest.raises(InvalidInput):
        verify(any_crm, last_code(any_crm, admin))
    with pytest.raises(Conflict, match="may not log in"):
        resend(any_crm, admin, user_id)


@pytest.mark.req("BIL-430", "BIL-419")
def test_a_reset_code_that_went_to_the_old_address_opens_nothing(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    with any_crm.as_actor(visitor(HERE)) as work:
        work.password_reset.request(OLD, HERE)
    reset = last_code(any_crm, admin)
    change(any_crm, admin, user_id)
    verify(any_crm, last_code(any_crm, admin))
    with pytest.raises(InvalidInput), any_crm.as_actor(visitor(HERE)) as work:
        work.password_reset.finish(reset, "Fresh-Horse8", HERE)
    assert login(any_crm, NEW, PASSWORD).tokens


@pytest.mark.req("BIL-430")
def test_a_code_that_is_over_is_not_sent_any_more(
    any_crm: Crm, admin: Actor, add_user: AddUser, clock: FrozenClock
) -> None:
    change(any_crm, admin, add_user(any_crm))
    clock.advance(timedelta(hours=24, seconds=1))
    OutboxCourier(any_crm).deliver_due()
    with any_crm.reading(admin) as work:
        rows = work.messaging.window(ListQuery(), FIRST, 10).rows
        kept = list(work.session.execute(text("SELECT sealed_text FROM outbox")).scalars())
    told = next(row for row in rows if row.recipient == NEW)
    assert (told.status, "good until" in (told.last_error or "")) == ("dropped", True)
    assert kept == [None, None]
