"""Mails that tell a person what was done to the way in: by whom it was not is what they are for."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import CrmError
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging.schemas import OutboxView
from omnicrm_tui.settings import CrmSection
from tests.identity.conftest import HERE, PASSWORD, AddUser
from tests.identity.log_ins import actions, login, together

ELSEWHERE = "198.51.100.9"


def mails(crm: Crm, admin: Actor) -> list[OutboxView]:
    """Return what is in the outbox, the oldest first."""
    with crm.reading(admin) as work:
        numbers = sorted(row.outbox_id for row in work.messaging.window(ListQuery(), FIRST, 50).rows)
        return [work.messaging.get(number) for number in numbers]


def log_in_from(crm: Crm, source: str) -> None:
    with crm.as_actor(visitor(source)) as work:
        assert work.identity.login("ada", PASSWORD, source).tokens


def wrong(crm: Crm) -> None:
    with suppress(CrmError):
        login(crm, password="Wrong-Horse9")


@pytest.mark.req("PLT-225", "BIL-399")
def test_a_changed_password_is_told_by_mail(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    with any_crm.as_actor(visitor(HERE)) as work:
        work.identity.change_password(user_id, PASSWORD, "Fresh-Horse8", HERE)
    [mail] = mails(any_crm, admin)
    assert (mail.recipient, mail.kind) == ("ada@mail.example", "api_crmCommunicationUserPasswordChange")
    assert "was changed" in mail.text
    assert HERE in mail.text
    assert "Fresh-Horse8" not in mail.text


@pytest.mark.req("PLT-225", "BIL-396", "BIL-420")
def test_an_administrators_reset_is_told_by_mail_without_the_password(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    with any_crm.as_actor(admin) as work:
        temporary = work.identity.reset_password(user_id)
    [mail] = mails(any_crm, admin)
    assert mail.kind == "api_crmCommunicationUserPasswordResetSuccess"
    assert temporary not in mail.text


@pytest.mark.req("BIL-422", "PLT-179")
def test_a_lock_is_told_once_however_many_guess_at_once(
    any_crm: Crm, admin: Actor, clock: FrozenClock, add_user: AddUser
) -> None:
    add_user(any_crm)
    for _ in range(4):
        wrong(any_crm)
    assert login(any_crm).tokens  # the right password, as the fifth attempt, locks nothing
    assert mails(any_crm, admin) == []
    together([lambda: wrong(any_crm) for _ in range(8)])
    [mail] = mails(any_crm, admin)
    assert (mail.recipient, mail.kind) == ("ada@mail.example", "userLocked")
    for words in ("5 failed attempts", HERE, "30 minutes"):
        assert words in mail.text
    assert actions(any_crm, admin).count(("Account locked after too many failed attempts", "ada", HERE)) == 1
    clock.advance(timedelta(minutes=31))
    for _ in range(5):
        wrong(any_crm)
    assert len(mails(any_crm, admin)) == 2


@pytest.mark.req("PLT-225", "PLT-228")
def test_a_log_in_from_a_new_address_is_told_and_from_a_known_one_is_not(
    any_crm: Crm, admin: Actor, clock: FrozenClock, add_user: AddUser
) -> None:
    add_user(any_crm)
    log_in_from(any_crm, HERE)
    log_in_from(any_crm, HERE)
    assert mails(any_crm, admin) == []
    log_in_from(any_crm, ELSEWHERE)
    [mail] = mails(any_crm, admin)
    assert (mail.recipient, mail.kind) == ("ada@mail.example", "userNewAddress")
    assert ELSEWHERE in mail.text
    for source in (ELSEWHERE, HERE):
        log_in_from(any_crm, source)
    assert len(mails(any_crm, admin)) == 1
    clock.advance(timedelta(days=32))
    log_in_from(any_crm, HERE)
    log_in_from(any_crm, ELSEWHERE)
    assert [HERE in mail.text for mail in mails(any_crm, admin)[1:]] == [True, False]


def test_a_notice_speaks_the_operators_language(crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(crm)
    french = Crm(crm.settings.model_copy(update={"crm": CrmSection(language="fr")}), crm.engine, crm.clock, crm.vault)
    with french.as_actor(visitor(HERE)) as work:
        work.identity.change_password(user_id, PASSWORD, "Fresh-Horse8", HERE)
    assert mails(crm, admin)[0].subject == "Votre mot de passe a été modifié"


def test_an_address_that_takes_no_mail_keeps_nobody_out(crm: Crm, admin: Actor, add_user: AddUser) -> None:
    add_user(crm)
    log_in_from(crm, HERE)
    with crm.engine.begin() as connection:
        connection.execute(text("UPDATE crm_user SET email = 'no address'"))
    log_in_from(crm, ELSEWHERE)
    assert mails(crm, admin) == []
