"""Sessions and their tokens: renewed, remembered and ended, on all three databases."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.database.vault import Vault
from omnicrm_tui.errors import NotAuthenticated
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.schemas import Tokens, UserChange
from omnicrm_tui.identity.session_file import SessionFile

from .conftest import HERE, AddUser
from .log_ins import actions, login, refresh, together, tokens_of, who


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

    def look(token: str) -> Actor:
        with any_crm.reading(visitor(HERE)) as work:
            return work.identity.peek(token, HERE)

    seen: list[Actor | None] = []

    def exchange_while_another_looks() -> None:
        def rotate(token: str) -> tuple[None, str]:
            with any_crm.as_actor(visitor(HERE)) as work:
                _, successor = work.identity.resume(token, HERE)
            looking.start()  # between the token's use and its successor in the file
            return None, successor

        looking = threading.Thread(target=lambda: seen.append(file.peek(look)))
        file.exchange(rotate)
        looking.join()

    for _ in range(3):
        exchange_while_another_looks()
    assert [actor.user_id for actor in seen if actor] == [user_id] * 3
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


def test_a_token_is_good_in_its_own_installation_alone_and_an_older_one_is_renewed(crm: Crm, add_user: AddUser) -> None:
    """A copy of the database under the same secret is another installation where its keys are others."""
    add_user(crm)
    settings = crm.settings.model_copy(update={"jwt_secret": SecretStr("s" * 64)})
    here = Crm(settings, crm.engine, crm.clock, crm.vault)
    copy = Crm(settings, crm.engine, crm.clock, Vault({1: bytes(32)}))
    session = tokens_of(here)
    assert who(here, session.access_token)
    with pytest.raises(NotAuthenticated):
        who(copy, session.access_token)
    claims = jwt.decode(session.access_token, options={"verify_signature": False})
    assert claims.pop("aud") == here.vault.installation
    head = jwt.get_unverified_header(session.access_token)
    older = jwt.encode(claims, "s" * 64, algorithm="HS256", headers=head)
    with pytest.raises(NotAuthenticated):
        who(here, older)
    assert who(here, refresh(here, session.refresh_token).access_token)
