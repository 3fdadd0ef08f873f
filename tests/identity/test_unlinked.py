"""A customer's user that loses its contact, on whichever road, is never taken for staff."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update

from omnicrm_tui.activity.models import ActivityEntry
from omnicrm_tui.crm import Crm
from omnicrm_tui.customers.models import Contact, Customer
from omnicrm_tui.customers.schemas import ContactInput
from omnicrm_tui.errors import Conflict, InvalidInput, NotAuthenticated
from omnicrm_tui.identity.access import UNLINKED
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.models import User
from omnicrm_tui.identity.password_reset import PasswordResets
from omnicrm_tui.identity.schemas import LoginResult, Tokens, UserChange
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.messaging.models import SEALED_TEXT, OutboxMessage
from omnicrm_tui.work import Work

from .conftest import HERE, PASSWORD, AddUser
from .test_job_tokens import add_job

AddContact = Callable[[Crm], tuple[int, int]]
Zoe = tuple[int, int, int]
"""A customer, its contact, and the user that is linked to that: an administrator by its roles, to make it hard."""
pytestmark = pytest.mark.req("BIL-378", "BIL-379", "CAT-017", "PLT-152")


@pytest.fixture
def zoe(any_crm: Crm, add_user: AddUser, add_contact: AddContact) -> Zoe:
    customer_id, contact_id = add_contact(any_crm)
    return customer_id, contact_id, add_user(any_crm, "zoe", role="System Admin, Customer", contact_id=contact_id)


def delete_contact(crm: Crm, _admin: Actor, zoe: Zoe) -> None:
    """As a database console would: the foreign key forgets the contact in the user's row."""
    with crm.engine.begin() as connection:
        connection.execute(delete(Contact).where(Contact.contact_id == zoe[1]))


def delete_customer(crm: Crm, admin: Actor, zoe: Zoe) -> None:
    delete_contact(crm, admin, zoe)
    with crm.engine.begin() as connection:
        connection.execute(delete(ActivityEntry).where(ActivityEntry.customer_id == zoe[0]))
        connection.execute(delete(Customer).where(Customer.customer_id == zoe[0]))


def unlink(crm: Crm, admin: Actor, zoe: Zoe) -> None:
    with crm.as_actor(admin) as work:
        work.identity.update_user(zoe[2], UserChange(contact_id=None))


def restore(crm: Crm, admin: Actor, zoe: Zoe) -> None:
    """Deleted with its contact there, restored with the contact gone."""
    with crm.as_actor(admin) as work:
        work.identity.delete_user(zoe[2])
    delete_contact(crm, admin, zoe)
    with crm.as_actor(admin) as work:
        work.identity.update_user(zoe[2], UserChange(deleted=False))


ROADS = pytest.mark.parametrize("lose", [delete_contact, delete_customer, unlink, restore])
Lose = Callable[[Crm, Actor, Zoe], None]


def log_in(crm: Crm) -> LoginResult:
    with crm.as_actor(visitor(HERE)) as work:
        return work.identity.login("zoe", PASSWORD, HERE)


def tokens_of(result: LoginResult) -> Tokens:
    assert result.tokens is not None
    return result.tokens


@ROADS
def test_who_loses_its_contact_stays_outside(any_crm: Crm, admin: Actor, zoe: Zoe, lose: Lose) -> None:
    opened = log_in(any_crm)
    granted, actor = tokens_of(opened), opened.actor
    assert actor is not None
    assert (actor.kind, actor.own_customer_id) == (ActorKind.CUSTOMER, zoe[0])
    lose(any_crm, admin, zoe)
    tries: list[Callable[[Work], object]] = [
        lambda work: work.identity.actor_of_token(granted.access_token, HERE),
        lambda work: work.identity.peek(granted.refresh_token, HERE),
        lambda work: work.identity.refresh(granted.refresh_token, HERE),
        lambda work: work.identity.resume(granted.refresh_token, HERE),
        lambda work: work.identity.actor_again(actor),
        lambda work: work.identity.actor_of_user(zoe[2], HERE),
        lambda work: work.identity.login("zoe", PASSWORD, HERE),
    ]
    for attempt in tries:
        with pytest.raises(NotAuthenticated), any_crm.as_actor(visitor(HERE)) as work:
            attempt(work)


@ROADS
def test_it_is_told_why_and_only_to_who_knows_the_password(any_crm: Crm, admin: Actor, zoe: Zoe, lose: Lose) -> None:
    lose(any_crm, admin, zoe)
    with pytest.raises(NotAuthenticated) as told:
        log_in(any_crm)
    assert str(told.value) == UNLINKED
    words = set()
    for name in ("zoe", "nobody"):
        with pytest.raises(NotAuthenticated) as refused, any_crm.as_actor(visitor(HERE)) as work:
            work.identity.login(name, "Wrong-Horse9", HERE)
        words.add(str(refused.value))
    assert len(words) == 1
    assert UNLINKED not in words


