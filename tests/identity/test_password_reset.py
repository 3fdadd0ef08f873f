"""Forgotten passwords: codes by mail, good once and for an hour, and nothing told about whose address it is."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from omnicrm_tui.activity.service import REDACTED
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict, CrmError, InvalidInput, NotAuthenticated, NotFound
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import UserChange
from omnicrm_tui.integrations.mail import Mail, Refused
from omnicrm_tui.messaging import delivery
from omnicrm_tui.messaging.delivery import OutboxCourier
from omnicrm_tui.messaging.schemas import DropInput
from tests.identity.conftest import HERE, PASSWORD, AddUser
from tests.identity.log_ins import actions, login, refresh, together, tokens_of

NEW = "Fresh-Horse8"
CODE = re.compile(r"\b[A-Z0-9]{4}(?:-[A-Z0-9]{4}){3}\b")


class Mailbox:
    """Takes what the courier hands over."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.trouble: Exception | None = None

    def send(self, mail: Mail) -> None:
        """Keep it."""
        if self.trouble is not None:
            raise self.trouble
        self.mails.append(mail)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """Where all mail goes."""
    box = Mailbox()
    monkeypatch.setattr(delivery, "mail_sender", lambda _settings: box)
    return box


def ask(crm: Crm, email: str = "ada@mail.example") -> None:
    with crm.as_actor(visitor(HERE)) as work:
        work.password_reset.request(email, HERE)


def finish(crm: Crm, code: str, password: str = NEW) -> None:
    with crm.as_actor(visitor(HERE)) as work:
        work.password_reset.finish(code, password, HERE)


def code_for(crm: Crm, mailbox: Mailbox) -> str:
    """Ask for a code and take it out of the mail."""
    ask(crm)
    OutboxCourier(crm).deliver_due()
    found = CODE.search(mailbox.mails[-1].text)
    assert found
    return found[0]


def stored(crm: Crm, statement: str) -> list[Any]:
    with crm.engine.connect() as connection:
        return list(connection.execute(text(statement)).scalars())


@pytest.mark.req("PLT-198", "PLT-200", "PLT-203", "PLT-231", "BIL-397", "BIL-398", "BIL-419", "PLT-225")
def test_a_mailed_code_sets_a_new_password_and_ends_all_sessions(
    any_crm: Crm, admin: Actor, add_user: AddUser, mailbox: Mailbox
) -> None:
    add_user(any_crm)
    session = tokens_of(any_crm)
    code = code_for(any_crm, mailbox)
    mail = mailbox.mails[0]
    assert mail.to == "ada@mail.example"
    for words in ("Dear ada,", f"/reset-password/{code}", "one hour", "ignore this mail"):
        assert words in mail.text
    assert login(any_crm).tokens
    finish(any_crm, f" {code.lower().replace('-', ' ')} ")
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, session.refresh_token)
    with pytest.raises(NotAuthenticated):
        login(any_crm)
    assert login(any_crm, password=NEW).tokens
    OutboxCourier(any_crm).deliver_due()
    assert [(mail.to, HERE in mail.text) for mail in mailbox.mails[1:]] == [("ada@mail.example", True)]
    told = actions(any_crm, admin)
    assert ("Password reset asked for", "ada", HERE) in told
    assert ("Password reset with a mailed code", "ada", HERE) in told


@pytest.mark.req("PLT-201", "PLT-231", "PLT-204", "PLT-561")
def test_a_code_is_good_once_and_for_an_hour(
    any_crm: Crm, clock: FrozenClock, add_user: AddUser, mailbox: Mailbox
) -> None:
    add_user(any_crm)
    first, second, third = (code_for(any_crm, mailbox) for _ in range(3))
    clock.advance(timedelta(minutes=59, seconds=59))
    finish(any_crm, first)
    for used in (first, second, third, "AAAA-BBBB-CCCC-DDDD", ""):
        with pytest.raises(InvalidInput) as refused:
            finish(any_crm, used, "Other-Horse7")
        assert set(refused.value.fields) == {"token"}
    late = code_for(any_crm, mailbox)
    clock.advance(timedelta(hours=1))
    with pytest.raises(InvalidInput):
        finish(any_crm, late, "Other-Horse7")
    assert login(any_crm, password=NEW).tokens


def test_of_many_with_one_code_at_once_one_sets_the_password(any_crm: Crm, add_user: AddUser, mailbox: Mailbox) -> None:
    add_user(any_crm)
    code = code_for(any_crm, mailbox)
    won: list[str] = []

    def use(password: str) -> None:
        with suppress(InvalidInput):
            finish(any_crm, code, password)
            won.append(password)

    together([lambda n=n: use(f"Fresh-Horse{n}") for n in range(4)])
    assert len(won) == 1
    assert login(any_crm, password=won[0]).tokens


@pytest.mark.req("PLT-202", "BIL-418", "BIL-422")
@pytest.mark.parametrize("weak", ["short", "Password123!", PASSWORD], ids=["short", "common", "used before"])
def test_a_password_that_will_not_do_leaves_the_code_good(
    any_crm: Crm, add_user: AddUser, mailbox: Mailbox, weak: str
) -> None:
    user_id = add_user(any_crm)
    if weak == PASSWORD:
        with any_crm.as_actor(visitor(HERE)) as work:
            work.identity.change_password(user_id, PASSWORD, "Between-Horse7", HERE)
    code = code_for(any_crm, mailbox)
    with pytest.raises(InvalidInput) as refused:
        finish(any_crm, code, weak)
    assert set(refused.value.fields) == {"new_password"}
    finish(any_crm, code)
    assert login(any_crm, password=NEW).tokens


