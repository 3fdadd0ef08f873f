"""What administrators do about users' ways in, and who may do what through which role, on all three databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import AccountLocked, Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.models import BackupCode, User
from omnicrm_tui.identity.permissions import PERMISSIONS, ROLE_DESIGNS
from omnicrm_tui.identity.schemas import RoleInput, RolePermissions, UserChange, UserInput
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.settings import EmailType
from omnicrm_tui.work import Work

from .conftest import HERE, PASSWORD, AddUser

ELSEWHERE = "198.51.100.4"


@pytest.fixture
def boss(admin: Actor) -> Actor:
    """An administrator who sits somewhere."""
    return Actor(ActorKind.STAFF, "boss", permissions=admin.permissions, source_address=ELSEWHERE)


def log_in(crm: Crm, name: str = "ada", password: str = PASSWORD) -> tuple[Actor, str]:
    """Return the actor and the refresh token of a new session."""
    with crm.as_actor(visitor(HERE)) as work:
        result = work.identity.login(name, password, HERE)
    assert result.actor is not None
    assert result.tokens is not None
    return result.actor, result.tokens.refresh_token


def last_entry(crm: Crm, admin: Actor) -> tuple[str, str, str, dict[str, Any]]:
    """Return the newest entry of the log: what, who, from where, and the new values."""
    with crm.reading(admin) as work:
        row = work.activity.window(ListQuery(descending=True), FIRST, 1).rows[0]
    return row.action, row.actor_name, row.source_address, {name: new["new"] for name, new in row.details.items()}


def names(crm: Crm, admin: Actor, **filters: str) -> list[str]:
    with crm.reading(admin) as work:
        query = ListQuery(filters={name: [value] for name, value in filters.items()})
        return [row.username for row in work.identity.window(query, FIRST, 50).rows]


@pytest.mark.req("BIL-382", "PLT-220")
def test_reviews_find_users_by_domain_second_factor_and_last_login(
    any_crm: Crm, admin: Actor, clock: FrozenClock, add_user: AddUser
) -> None:
    today = clock.now().date()
    for name in ("ada", "bob", "eve"):
        add_user(any_crm, name, email=f"{name}@{'x-' if name == 'eve' else ''}mail.example")
    log_in(any_crm, "ada")
    clock.advance(timedelta(days=40))
    log_in(any_crm, "bob")
    with any_crm.as_actor(admin) as work:
        work.session.get_one(User, 1).is_2fa_enabled = True
    later = today + timedelta(days=10)
    assert names(any_crm, admin, domain="Mail.Example") == ["ada", "bob"]
    assert names(any_crm, admin, domain="@x-mail.example") == ["eve"]
    assert names(any_crm, admin, domain="%") == []
    assert names(any_crm, admin, is_2fa_enabled="true") == ["ada"]
    assert names(any_crm, admin, last_login="never") == ["eve"]
    assert names(any_crm, admin, last_login=f"before:{later}") == ["ada"]
    assert names(any_crm, admin, last_login=f"since:{later}") == ["bob"]
    with any_crm.reading(admin) as work:
        both = work.identity.page(ListQuery(filters={"last_login": ["never", f"since:{later}"]}), 1, 9)
        assert [row.username for row in both.rows] == ["bob", "eve"]
        assert work.identity.domains() == ["mail.example", "x-mail.example"]
    for wrong in ("yesterday", "since:2026-13-01", "after:2026-01-01"):
        with pytest.raises(InvalidInput):
            names(any_crm, admin, last_login=wrong)


@pytest.mark.req("PLT-594", "PLT-150", "BIL-383")
def test_a_user_without_a_password_gets_a_temporary_one_that_is_told_once(
    any_crm: Crm, boss: Actor, add_user: AddUser
) -> None:
    add_user(any_crm, "root", "System Admin")
    data = {"username": "ada", "email": "ada@mail.example", "first_name": "Ada", "last_name": "L", "role": "Support"}
    with any_crm.as_actor(boss) as work:
        made = work.identity.create_user(UserInput.model_validate(data))
        seen = work.identity.user(made.id)
    assert made.temporary_password is not None
    assert len(made.temporary_password) == 12
    assert made.temporary_password not in repr((made, seen, last_entry(any_crm, boss)))
    assert (seen.force_password_change, hasattr(seen, "temporary_password")) == (True, False)
    with any_crm.as_actor(visitor(HERE)) as work:
        assert work.identity.login("ada", made.temporary_password, HERE).must_change_password
    assert last_entry(any_crm, boss)[:3] == ("User created", "boss", ELSEWHERE)


@pytest.mark.req("PLT-219", "PLT-209", "BIL-383")
def test_a_welcome_goes_through_the_outbox_to_who_has_never_logged_in(
    any_crm: Crm, boss: Actor, add_user: AddUser
) -> None:
    crm_section = any_crm.settings.crm.model_copy(update={"public_url": "https://crm.example", "company_name": "Acme"})
    sender = EmailType(from_email="help@acme.example")
    mailjet = any_crm.settings.mailjet.model_copy(update={"api_crmCommunicationUserWelcome": sender})
    settings = any_crm.settings.model_copy(update={"crm": crm_section, "mailjet": mailjet})
    crm = Crm(settings, any_crm.engine, any_crm.clock, any_crm.vault)
    add_user(crm, "bob", welcome_email=True)
    user_id = add_user(crm)
    with crm.as_actor(boss) as work:
        assert work.identity.send_welcome(user_id) == "ada@mail.example"
    assert last_entry(crm, boss) == ("Welcome mail sent", "boss", ELSEWHERE, {"email": "ada@mail.example"})
    with crm.reading(boss) as work:
        sent = [work.messaging.get(row.outbox_id) for row in work.messaging.window(ListQuery(), FIRST, 9).rows]
    assert [one.recipient for one in sent] == ["bob@mail.example", "ada@mail.example"]
    assert {one.kind for one in sent} == {"api_crmCommunicationUserWelcome"}
    for told in ("ada", "Acme", "https://crm.example", "help@acme.example"):
        assert told in sent[1].text
    assert PASSWORD not in sent[1].text
    log_in(crm)
    with pytest.raises(Conflict), crm.as_actor(boss) as work:
        work.identity.send_welcome(user_id)
    with crm.as_actor(boss) as work:
        work.identity.update_user(1, UserChange(active=False))
    with pytest.raises(Conflict), crm.as_actor(boss) as work:
        work.identity.send_welcome(1)


@pytest.mark.req("PLT-215", "PLT-216", "PLT-225", "PLT-224", "BIL-414", "BIL-426", "PLT-592")
def test_a_second_factor_is_reset_with_its_codes_and_the_reason_is_kept(
    any_crm: Crm, boss: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    with any_crm.as_actor(boss) as work:
        user = work.session.get_one(User, user_id)
        user.is_2fa_enabled, user.totp_last_step = True, 7
        user.totp_secret = work.vault.seal("crm_user.totp_secret", user_id, "JBSWY3DPEHPK3PXP")
        work.session.add(BackupCode(user_id=user_id, code_hash="x"))
    with any_crm.as_actor(visitor(HERE)) as work:
        assert work.identity.login("ada", PASSWORD, HERE).requires_2fa
    with any_crm.as_actor(boss) as work:
        assert not work.identity.reset_second_factor(user_id, "Passport seen").is_2fa_enabled
    assert last_entry(any_crm, boss) == ("Second factor reset", "boss", ELSEWHERE, {"reason": "Passport seen"})
    log_in(any_crm)
    with any_crm.reading(boss) as work:
        user = work.session.get_one(User, user_id)
        assert (user.totp_secret, user.totp_last_step) == (None, None)
        assert work.session.query(BackupCode).count() == 0
    with pytest.raises(Conflict), any_crm.as_actor(boss) as work:
        work.identity.reset_second_factor(user_id)


@pytest.mark.req("BIL-384", "BIL-431", "PLT-225")
def test_sessions_are_listed_ended_one_by_one_and_all_at_once(
    any_crm: Crm, boss: Actor, clock: FrozenClock, add_user: AddUser
) -> None:
    user_id, other = add_user(any_crm), add_user(any_crm, "bob")
    sessions = []
    for _ in range(3):
        sessions.append(log_in(any_crm))
        clock.advance(timedelta(hours=1))
    bob, _token = log_in(any_crm, "bob")
    with any_crm.as_actor(visitor(HERE)) as work:
        work.identity.refresh(sessions[0][1], HERE)
    with any_crm.reading(boss) as work:
        seen = work.identity.sessions_of(user_id)
    assert [one.session_id for one in seen] == [actor.session_id for actor, _token in reversed(sessions)]
    assert [one.started for one in seen] == sorted((one.started for one in seen), reverse=True)
    assert (seen[2].last_used, seen[1].last_used) == (clock.now(), seen[1].started)
    assert {(one.source_address, one.current) for one in seen} == {(HERE, False)}
    with any_crm.as_actor(boss) as work:
        work.identity.end_session(user_id, seen[2].session_id)
    action, who, where, new = last_entry(any_crm, boss)
    assert (action, who, where, new["from"]) == ("Session ended by an administrator", "boss", ELSEWHERE, HERE)
    for gone, owner in ((seen[2].session_id, user_id), (bob.session_id, user_id), ("no such", user_id)):
        with pytest.raises(NotFound), any_crm.as_actor(boss) as work:
            work.identity.end_session(owner, gone)
    with any_crm.reading(visitor(HERE)) as work:
        assert work.identity.actor_again(sessions[1][0]) == sessions[1][0]
        with pytest.raises(NotAuthenticated):
            work.identity.actor_again(sessions[0][0])
    with any_crm.as_actor(boss) as work:
        assert work.identity.end_all_sessions(user_id) == 2
    assert last_entry(any_crm, boss)[0] == "All sessions ended by an administrator"
    with any_crm.reading(bob) as work:
        assert work.identity.actor_again(bob) == bob
    with any_crm.reading(boss) as work:
        assert work.identity.sessions_of(user_id) == []
        assert len(work.identity.sessions_of(other)) == 1


@pytest.mark.req("BIL-431", "BIL-432", "BIL-434", "PLT-211")
def test_a_deleted_user_is_out_at_once_and_comes_back_with_the_old_password(
    any_crm: Crm, boss: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    actor, token = log_in(any_crm)
    with any_crm.as_actor(boss) as work:
        work.identity.delete_user(user_id, "Left the company")
    assert last_entry(any_crm, boss)[3]["reason"] == "Left the company"
    for use in (
        lambda work: work.identity.actor_again(actor),
        lambda work: work.identity.refresh(token, HERE),
        lambda work: work.identity.login("ada", PASSWORD, HERE),
    ):
        with pytest.raises(NotAuthenticated), any_crm.as_actor(visitor(HERE)) as work:
            use(work)
    with any_crm.as_actor(boss) as work:
        work.identity.update_user(user_id, UserChange(deleted=False))
    log_in(any_crm)
    with pytest.raises(NotAuthenticated), any_crm.as_actor(visitor(HERE)) as work:
        work.identity.refresh(token, HERE)


@pytest.mark.req("BIL-454", "BIL-455", "BIL-456", "BIL-457", "BIL-458", "BIL-459")
@pytest.mark.parametrize("design", ROLE_DESIGNS, ids=lambda design: design.name.replace(" ", "-"))
def test_a_role_begins_as_a_shipped_one_is_designed(any_crm: Crm, boss: Actor, design: Any) -> None:
    with any_crm.as_actor(boss) as work:
        work.identity.ensure_catalogue()
        made = work.identity.create_role(RoleInput(name="Night", design=design.name.upper()))
        assert made.permissions == tuple(sorted(design.permissions))
    with pytest.raises(InvalidInput), any_crm.as_actor(boss) as work:
        work.identity.create_role(RoleInput(name="Day", design="Pilot"))


@pytest.mark.req("BIL-386", "BIL-404", "BIL-405", "PLT-226")
def test_a_matrix_is_saved_in_one_step_and_what_two_people_change_adds_up(any_crm: Crm, boss: Actor) -> None:
    with any_crm.as_actor(boss) as work:
        work.identity.ensure_catalogue()
        role = work.identity.create_role(RoleInput(name="Store"))
        work.identity.change_permissions(role.id, RolePermissions(add=["view_product", "VIEW_INVENTORY"]))
        work.identity.change_permissions(role.id, RolePermissions(add=["view_product", "create_inventory"]))
        last = RolePermissions(add=["view_customer"], remove=["view_product", "delete_customer"])
        seen = work.identity.change_permissions(role.id, last)
    assert seen.permissions == ("create_inventory", "view_customer", "view_inventory")
    action, who, where, new = last_entry(any_crm, boss)
    assert (action, who, where) == ("Permissions of a role changed", "boss", ELSEWHERE)
    assert "view_customer" in new["permissions"]
    with pytest.raises(NotFound), any_crm.as_actor(boss) as work:
        work.identity.change_permissions(role.id, RolePermissions(add=["fly"]))


@pytest.mark.req("BIL-387", "BIL-374", "BIL-384")
def test_it_is_known_through_which_role_and_whom_a_deletion_would_cost(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm, "ada", "Support, Finance")
    add_user(any_crm, "bob", "Finance")
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(add_user(any_crm, "eve", "Finance"))
    with any_crm.reading(admin) as work:
        through = {right.permission: right.roles for right in work.identity.rights(user_id)}
        assert tuple(sorted(through)) == work.identity.user(user_id).permissions
        roles = {role.name: role for role in work.identity.role_list()}
        loss = work.identity.role_loss(roles["Finance"].id)
        with pytest.raises(NotFound):
            work.identity.rights(99)
        with pytest.raises(NotFound):
            work.identity.role_loss(99)
    assert through["view_product"] == ("Finance", "Support")
    assert through["create_customer_invoice"] == ("Finance",)
    assert (loss.users, loss.left_without) == (2, 1)
    finance = next(design for design in ROLE_DESIGNS if design.name == "Finance")
    assert (roles["Finance"].users, roles["Finance"].permissions) == (2, len(finance.permissions))
    assert (roles["Customer"].users, len(roles)) == (0, 6)


GRANTS: dict[str, Callable[[Work], object]] = {
    "role": lambda work: work.identity.create_role(RoleInput(name="Mine", design="System Admin")),
    "permission": lambda work: work.identity.change_permissions(2, RolePermissions(add=["admin"])),
    "permissions": lambda work: work.identity.add_permissions(2, [1]),
    "own role": lambda work: work.identity.give_role(1, 1),
    "roles": lambda work: work.identity.update_user(1, UserChange(role=["System Admin"])),
    "password": lambda work: work.identity.set_password(2, "Other-Horse9"),
    "temporary": lambda work: work.identity.reset_password(2),
    "factor": lambda work: work.identity.reset_second_factor(2),
    "welcome": lambda work: work.identity.send_welcome(2),
    "sessions": lambda work: work.identity.sessions_of(2),
    "session": lambda work: work.identity.end_session(2, "x"),
    "all sessions": lambda work: work.identity.end_all_sessions(2),
    "rights": lambda work: work.identity.rights(2),
    "loss": lambda work: work.identity.role_loss(1),
    "role list": lambda work: work.identity.role_list(),
    "domains": lambda work: work.identity.domains(),
}


@pytest.mark.req("PLT-226", "PLT-217", "BIL-464")
@pytest.mark.parametrize("what", GRANTS)
def test_nobody_grants_what_they_lack(crm: Crm, add_user: AddUser, what: str) -> None:
    """Who may do all but administer can give nothing, to nobody, themselves least of all."""
    add_user(crm)
    add_user(crm, "root", "System Admin")
    everything_else = frozenset(PERMISSIONS) - {"admin"}
    clerk = Actor(ActorKind.STAFF, "ada", user_id=1, permissions=everything_else, source_address=HERE)
    with pytest.raises(NotPermitted), crm.as_actor(clerk) as work:
        GRANTS[what](work)


@pytest.mark.req("BIL-422", "PLT-179")
def test_an_administrator_opens_a_locked_account_at_once(
    any_crm: Crm, admin: Actor, boss: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            log_in(any_crm, password="Wrong-Horse9")
    with pytest.raises(AccountLocked):
        log_in(any_crm)
    with pytest.raises(NotPermitted), any_crm.as_actor(Actor(ActorKind.STAFF, "bob")) as work:
        work.identity.unlock(user_id)
    with any_crm.as_actor(boss) as work:
        assert work.identity.unlock(work.identity.user_by_login("ADA@mail.example").id).locked_until is None
    assert last_entry(any_crm, admin)[:3] == ("User unlocked", "boss", ELSEWHERE)
    assert log_in(any_crm)[0].user_id == user_id
    with pytest.raises(Conflict, match="not locked"), any_crm.as_actor(boss) as work:
        work.identity.unlock(user_id)
    with pytest.raises(NotFound, match="no user eve"), any_crm.as_actor(boss) as work:
        work.identity.user_by_login("eve")
