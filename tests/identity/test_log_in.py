"""Logging in: names, passwords, locks and second factors, on all three databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import AccountLocked, InvalidInput, NotAuthenticated
from omnicrm_tui.identity import passwords
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.schemas import UserChange
from omnicrm_tui.settings import Settings

from .conftest import HERE, PASSWORD, AddUser
from .log_ins import actions, login, refresh, together, tokens_of, who


@pytest.mark.req("PLT-172", "CAT-168", "CAT-170", "CAT-176", "PLT-225")
def test_a_user_logs_in_by_address_or_name_in_any_case(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    for name in ("ada@mail.example", " ADA@Mail.Example", "Ada"):
        result = login(any_crm, name)
        assert result.tokens is not None
        assert (result.user_id, result.roles) == (user_id, ("Support",))
        assert "create_provision" in result.permissions
        actor = who(any_crm, result.tokens.access_token)
        assert actor == result.actor
        assert (actor.kind, actor.user_id, actor.source_address) == (ActorKind.STAFF, user_id, HERE)
    with any_crm.reading(admin) as work:
        seen = work.identity.user(user_id)
    assert (seen.login_count, seen.last_login) == (3, any_crm.clock.now())
    assert ("Logged in", "ada", HERE) in actions(any_crm, admin)


def test_a_new_home_knows_that_nobody_can_log_in(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    def nobody() -> bool:
        with any_crm.reading(visitor(HERE)) as work:
            return work.identity.nobody_can_log_in()

    assert nobody()
    user_id = add_user(any_crm)
    assert not nobody()
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(user_id, UserChange(active=False))
    assert nobody()


@pytest.mark.req("PLT-171", "BIL-431", "PLT-225")
def test_wrong_password_unknown_and_revoked_users_get_the_same_answer_after_the_same_work(
    crm: Crm, admin: Actor, add_user: AddUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user(crm)
    gone, off = add_user(crm, "gone"), add_user(crm, "off")
    with crm.as_actor(admin) as work:
        work.identity.delete_user(gone)
        work.identity.update_user(off, UserChange(active=False))
    checks: list[bool] = []
    real = passwords.verify

    def counting(password_hash: str | None, password: str) -> bool:
        checks.append(password_hash is not None)
        return real(password_hash, password)

    monkeypatch.setattr(passwords, "verify", counting)
    for name, password in (("ada", "Wrong-Horse9"), ("nobody", PASSWORD), ("gone", PASSWORD), ("off", PASSWORD)):
        with pytest.raises(NotAuthenticated) as refused:
            login(crm, name, password)
        assert refused.value.message == "Invalid email or password"
    assert checks == [True, False, False, False]
    assert ("Login failed: wrong password", "ada", HERE) in actions(crm, admin)


@pytest.mark.req("BIL-422", "PLT-151", "PLT-179")
def test_five_failures_lock_the_account_for_half_an_hour(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            login(any_crm, password="Wrong-Horse9")
    with pytest.raises(AccountLocked):
        login(any_crm)
    clock.advance(timedelta(minutes=29, seconds=59))
    with pytest.raises(AccountLocked):
        login(any_crm)
    clock.advance(timedelta(seconds=1))
    for _ in range(4):
        with pytest.raises(NotAuthenticated):
            login(any_crm, password="Wrong-Horse9")
    assert login(any_crm).tokens
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            login(any_crm, password="Wrong-Horse9")
    with any_crm.as_actor(admin) as work:
        work.identity.set_password(user_id, "Other-Horse9", force_change=False)
    assert login(any_crm, password="Other-Horse9").tokens


@pytest.mark.req("BIL-422")
def test_many_guesses_at_once_are_no_way_around_the_lock(any_crm: Crm, add_user: AddUser) -> None:
    add_user(any_crm)
    answers: list[type[Exception]] = []

    def guess(number: int) -> None:
        try:
            login(any_crm, password=f"Wrong-Horse{number}")
        except Exception as error:
            answers.append(type(error))

    together([lambda n=n: guess(n) for n in range(8)])
    assert sorted(kind.__name__ for kind in answers) == ["AccountLocked"] * 3 + ["NotAuthenticated"] * 5


def test_a_hash_of_other_parameters_is_replaced_at_the_next_login(
    crm: Crm, add_user: AddUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user(crm)

    def stored() -> str:
        with crm.engine.connect() as connection:
            return str(connection.execute(text("SELECT password_hash FROM crm_user")).scalar_one())

    before = stored()
    login(crm)
    assert stored() == before
    other = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: other)
    login(crm)
    assert stored() != before
    login(crm)


@pytest.mark.req("PLT-178", "PLT-232", "BIL-399", "BIL-420")
def test_a_temporary_password_opens_nothing_but_its_own_change(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    session = tokens_of(any_crm)
    with any_crm.as_actor(admin) as work:
        temporary = work.identity.reset_password(user_id)
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, session.refresh_token)
    result = login(any_crm, password=temporary)
    assert (result.must_change_password, result.tokens) == (True, None)

    def change(current: str, new: str, proof: str = result.challenge_token) -> None:
        with any_crm.as_actor(visitor(HERE)) as work:
            work.identity.change_temporary_password(proof, current, new, HERE)

    with pytest.raises(InvalidInput):
        change(temporary, "weak")
    with pytest.raises(InvalidInput):
        change(temporary, temporary)
    with pytest.raises(NotAuthenticated):
        change("Wrong-Horse9", "Third-Horse9")
    with pytest.raises(NotAuthenticated):
        change(temporary, "Third-Horse9", proof="")
    change(temporary, "Third-Horse9")
    assert login(any_crm, password="Third-Horse9").tokens
    with pytest.raises(NotAuthenticated):
        login(any_crm, password=temporary)
    with pytest.raises(NotAuthenticated, match="Begin it again"):
        change("Third-Horse9", "Fourth-Horse9")


@pytest.mark.req("PLT-178")
def test_the_challenge_of_a_temporary_password_opens_no_session_and_is_over_after_a_while(
    crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(crm)
    with crm.as_actor(admin) as work:
        temporary = work.identity.reset_password(user_id)
    proof = login(crm, password=temporary).challenge_token
    with pytest.raises(NotAuthenticated), crm.as_actor(visitor(HERE)) as work:
        work.identity.actor_of_token(proof, HERE)
    with pytest.raises(NotAuthenticated), crm.as_actor(visitor(HERE)) as work:
        work.second_factor.verify(proof, "123456", HERE)
    clock.advance(timedelta(minutes=15))
    with pytest.raises(NotAuthenticated, match="Begin it again"), crm.as_actor(visitor(HERE)) as work:
        work.identity.change_temporary_password(proof, temporary, "Third-Horse9", HERE)


@pytest.mark.req("BIL-422")
@pytest.mark.parametrize(("history", "refused"), [(3, 3), (1, 1), (0, 1)])
def test_the_last_passwords_are_not_chosen_again(
    any_crm: Crm, admin: Actor, add_user: AddUser, history: int, refused: int
) -> None:
    """The current one never is; an administrator's is remembered as one's own are."""
    security = any_crm.settings.security.model_copy(update={"password_history": history})
    crm = Crm(any_crm.settings.model_copy(update={"security": security}), any_crm.engine, any_crm.clock, any_crm.vault)
    user_id = add_user(crm)
    had = [PASSWORD]

    def change(new: str) -> None:
        with crm.as_actor(visitor(HERE)) as work:
            work.identity.change_password(user_id, had[-1], new, HERE)
        had.append(new)

    change("Second-Horse9")
    with crm.as_actor(admin) as work:
        work.identity.set_password(user_id, "Third-Horse9", force_change=False)
    had.append("Third-Horse9")
    change("Fourth-Horse9")
    for old in had[-refused:]:
        with pytest.raises(InvalidInput) as why:
            change(old)
        assert set(why.value.fields) == {"new_password"}
    assert login(crm, password="Fourth-Horse9").tokens
    if refused < len(had):
        change(had[-refused - 1])
    with crm.engine.connect() as connection:
        kept = connection.execute(text("SELECT count(*) FROM crm_old_password")).scalar_one()
    assert kept == max(0, history - 1)


def test_settings_are_what_the_lock_and_the_tokens_obey(tmp_path: Path) -> None:
    security = Settings(home=tmp_path).security
    assert (security.lockout_failures, security.lockout_minutes) == (5, 30)
    assert (security.access_token_minutes, security.refresh_token_days) == (15, 30)