@ROADS
def test_it_holds_nothing_and_is_nobodys_administrator(
    any_crm: Crm, admin: Actor, add_user: AddUser, zoe: Zoe, lose: Lose
) -> None:
    lose(any_crm, admin, zoe)
    with any_crm.reading(admin) as work:
        seen = work.identity.user(zoe[2])
        assert (seen.is_customer, seen.contact_id, seen.permissions) == (True, None, ())
        assert seen.roles == ("Customer", "System Admin")
        assert list(work.identity.rights(zoe[2])) == []
        assert work.identity.first_admin_id() is None
        listed = work.identity.window(ListQuery(filters={"is_customer": ["true"]}), FIRST, 9).rows
        assert [(row.username, row.is_customer, row.contact_id) for row in listed] == [("zoe", True, None)]
    boss = add_user(any_crm, "boss", role="System Admin")
    with any_crm.reading(admin) as work:
        assert work.identity.first_admin_id() == boss
        assert work.identity.count(ListQuery(filters={"is_customer": ["false"]})).value == 1
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.identity.delete_user(boss)


@ROADS
def test_linked_again_it_is_a_customers_user_and_old_sessions_stay_over(
    any_crm: Crm, admin: Actor, add_contact: AddContact, zoe: Zoe, lose: Lose
) -> None:
    granted = tokens_of(log_in(any_crm))
    lose(any_crm, admin, zoe)
    other_customer, other_contact = add_contact(any_crm)
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(zoe[2], UserChange(contact_id=other_contact))
    again = log_in(any_crm).actor
    assert again is not None
    assert (again.kind, again.own_customer_id) == (ActorKind.CUSTOMER, other_customer)
    with pytest.raises(NotAuthenticated), any_crm.as_actor(visitor(HERE)) as work:
        work.identity.actor_of_token(granted.access_token, HERE)


def test_staff_again_is_only_who_is_said_to_be(any_crm: Crm, admin: Actor, add_user: AddUser, zoe: Zoe) -> None:
    with pytest.raises(InvalidInput), any_crm.as_actor(admin) as work:
        work.identity.update_user(zoe[2], UserChange(is_customer=False))
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(zoe[2], UserChange(contact_id=None, is_customer=False))
        assert work.identity.first_admin_id() == zoe[2]
    actor = log_in(any_crm).actor
    assert actor is not None
    assert actor.kind is ActorKind.STAFF
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.identity.update_user(zoe[2], UserChange(is_customer=True))
    add_user(any_crm, "boss", role="System Admin")
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(zoe[2], UserChange(contact_id=zoe[1]))
        assert work.identity.user(zoe[2]).is_customer


def test_no_mail_lets_it_in(any_crm: Crm, admin: Actor, zoe: Zoe) -> None:
    delete_contact(any_crm, admin, zoe)
    with pytest.raises(Conflict, match="belongs to no customer"), any_crm.as_actor(admin) as work:
        work.identity.send_welcome(zoe[2])
    with any_crm.as_actor(visitor(HERE)) as work:
        PasswordResets(work).request("zoe@mail.example", HERE)
    with any_crm.reading(admin) as work:
        assert work.messaging.window(ListQuery(), FIRST, 9).rows == []


def test_another_contact_of_the_same_customer_lets_it_in_again(any_crm: Crm, admin: Actor, zoe: Zoe) -> None:
    delete_contact(any_crm, admin, zoe)
    with any_crm.as_actor(admin) as work:
        other = work.customers.add_contact(zoe[0], ContactInput(contact_firstname="Zoë"))
        seen = work.identity.update_user(zoe[2], UserChange(contact_id=other.contact_id))
    assert "admin" in seen.permissions
    assert log_in(any_crm).tokens is not None


def test_its_job_may_only_clean_up_and_a_half_finished_way_in_is_shut(any_crm: Crm, admin: Actor, zoe: Zoe) -> None:
    actor = log_in(any_crm).actor
    assert actor is not None
    provision_id = add_job(any_crm, admin)
    with any_crm.as_actor(actor) as work:
        work.identity.grant_job(provision_id)
    with any_crm.as_actor(visitor(HERE)) as work:
        job_token = work.identity.mint_job_tokens(provision_id, zoe[2]).access_token
        assert "admin" in work.identity.actor_of_token(job_token, HERE).permissions
        work.password_reset.request("zoe@mail.example", HERE)
    with any_crm.reading(admin) as work:
        sealed = work.session.scalars(select(OutboxMessage.sealed_text)).one()
        assert sealed is not None
        text = work.vault.open(SEALED_TEXT, 1, sealed)
    code = re.findall(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}", text or "")[0]
    delete_contact(any_crm, admin, zoe)
    with any_crm.as_actor(visitor(HERE)) as work:
        left = work.identity.actor_of_token(job_token, HERE).permissions
    assert "admin" not in left
    assert {"update_inventory", "view_customer"} <= left
    with pytest.raises(InvalidInput), any_crm.as_actor(visitor(HERE)) as work:
        work.password_reset.finish(code, "Other-Horse9", HERE)


def test_a_second_factor_after_the_contact_is_gone_opens_nothing(any_crm: Crm, admin: Actor, zoe: Zoe) -> None:
    actor = log_in(any_crm).actor
    assert actor is not None
    with any_crm.as_actor(actor) as work:
        codes = work.second_factor.enable(zoe[2], PASSWORD)
    with any_crm.engine.begin() as connection:
        connection.execute(update(User).where(User.id == zoe[2]).values(is_2fa_enabled=True))
    proof = log_in(any_crm).challenge_token
    delete_contact(any_crm, admin, zoe)
    with pytest.raises(NotAuthenticated, match="belongs to no customer"), any_crm.as_actor(visitor(HERE)) as work:
        work.second_factor.verify(proof, codes.backup_codes[0], HERE)
