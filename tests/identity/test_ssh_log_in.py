"""Logging in by the SSH key that a person is mapped to: what else is asked, and who is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.config_file import ConfigurationError
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import AccountLocked, NotAuthenticated
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import LoginResult, UserChange
from omnicrm_tui.identity.ssh_keys import SshKey
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.security_settings import SecuritySection
from tests.settings.test_keys import load

from .conftest import HERE, AddUser
from .log_ins import actions, login, together, who
from .test_second_factor import code_of, enrol, verify

ADAS = SshKey(b"ada", "SHA256:" + "a" * 43)
BOBS = SshKey(b"bob", "SHA256:" + "b" * 43, ("omnicrm", "bob"))


def trusting(crm: Crm, *identities: dict[str, str], **more: Any) -> Crm:
    section = SecuritySection.model_validate({"ssh_identities": identities, **more})
    crm.settings = crm.settings.model_copy(update={"security": section})
    return crm


def by_ssh(crm: Crm, key: SshKey = ADAS) -> LoginResult | None:
    with crm.as_actor(visitor(HERE)) as work:
        return work.identity.login_by_ssh(key, HERE)


def test_nobody_is_trusted_by_default(crm: Crm, add_user: AddUser) -> None:
    add_user(crm)
    assert by_ssh(crm) is None
    assert by_ssh(trusting(crm, {"key": BOBS.fingerprint, "user": "ada"})) is None
    assert by_ssh(crm, SshKey(b"a kind that is unknown")) is None


def test_a_key_logs_in_its_user_and_the_log_names_it(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    trusting(any_crm, {"key": ADAS.fingerprint, "user": "ADA@mail.example"})
    result = by_ssh(any_crm)
    assert result is not None
    assert result.tokens is not None
    assert who(any_crm, result.tokens.access_token).user_id == user_id
    assert result.permissions == login(any_crm).permissions
    with any_crm.reading(admin) as work:
        rows = work.activity.window(ListQuery(filters={"object_id": [str(user_id)]}), FIRST, 9).rows
        [entry] = [work.activity.get(row.activity_id) for row in rows if row.action == "Logged in with an SSH key"]
    assert (entry.actor_name, entry.source_address) == ("ada", HERE)
    assert ADAS.fingerprint in str(entry.details)


def test_a_principal_logs_in_its_user_and_a_key_comes_before_it(crm: Crm, add_user: AddUser) -> None:
    ada, bob = add_user(crm), add_user(crm, "bob")
    trusting(crm, {"principal": "bob", "user": "bob"}, {"principal": "BOB", "user": "ada"})
    found = by_ssh(crm, BOBS)
    assert found is not None
    assert found.user_id == bob
    trusting(crm, {"principal": "bob", "user": "bob"}, {"key": BOBS.fingerprint, "user": "ada"})
    found = by_ssh(crm, BOBS)
    assert found is not None
    assert found.user_id == ada
    trusting(crm, {"principal": "bob", "user": "bob"}, {"principal": "omnicrm", "user": "ada"})
    with pytest.raises(NotAuthenticated):
        by_ssh(crm, BOBS)


def test_a_second_factor_is_asked_for_unless_the_operator_says_otherwise(
    any_crm: Crm, admin: Actor, clock: FrozenClock, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    identity = {"key": ADAS.fingerprint, "user": "ada"}
    secret = enrol(any_crm, clock, user_id).secret
    asked = by_ssh(trusting(any_crm, identity))
    assert asked is not None
    assert (asked.requires_2fa, asked.tokens) == (True, None)
    assert verify(any_crm, code_of(secret, clock), asked.challenge_token).tokens
    assert ("Logged in with an SSH key", "ada", HERE) in actions(any_crm, admin)
    open_at_once = by_ssh(trusting(any_crm, identity, ssh_second_factor=False))
    assert open_at_once is not None
    assert open_at_once.tokens is not None


def test_who_may_not_log_in_with_a_password_may_not_with_a_key(
    any_crm: Crm, admin: Actor, clock: FrozenClock, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    trusting(any_crm, {"key": ADAS.fingerprint, "user": "ada"}, {"key": BOBS.fingerprint, "user": "nobody"})
    with pytest.raises(NotAuthenticated):
        by_ssh(any_crm, BOBS)
    for change in (UserChange(active=False), UserChange(active=True, deleted=True)):
        with any_crm.as_actor(admin) as work:
            work.identity.update_user(user_id, change)
        with pytest.raises(NotAuthenticated, match="stands for nobody"):
            by_ssh(any_crm)
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(user_id, UserChange(deleted=False))
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            login(any_crm, password="Wrong-Horse9")
    with pytest.raises(AccountLocked):
        by_ssh(any_crm)
    clock.advance(timedelta(minutes=31))
    assert by_ssh(any_crm)
    with any_crm.as_actor(admin) as work:
        work.identity.set_password(user_id, "Temp-Horse9", force_change=True)
    temporary = by_ssh(any_crm)
    assert temporary is not None
    assert (temporary.must_change_password, temporary.tokens) == (True, None)


def test_a_customers_user_that_lost_its_contact_is_refused(
    crm: Crm, admin: Actor, add_user: AddUser, add_contact: Any
) -> None:
    _customer_id, contact_id = add_contact(crm)
    add_user(crm, "zoe", role="", contact_id=contact_id)
    trusting(crm, {"key": ADAS.fingerprint, "user": "zoe"})
    found = by_ssh(crm)
    assert found is not None
    assert found.actor is not None
    assert found.actor.own_customer_id is not None
    with crm.as_actor(admin) as work:
        work.identity.update_user(found.user_id, UserChange(contact_id=None))
    with pytest.raises(NotAuthenticated, match="belongs to no customer"):
        by_ssh(crm)
    assert ("Login refused: a customer's user without a customer", "zoe", HERE) in actions(crm, admin)


def test_many_at_once_each_get_a_session(any_crm: Crm, add_user: AddUser) -> None:
    add_user(any_crm)
    trusting(any_crm, {"key": ADAS.fingerprint, "user": "ada"})
    found: list[LoginResult | None] = []
    together([lambda: found.append(by_ssh(any_crm)) for _ in range(4)])
    assert len({one.tokens.refresh_token for one in found if one and one.tokens}) == 4


@pytest.mark.parametrize(
    ("lines", "number", "words"),
    [
        (["- key: SHA256:short", "  user: ada"], 3, "SHA256: and the 43 letters and digits"),
        ([f"- key: SHA256:{'a' * 43}", "  principal: ada", "  user: ada"], 4, "one of the two"),
        (["- user: ada"], 3, "one of the two"),
        (["- principal: ada"], 3, "user is missing"),
        (["- principal: ada", "  user: ''"], 4, "is blank"),
        (["- principal: ada", "  user: a", "- principal: ada", "  user: b"], 2, "ada is there twice"),
        (["- fingerprint: x", "  principal: ada", "  user: a"], 3, "is not a setting"),
    ],
)
def test_a_mistake_in_the_mapping_is_told_with_its_line(
    tmp_path: Any, lines: list[str], number: int, words: str
) -> None:
    text = "security:\n  ssh_identities:\n" + "\n".join(f"    {line}" for line in lines)
    with pytest.raises(ConfigurationError) as told:
        load(tmp_path / "home", text + "\n")
    assert f"config.yaml:{number}: security.ssh_identities" in str(told.value)
    assert words in str(told.value)
