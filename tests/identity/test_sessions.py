"""Log-in, sessions and the tokens of jobs, on all three databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import AccountLocked, InvalidInput, NotAuthenticated
from omnicrm_tui.identity import passwords, totp
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.schemas import LoginResult, Tokens, UserChange
from omnicrm_tui.identity.session_file import SessionFile
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.settings import Settings

from .conftest import HERE, PASSWORD, AddUser


def login(crm: Crm, name: str = "ada@mail.example", password: str = PASSWORD, **more: Any) -> LoginResult:
    with crm.as_actor(visitor(HERE)) as work:
        return work.identity.login(name, password, HERE, **more)


def tokens_of(crm: Crm, **more: Any) -> Tokens:
    tokens = login(crm, **more).tokens
    assert tokens is not None
    return tokens


def refresh(crm: Crm, token: str) -> Tokens:
    with crm.as_actor(visitor(HERE)) as work:
        return work.identity.refresh(token, HERE)


def who(crm: Crm, token: str) -> Actor:
    with crm.reading(visitor(HERE)) as work:
        return work.identity.actor_of_token(token, HERE)


def actions(crm: Crm, admin: Actor) -> list[tuple[str, str, str]]:
    with crm.reading(admin) as work:
        rows = work.activity.window(ListQuery(), FIRST, 50).rows
    return [(row.action, row.actor_name, row.source_address) for row in rows if row.object_type == "user"]


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
    monkeypatch.setattr(passwords, "ROUNDS", 2)
    passwords._hasher.cache_clear()
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
    assert (result.must_change_password, result.tokens, result.challenge_token) == (True, None, "")

    def change(current: str, new: str) -> None:
        with any_crm.as_actor(visitor(HERE)) as work:
            work.identity.change_password(user_id, current, new, HERE)

    with pytest.raises(InvalidInput):
        change(temporary, "weak")
    with pytest.raises(InvalidInput):
        change(temporary, temporary)
    with pytest.raises(NotAuthenticated):
        change("Wrong-Horse9", "Third-Horse9")
    change(temporary, "Third-Horse9")
    assert login(any_crm, password="Third-Horse9").tokens
    with pytest.raises(NotAuthenticated):
        login(any_crm, password=temporary)


@pytest.mark.req("CAT-227", "SVC-087")
def test_a_refresh_token_is_good_once_and_a_second_use_ends_the_family(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    add_user(any_crm)
    first, other = tokens_of(any_crm), tokens_of(any_crm)
    second = refresh(any_crm, first.refresh_token)
    assert who(any_crm, second.access_token).name == "ada"
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, first.refresh_token)
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, second.refresh_token)
    with pytest.raises(NotAuthenticated):
        who(any_crm, second.access_token)
    assert refresh(any_crm, other.refresh_token)
    assert ("Session ended: a refresh token was used twice", "ada", HERE) in actions(any_crm, admin)


@pytest.mark.req("CAT-227")
def test_two_threads_with_one_refresh_token_leave_no_session(any_crm: Crm, add_user: AddUser) -> None:
    add_user(any_crm)
    token = tokens_of(any_crm).refresh_token
    won: list[Tokens] = []
    lost: list[Exception] = []

    def use() -> None:
        try:
            won.append(refresh(any_crm, token))
        except NotAuthenticated as error:
            lost.append(error)

    together([use, use])
    assert (len(won), len(lost)) == (1, 1)
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, won[0].refresh_token)
    with pytest.raises(NotAuthenticated):
        who(any_crm, won[0].access_token)


@pytest.mark.req("SVC-086", "PLT-221", "PLT-177", "PLT-562")
def test_tokens_and_sessions_end_in_time(crm: Crm, clock: FrozenClock, add_user: AddUser) -> None:
    add_user(crm)
    short, long = tokens_of(crm), tokens_of(crm, remember=True)
    clock.advance(timedelta(minutes=14, seconds=59))
    assert who(crm, short.access_token)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(NotAuthenticated):
        who(crm, short.access_token)
    for _ in range(3):
        clock.advance(timedelta(hours=11, minutes=44))
        short = refresh(crm, short.refresh_token)
    clock.advance(timedelta(hours=12))
    with pytest.raises(NotAuthenticated):
        refresh(crm, short.refresh_token)
    clock.advance(timedelta(days=27))
    long = refresh(crm, long.refresh_token)
    clock.advance(timedelta(days=2))
    with pytest.raises(NotAuthenticated):
        refresh(crm, long.refresh_token)


@pytest.mark.req("BIL-431", "BIL-432", "BIL-374")
def test_a_revoked_user_is_out_at_once_and_a_changed_role_holds_at_once(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    session = tokens_of(any_crm)
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(user_id, UserChange(role=["Finance", "Read-only Auditor"]))
    held = who(any_crm, session.access_token).permissions
    assert {"create_customer_invoice", "view_cbc_message"} <= held
    assert "create_provision" not in held
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(user_id)
    with pytest.raises(NotAuthenticated):
        who(any_crm, session.access_token)
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(user_id, UserChange(deleted=False))
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, session.refresh_token)
    assert login(any_crm).tokens


def test_logging_out_ends_the_session_and_its_access_token(crm: Crm, admin: Actor, add_user: AddUser) -> None:
    add_user(crm)
    session = tokens_of(crm)
    with crm.as_actor(visitor(HERE)) as work:
        work.identity.logout(session.refresh_token)
        work.identity.logout("unknown")
    with pytest.raises(NotAuthenticated):
        who(crm, session.access_token)
    assert ("Logged out", "ada", HERE) in actions(crm, admin)


def test_no_token_is_stored_as_it_is(crm: Crm, add_user: AddUser) -> None:
    add_user(crm)
    token = tokens_of(crm).refresh_token
    with crm.engine.connect() as connection:
        stored = connection.execute(text("SELECT token_hash FROM crm_refresh_token")).scalars().all()
    assert len(stored) == 1
    assert token not in stored[0]


@pytest.mark.req("PLT-173", "BIL-424", "PLT-230")
def test_a_second_factor_is_asked_for_and_its_code_opens_once(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    with any_crm.as_actor(admin) as work:
        from omnicrm_tui.identity.models import User

        user = work.session.get_one(User, user_id)
        user.is_2fa_enabled = True
        user.totp_secret = work.vault.seal("crm_user.totp_secret", user_id, secret)
    result = login(any_crm)
    assert (result.requires_2fa, result.tokens, result.user_id) == (True, None, user_id)
    with pytest.raises(NotAuthenticated):
        who(any_crm, result.challenge_token)

    def verify(code: str, challenge: str = result.challenge_token) -> LoginResult:
        with any_crm.as_actor(visitor(HERE)) as work:
            return work.identity.verify_second_factor(challenge, code, HERE)

    code = totp.code_at(secret, int(clock.now().timestamp()) // 30)
    with pytest.raises(NotAuthenticated):
        verify("000000" if code != "000000" else "000001")
    opened = verify(code).tokens
    assert opened is not None
    with pytest.raises(NotAuthenticated):
        verify(code)
    with pytest.raises(NotAuthenticated):
        verify(code, opened.access_token)
    clock.advance(timedelta(minutes=5))
    with pytest.raises(NotAuthenticated):
        verify(totp.code_at(secret, int(clock.now().timestamp()) // 30))


@pytest.mark.req("PLT-177")
def test_a_remembered_session_resumes_without_a_password_and_only_from_a_private_file(
    any_crm: Crm, tmp_path: Path, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    file = SessionFile(tmp_path / "home")

    def resume() -> Actor | None:
        def rotate(token: str) -> tuple[Actor, str]:
            with any_crm.as_actor(visitor(HERE)) as work:
                return work.identity.resume(token, HERE)

        return file.exchange(rotate)

    assert resume() is None
    file.remember(tokens_of(any_crm, remember=True).refresh_token)
    assert (tmp_path / "home" / "session").stat().st_mode & 0o777 == 0o600
    for _ in range(3):
        actor = resume()
        assert actor is not None
        assert actor.user_id == user_id
    found: list[Actor | None] = []
    together([lambda: found.append(resume()) for _ in range(4)])
    assert [actor.user_id for actor in found if actor] == [user_id] * 4
    (tmp_path / "home" / "session").chmod(0o644)
    assert resume() is None
    file.remember("a token that nobody knows")
    assert resume() is None
    assert not (tmp_path / "home" / "session").exists()


@pytest.mark.req("PLT-177")
def test_resuming_needs_neither_the_token_library_nor_the_hash(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from omnicrm_tui.identity.service import IdentityService;"
        "print([name for name in ('jwt', 'argon2', 'textual', 'fastapi', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.req("PLT-227", "PLT-449")
def test_replacing_the_secret_ends_every_session(crm: Crm, add_user: AddUser) -> None:
    add_user(crm)
    generated = tokens_of(crm)
    configured = Crm(
        crm.settings.model_copy(update={"jwt_secret": SecretStr("s" * 64)}), crm.engine, crm.clock, crm.vault
    )
    for token in (generated.access_token, "x.y.z", ""):
        with pytest.raises(NotAuthenticated):
            who(configured, token)
    with pytest.raises(NotAuthenticated):
        refresh(configured, generated.refresh_token)
    assert who(configured, tokens_of(configured).access_token)
    assert who(crm, generated.access_token)


def test_the_generated_key_is_private_and_a_newer_one_keeps_old_tokens_good(crm: Crm, add_user: AddUser) -> None:
    import jwt

    add_user(crm)
    old = tokens_of(crm)
    folder = crm.settings.keys_folder
    assert (folder / "token-1.key").stat().st_mode & 0o777 == 0o600
    (folder / "token-10.key").write_bytes(bytes(32))
    new = tokens_of(crm)
    assert jwt.get_unverified_header(new.access_token)["kid"] == "10"
    assert who(crm, old.access_token)
    assert refresh(crm, old.refresh_token)
    forged = jwt.encode(jwt.decode(old.access_token, options={"verify_signature": False}), None, algorithm="none")
    with pytest.raises(NotAuthenticated):
        who(crm, forged)


@pytest.mark.req("SVC-082", "SVC-085", "SVC-136")
def test_a_jobs_tokens_hold_what_its_initiator_could_then_and_end_with_it(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    with any_crm.reading(visitor(HERE)) as work:
        initiator = work.identity.actor_of_user(user_id, HERE)
    provision_id = add_job(any_crm, admin)
    with any_crm.as_actor(initiator) as work:
        work.identity.grant_job(provision_id)
    with any_crm.as_actor(admin) as work:
        work.identity.update_user(user_id, UserChange(role=["Finance"]))
        minted = work.identity.mint_job_tokens(provision_id, user_id)
    actor = who(any_crm, minted.access_token)
    assert (actor.kind, actor.provision_id, actor.user_id) == (ActorKind.JOB, provision_id, user_id)
    assert actor.permissions == initiator.permissions
    renewed = refresh(any_crm, minted.refresh_token)
    with any_crm.as_actor(admin) as work:
        work.identity.delete_user(user_id)
    left = who(any_crm, renewed.access_token)
    assert left.may("update_inventory")
    assert not left.may("create_customer_service")
    with any_crm.as_actor(admin) as work:
        work.identity.end_job_tokens(provision_id)
    with pytest.raises(NotAuthenticated):
        who(any_crm, renewed.access_token)
    with pytest.raises(NotAuthenticated), any_crm.as_actor(admin) as work:
        work.identity.mint_job_tokens(provision_id, user_id)


@pytest.mark.req("CAT-183")
def test_a_job_that_an_api_key_started_may_do_what_the_key_may_and_no_more(any_crm: Crm, admin: Actor) -> None:
    provision_id = add_job(any_crm, admin)
    key = Actor(ActorKind.MACHINE, "billing", permissions=frozenset({"create_provision", "view_customer"}))
    with any_crm.as_actor(key) as work:
        work.identity.grant_job(provision_id)
    with any_crm.as_actor(admin) as work:
        minted = work.identity.mint_job_tokens(provision_id, None)
    actor = who(any_crm, minted.access_token)
    assert (actor.kind, actor.provision_id) == (ActorKind.JOB, provision_id)
    assert actor.permissions == key.permissions


@pytest.mark.req("BIL-376", "BIL-378", "BIL-459")
def test_a_contacts_user_is_a_customer_confined_to_its_own(
    any_crm: Crm, add_user: AddUser, add_contact: Callable[[Crm], tuple[int, int]]
) -> None:
    customer_id, contact_id = add_contact(any_crm)
    add_user(any_crm, "zoe", role="", contact_id=contact_id)
    result = login(any_crm, "zoe")
    assert result.actor is not None
    assert (result.actor.kind, result.actor.own_customer_id) == (ActorKind.CUSTOMER, customer_id)
    assert result.roles == ("Customer",)
    with any_crm.reading(result.actor) as work:
        assert [row.customer_id for row in work.customers.window(ListQuery(), FIRST, 9).rows] == [customer_id]


def add_job(crm: Crm, admin: Actor) -> int:
    from omnicrm_tui.provisioning.models import Provision

    with crm.as_actor(admin) as work:
        job = Provision(provisioning_play="play_simple_service")
        work.session.add(job)
        work.session.flush()
        return job.provision_id


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


def test_settings_are_what_the_lock_and_the_tokens_obey(tmp_path: Path) -> None:
    security = Settings(home=tmp_path).security
    assert (security.lockout_failures, security.lockout_minutes) == (5, 30)
    assert (security.access_token_minutes, security.refresh_token_days) == (15, 30)
