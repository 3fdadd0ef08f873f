"""Signing keys: renewed without logging anybody out, and removed once nothing that they signed is left."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from datetime import timedelta
from multiprocessing.connection import Connection

import jwt
import pytest
from pydantic import SecretStr

from omnicrm_tui import chores
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict, NotAuthenticated, ProgramOutdated
from omnicrm_tui.identity import signing_keys
from omnicrm_tui.identity.actor import Actor, system_actor, visitor
from omnicrm_tui.identity.schemas import SigningKey
from omnicrm_tui.identity.tokens import Keyring
from omnicrm_tui.listing import FIRST, ListQuery
from omnicrm_tui.settings import Settings

from .conftest import HERE, PASSWORD, AddUser
from .log_ins import login, refresh, together, tokens_of, who
from .test_job_tokens import add_job

COMMAND_LINE = system_actor("command line")


def rotate(crm: Crm) -> int:
    with crm.as_actor(COMMAND_LINE) as work:
        return work.identity.rotate_signing_key().number


def remove(crm: Crm) -> Sequence[int]:
    with crm.as_actor(COMMAND_LINE) as work:
        return work.identity.remove_signing_keys()


def keys(crm: Crm) -> Sequence[SigningKey]:
    with crm.reading(COMMAND_LINE) as work:
        return work.identity.signing_keys()


def kid(token: str) -> str:
    found: str = jwt.get_unverified_header(token)["kid"]
    return found


def test_a_rotation_logs_nobody_out_and_the_new_key_signs(any_crm: Crm, admin: Actor, add_user: AddUser) -> None:
    add_user(any_crm)
    before = tokens_of(any_crm)
    assert rotate(any_crm) == 2
    file = any_crm.settings.keys_folder / "token-2.key"
    assert (file.stat().st_mode & 0o777, file.stat().st_size) == (0o600, 32)
    assert who(any_crm, before.access_token).name == "ada"
    after = refresh(any_crm, before.refresh_token)
    assert (kid(before.access_token), kid(after.access_token), kid(tokens_of(any_crm).access_token)) == ("1", "2", "2")
    with pytest.raises(NotAuthenticated):
        refresh(any_crm, before.refresh_token)
    with any_crm.reading(admin) as work:
        entry = work.activity.window(ListQuery(filters={"object_type": ["signing_key"]}), FIRST, 5).rows[0]
    assert (entry.action, entry.object_id, entry.actor_name) == ("Signing key made", 2, "command line")


def test_a_log_in_that_is_half_done_goes_on_across_a_rotation(crm: Crm, add_user: AddUser) -> None:
    add_user(crm, force_password_change=True)
    challenge = login(crm).challenge_token
    rotate(crm)
    with crm.as_actor(visitor(HERE)) as work:
        work.identity.change_temporary_password(challenge, PASSWORD, "Other-Horse9", HERE)
    assert login(crm, password="Other-Horse9").tokens


def test_a_key_is_kept_until_all_that_it_signed_is_over(any_crm: Crm, clock: FrozenClock, add_user: AddUser) -> None:
    add_user(any_crm)
    long = tokens_of(any_crm, remember=True)
    clock.advance(timedelta(days=1))
    rotate(any_crm)
    clock.advance(timedelta(minutes=4))
    late = Keyring({"1": (any_crm.settings.keys_folder / "token-1.key").read_bytes()}, "1", "here")
    [former, newest] = keys(any_crm)
    assert (former.number, former.signs, newest.number, newest.signs, newest.needed_until) == (1, False, 2, True, None)
    assert former.needed_until == clock.now() + timedelta(days=29, minutes=-4)
    clock.advance(timedelta(days=28, hours=23, minutes=55))
    assert remove(any_crm) == []
    assert refresh(any_crm, long.refresh_token)
    clock.advance(timedelta(minutes=1))
    signed = late.sign({"sub": "1", "use": "access"}, issued=clock.now(), expires=clock.now() + timedelta(minutes=9))
    assert Keyring.of(any_crm.settings, "here").read(signed, "access", clock.now())
    assert remove(any_crm) == [1]
    assert [key.number for key in keys(any_crm)] == [2]
    with pytest.raises(NotAuthenticated):
        Keyring.of(any_crm.settings, "here").read(signed, "access", clock.now())


def test_a_key_goes_two_hours_after_the_last_session_that_it_opened_was_ended(
    crm: Crm, clock: FrozenClock, add_user: AddUser
) -> None:
    user_id = add_user(crm)
    tokens_of(crm, remember=True)
    rotate(crm)
    with crm.as_actor(COMMAND_LINE) as work:
        work.identity.end_all_sessions(user_id)
    clock.advance(timedelta(minutes=119))
    assert remove(crm) == []
    clock.advance(timedelta(minutes=1))
    chores.remove_keys(crm)
    assert [key.number for key in keys(crm)] == [2]


def test_a_stolen_token_is_known_again_while_its_session_lives(crm: Crm, clock: FrozenClock, add_user: AddUser) -> None:
    add_user(crm)
    stolen = tokens_of(crm, remember=True).refresh_token
    current = refresh(crm, stolen).refresh_token
    rotate(crm)
    current = refresh(crm, current).refresh_token
    clock.advance(timedelta(days=20))
    assert remove(crm) == []
    with pytest.raises(NotAuthenticated):
        refresh(crm, stolen)
    with pytest.raises(NotAuthenticated):
        refresh(crm, current)


def test_what_was_still_signed_with_the_former_key_just_after_counts_too(
    crm: Crm, clock: FrozenClock, add_user: AddUser
) -> None:
    """As by a use case that had read the keys before the rotation."""
    add_user(crm)
    rotate(crm)
    newest = crm.settings.keys_folder / "token-2.key"
    aside = newest.rename(newest.with_name("aside"))
    clock.advance(timedelta(minutes=4))
    late = tokens_of(crm, remember=True)
    aside.rename(newest)
    clock.advance(timedelta(days=20))
    assert remove(crm) == []
    assert refresh(crm, late.refresh_token)


def test_the_key_of_a_running_job_stays(crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser) -> None:
    user_id, number = add_user(crm), add_job(crm, admin)
    with crm.as_actor(admin) as work:
        tokens = work.identity.mint_job_tokens(number, user_id)
    rotate(crm)
    clock.advance(timedelta(days=3))
    assert remove(crm) == []
    assert who(crm, refresh(crm, tokens.refresh_token).access_token).provision_id == number
    with crm.as_actor(admin) as work:
        work.identity.end_job_tokens(number)
    assert remove(crm) == [1]


def test_two_rotations_at_once_make_two_keys(crm: Crm) -> None:
    made: list[int] = []
    together([lambda: made.append(rotate(crm)) for _ in range(4)])
    assert sorted(made) == [2, 3, 4, 5]
    folder = crm.settings.keys_folder
    assert {path.name for path in folder.iterdir()} == {f"token-{number}.key" for number in range(1, 6)}
    assert len({path.read_bytes() for path in folder.iterdir()}) == 5
    assert [key.number for key in keys(crm) if key.signs] == [5]


def _serve(settings: Settings, pipe: Connection) -> None:
    """What an API process does: it reads tokens, from before and after a rotation in another process."""
    ring = Keyring.of(settings, "here")
    pipe.send(ring.fingerprint("x"))
    while token := pipe.recv():
        try:
            now = FrozenClock(signing_keys.files(settings.keys_folder)[0].made).now()
            pipe.send(Keyring.of(settings, "here").read(token, "access", now)["sub"])
        except NotAuthenticated:
            pipe.send(None)


def test_a_rotation_is_seen_by_a_process_that_runs_already(crm: Crm, add_user: AddUser) -> None:
    add_user(crm)
    ours, theirs = multiprocessing.Pipe()
    other = multiprocessing.get_context("spawn").Process(target=_serve, args=(crm.settings, theirs))
    other.start()
    assert ours.recv()
    expires = signing_keys.files(crm.settings.keys_folder)[0].made + timedelta(minutes=5)
    for expected in ("1", "2"):
        token = Keyring.of(crm.settings, "here").sign(
            {"sub": expected, "use": "access"}, issued=expires, expires=expires
        )
        ours.send(token)
        assert (kid(token), ours.recv()) == (expected, expected)
        rotate(crm)
    ours.send("")
    other.join(30)
    assert other.exitcode == 0


def test_a_rotation_that_cannot_be_written_down_makes_no_key(crm: Crm) -> None:
    Keyring.of(crm.settings, "here")
    with crm.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ProgramOutdated):
        rotate(crm)
    assert [path.name for path in crm.settings.keys_folder.iterdir()] == ["token-1.key"]


@pytest.mark.req("PLT-227")
def test_a_secret_of_the_configuration_is_replaced_there_and_that_ends_every_session(
    crm: Crm, add_user: AddUser
) -> None:
    add_user(crm)

    def with_secret(letter: str) -> Crm:
        settings = crm.settings.model_copy(update={"jwt_secret": SecretStr(letter * 64)})
        return Crm(settings, crm.engine, crm.clock, crm.vault)

    first, second = with_secret("a"), with_secret("b")
    session = tokens_of(first)
    with pytest.raises(Conflict, match="jwt_secret in the configuration") as told:
        rotate(first)
    assert "ends all sessions" in told.value.message
    assert list(keys(first)) == []
    assert remove(first) == []
    assert who(first, session.access_token)
    with pytest.raises(NotAuthenticated):
        who(second, session.access_token)
    with pytest.raises(NotAuthenticated):
        refresh(second, session.refresh_token)