@pytest.mark.req("PLT-199")
def test_an_unknown_address_gets_the_same_answer_after_the_same_work(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    """The same statements, one by one; only what they did is undone for whom there is no account."""
    add_user(any_crm)
    for name in ("gone", "off"):
        user_id = add_user(any_crm, name)
        with any_crm.as_actor(admin) as work:
            change = UserChange(deleted=True) if name == "gone" else UserChange(active=False)
            work.identity.update_user(user_id, change)
    done: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        done.append(" ".join(statement.split()[:3]))

    event.listen(any_crm.engine, "before_cursor_execute", heard)
    runs = []
    for email in ("ada@mail.example", "nobody@mail.example", "gone@mail.example", "off@mail.example", "no address"):
        done.clear()
        ask(any_crm, email)
        runs.append([each for each in done if "SAVEPOINT" not in each])
    event.remove(any_crm.engine, "before_cursor_execute", heard)
    assert len(runs[0]) > 5
    assert [run for run in runs if run != runs[0]] == []
    assert stored(any_crm, "SELECT recipient FROM outbox") == ["ada@mail.example"]
    assert len(stored(any_crm, "SELECT id FROM crm_password_reset")) == 1


@pytest.mark.req("PLT-199")
def test_the_guides_wording_is_a_setting(crm: Crm, add_user: AddUser) -> None:
    add_user(crm)
    security = crm.settings.security.model_copy(update={"tell_unknown_email": True})
    telling = Crm(crm.settings.model_copy(update={"security": security}), crm.engine, crm.clock, crm.vault)
    ask(telling)
    with pytest.raises(NotFound) as refused:
        ask(telling, "nobody@mail.example")
    assert refused.value.message == "No account found with that email address"


@pytest.mark.req("PLT-201")
def test_neither_the_table_nor_the_outbox_shows_a_code(
    any_crm: Crm, admin: Actor, add_user: AddUser, mailbox: Mailbox
) -> None:
    add_user(any_crm)
    ask(any_crm)
    with any_crm.reading(admin) as work:
        seen = work.messaging.get(1)
    assert f"/reset-password/{REDACTED}" in seen.text
    assert not CODE.search(seen.text)
    assert stored(any_crm, "SELECT sealed_text FROM outbox") != [None]
    OutboxCourier(any_crm).deliver_due()
    found = CODE.search(mailbox.mails[0].text)
    assert found
    assert stored(any_crm, "SELECT sealed_text FROM outbox") == [None]
    kept = str(stored(any_crm, "SELECT code_hash FROM crm_password_reset")) + str(
        stored(any_crm, "SELECT payload FROM outbox")
    )
    assert found[0] not in kept
    assert found[0].replace("-", "") not in kept


def test_nobodys_mailbox_is_filled_from_the_log_in_screen(any_crm: Crm, clock: FrozenClock, add_user: AddUser) -> None:
    add_user(any_crm)
    for _ in range(6):
        ask(any_crm)
    assert len(stored(any_crm, "SELECT recipient FROM outbox")) == 3
    clock.advance(timedelta(hours=1))
    ask(any_crm)
    assert len(stored(any_crm, "SELECT recipient FROM outbox")) == 4
    clock.advance(timedelta(days=2))
    ask(any_crm)
    assert len(stored(any_crm, "SELECT id FROM crm_password_reset")) == 1


def test_a_code_of_a_user_who_is_deleted_meanwhile_opens_nothing(
    any_crm: Crm, admin: Actor, add_user: AddUser, mailbox: Mailbox
) -> None:
    user_id = add_user(any_crm)
    code = code_for(any_crm, mailbox)
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(user_id)
    with pytest.raises(InvalidInput):
        finish(any_crm, code)


@pytest.mark.req("PLT-173")
def test_a_reset_leaves_the_second_factor_on_and_opens_a_locked_account(
    any_crm: Crm, clock: FrozenClock, add_user: AddUser, mailbox: Mailbox
) -> None:
    from tests.identity.test_second_factor import enrol

    enrol(any_crm, clock, add_user(any_crm))
    for _ in range(5):
        with suppress(CrmError):
            login(any_crm, password="Wrong-Horse9")
    finish(any_crm, code_for(any_crm, mailbox))
    assert login(any_crm, password=NEW).requires_2fa


@pytest.mark.req("PLT-201")
@pytest.mark.parametrize("end", ["given up", "dropped"])
def test_a_code_that_is_not_sent_is_forgotten_and_its_mail_is_not_sent_without_it(
    any_crm: Crm, admin: Actor, add_user: AddUser, mailbox: Mailbox, end: str
) -> None:
    add_user(any_crm)
    ask(any_crm)
    if end == "given up":
        mailbox.trouble = Refused("There is no such mailbox.")
        assert OutboxCourier(any_crm).deliver_due() == 0
    else:
        with any_crm.as_actor(admin) as work:
            work.messaging.drop(1, DropInput(reason="It was not she who asked."))
    assert stored(any_crm, "SELECT sealed_text FROM outbox") == [None]
    with pytest.raises(Conflict, match="forgotten"), any_crm.as_actor(admin) as work:
        work.messaging.retry(1)


@pytest.mark.req("PLT-201", "PLT-231")
def test_a_code_is_not_sent_once_it_is_good_for_nothing(
    any_crm: Crm, admin: Actor, clock: FrozenClock, add_user: AddUser, mailbox: Mailbox
) -> None:
    add_user(any_crm)
    ask(any_crm)
    clock.advance(timedelta(hours=1, seconds=1))
    assert OutboxCourier(any_crm).deliver_due() == 0
    with any_crm.reading(admin) as work:
        mail = work.messaging.get(1)
    assert (mail.status, "good until" in (mail.last_error or "")) == ("dropped", True)
    assert (mailbox.mails, stored(any_crm, "SELECT sealed_text FROM outbox")) == ([], [None])
