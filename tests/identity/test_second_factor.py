"""Second factors: enrolment, codes that open once, codes on paper, new devices, resets and the operator's policy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, text

from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import AccountLocked, Conflict, CrmError, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from omnicrm_tui.identity import totp
from omnicrm_tui.identity.actor import Actor, ActorKind, visitor
from omnicrm_tui.identity.models import User
from omnicrm_tui.identity.schemas import Enrolment, LoginResult, UserChange
from tests.identity.conftest import HERE, PASSWORD, AddUser
from tests.identity.log_ins import actions, login, together, who
from tests.identity.test_notices import mails


def code_of(secret: str, clock: FrozenClock, shift: int = 0) -> str:
    """Return what an authenticator shows, `shift` steps of 30 seconds from now."""
    return totp.code_at(secret, int(clock.now().timestamp()) // totp.STEP_SECONDS + shift)


def wrong_code(secret: str, clock: FrozenClock) -> str:
    right = {code_of(secret, clock, shift) for shift in (-1, 0, 1)}
    return next(code for code in ("000000", "000001", "000002", "000003") if code not in right)


def actor_of(crm: Crm, user_id: int) -> Actor:
    with crm.reading(visitor(HERE)) as work:
        return work.identity.actor_of_user(user_id, HERE)


def enable(crm: Crm, user_id: int, password: str = PASSWORD) -> Enrolment:
    with crm.as_actor(actor_of(crm, user_id)) as work:
        return work.second_factor.enable(user_id, password)


def confirm(crm: Crm, user_id: int, code: str) -> None:
    with crm.as_actor(actor_of(crm, user_id)) as work:
        work.second_factor.confirm(user_id, code)


def enrol(crm: Crm, clock: FrozenClock, user_id: int) -> Enrolment:
    """Turn the second factor on, and wait until the code that did it is over."""
    enrolment = enable(crm, user_id)
    confirm(crm, user_id, code_of(enrolment.secret, clock))
    clock.advance(timedelta(seconds=60))
    return enrolment


def verify(crm: Crm, code: str, challenge: str = "") -> LoginResult:
    challenge = challenge or login(crm).challenge_token
    with crm.as_actor(visitor(HERE)) as work:
        return work.second_factor.verify(challenge, code, HERE)


def state(crm: Crm, admin: Actor, user_id: int) -> tuple[bool, bool, int]:
    with crm.reading(admin) as work:
        found = work.second_factor.state(user_id)
    return found.enabled, found.pending, found.unused_codes


@pytest.mark.req("PLT-167", "PLT-559", "PLT-166")
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """Appendix B, SHA-1; it prints eight digits, authenticators show the last six."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.code_at(secret, seconds // 30) == code[-6:]
    now = datetime.fromtimestamp(seconds, UTC)
    for late, found in ((0, seconds // 30), (30, seconds // 30), (60, None)):
        assert totp.matching_step(secret, code[-6:], now + timedelta(seconds=late)) == found


@pytest.mark.req("PLT-188", "PLT-190", "PLT-192", "PLT-229", "BIL-410", "BIL-411", "BIL-423", "PLT-591", "PLT-225")
def test_it_is_on_once_a_code_shows_that_the_authenticator_has_the_secret(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    with pytest.raises(InvalidInput) as refused:
        enable(any_crm, user_id, "Wrong-Horse9")
    assert set(refused.value.fields) == {"password"}
    assert state(any_crm, admin, user_id) == (False, False, 0)
    enrolment = enable(any_crm, user_id)
    assert len(set(enrolment.backup_codes)) == 10
    assert all(len(code) == 8 and code.isdigit() for code in enrolment.backup_codes)
    address = urlsplit(enrolment.uri)
    assert (address.scheme, address.netloc, address.path) == ("otpauth", "totp", "/OmniCRM:ada@mail.example")
    assert parse_qs(address.query) == {"secret": [enrolment.secret], "issuer": ["OmniCRM"]}
    assert state(any_crm, admin, user_id) == (False, True, 10)
    assert login(any_crm).tokens
    with pytest.raises(InvalidInput):
        confirm(any_crm, user_id, wrong_code(enrolment.secret, clock))
    assert not login(any_crm).requires_2fa
    code = code_of(enrolment.secret, clock)
    confirm(any_crm, user_id, code)
    assert state(any_crm, admin, user_id) == (True, False, 10)
    result = login(any_crm)
    assert (result.requires_2fa, result.tokens, result.user_id) == (True, None, user_id)
    with pytest.raises(NotAuthenticated):
        verify(any_crm, code, result.challenge_token)
    with pytest.raises(Conflict):
        enable(any_crm, user_id)
    told = actions(any_crm, admin)
    assert ("Second factor: a secret was issued", "ada", HERE) in told
    assert ("Second factor turned on", "ada", HERE) in told


@pytest.mark.req("PLT-173", "BIL-424", "PLT-230", "PLT-184")
def test_a_second_factor_is_asked_for_and_its_code_opens_once(
    any_crm: Crm, clock: FrozenClock, add_user: AddUser
) -> None:
    secret = enrol(any_crm, clock, add_user(any_crm)).secret
    challenge = login(any_crm).challenge_token
    with pytest.raises(NotAuthenticated):
        who(any_crm, challenge)
    with pytest.raises(NotAuthenticated):
        verify(any_crm, wrong_code(secret, clock), challenge)
    code = code_of(secret, clock)
    opened = verify(any_crm, code, challenge).tokens
    assert opened is not None
    for again in (challenge, login(any_crm).challenge_token):
        with pytest.raises(NotAuthenticated):
            verify(any_crm, code, again)
    with pytest.raises(NotAuthenticated):
        verify(any_crm, code, opened.access_token)
    clock.advance(timedelta(minutes=5))
    with pytest.raises(NotAuthenticated):
        verify(any_crm, code_of(secret, clock), challenge)


@pytest.mark.req("PLT-173", "PLT-181")
def test_a_challenge_is_over_with_the_log_in_that_it_is_for_and_with_the_password(
    any_crm: Crm, clock: FrozenClock, add_user: AddUser
) -> None:
    """Nor does it count against anybody then: who holds an old one locks nobody with it."""
    user_id = add_user(any_crm)
    enrolment = enrol(any_crm, clock, user_id)
    used = login(any_crm).challenge_token
    assert verify(any_crm, code_of(enrolment.secret, clock), used).tokens
    waiting = login(any_crm).challenge_token
    with any_crm.as_actor(visitor(HERE)) as work:
        work.identity.change_password(user_id, PASSWORD, "Another-Horse7", HERE)
    for over in (used, waiting):
        for code in enrolment.backup_codes[:6]:
            with pytest.raises(NotAuthenticated, match="Begin it again"):
                verify(any_crm, code, over)
    assert verify(any_crm, enrolment.backup_codes[0], login(any_crm, password="Another-Horse7").challenge_token).tokens


@pytest.mark.req("PLT-167", "PLT-559")
def test_a_clock_may_be_one_step_off_and_no_older_code_follows_a_newer_one(
    any_crm: Crm, clock: FrozenClock, add_user: AddUser
) -> None:
    secret = enrol(any_crm, clock, add_user(any_crm)).secret
    for shift in (-2, 2):
        with pytest.raises(NotAuthenticated):
            verify(any_crm, code_of(secret, clock, shift))
    assert verify(any_crm, code_of(secret, clock, -1)).tokens
    assert verify(any_crm, code_of(secret, clock, 1)).tokens
    with pytest.raises(NotAuthenticated):
        verify(any_crm, code_of(secret, clock))


@pytest.mark.req("PLT-194", "PLT-224", "PLT-181")
@pytest.mark.parametrize("kind", ["authenticator", "backup"])
def test_of_many_with_the_same_code_at_once_one_gets_in(
    any_crm: Crm, clock: FrozenClock, add_user: AddUser, kind: str
) -> None:
    enrolment = enrol(any_crm, clock, add_user(any_crm))
    code = code_of(enrolment.secret, clock) if kind == "authenticator" else enrolment.backup_codes[0]
    challenges = [login(any_crm).challenge_token for _ in range(4)]
    opened: list[LoginResult] = []

    def use(challenge: str) -> None:
        with suppress(NotAuthenticated, AccountLocked):
            opened.append(verify(any_crm, code, challenge))

    together([lambda c=c: use(c) for c in challenges])
    assert len(opened) == 1


@pytest.mark.req("PLT-181", "PLT-194", "PLT-233", "PLT-224", "PLT-149", "BIL-412", "BIL-425", "PLT-560", "PLT-591")
def test_each_backup_code_stands_in_once_however_it_is_typed(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    codes = enrol(any_crm, clock, user_id).backup_codes
    assert verify(any_crm, codes[0]).tokens
    assert verify(any_crm, f" {codes[1][:4]}-{codes[1][4:]} ").tokens
    for used in codes[:2]:
        with pytest.raises(NotAuthenticated):
            verify(any_crm, used)
    assert state(any_crm, admin, user_id) == (True, False, 8)
    assert actions(any_crm, admin).count(("Backup code used", "ada", HERE)) == 2
    with any_crm.engine.connect() as connection:
        stored = connection.execute(text("SELECT code_hash FROM crm_backup_code")).scalars().all()
    assert len(set(stored)) == 10
    assert not any(code in kept for code in codes for kept in stored)


@pytest.mark.req("PLT-181", "PLT-591")
def test_the_other_printed_form_is_taken_too(crm: Crm, clock: FrozenClock, add_user: AddUser) -> None:
    """Eight hexadecimal digits, as the guide's first sample has them."""
    from omnicrm_tui.identity import second_factor
    from omnicrm_tui.identity.models import BackupCode

    user_id = add_user(crm)
    secret = enrol(crm, clock, user_id).secret
    with crm.as_actor(visitor(HERE)) as work:
        work.session.add(BackupCode(user_id=user_id, code_hash=second_factor._keyed(secret, "3fa5b9c2")))
    assert verify(crm, "3FA5 B9C2").tokens


@pytest.mark.req("PLT-237")
def test_ones_own_new_backup_codes_ask_for_the_password(any_crm: Crm, clock: FrozenClock, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    old = enrol(any_crm, clock, user_id).backup_codes
    for password in ("", "Wrong-Horse9"):
        with pytest.raises(InvalidInput, match="password"), any_crm.as_actor(actor_of(any_crm, user_id)) as work:
            work.second_factor.regenerate_backup_codes(user_id, password)
    assert verify(any_crm, old[3]).tokens


@pytest.mark.req("PLT-237", "BIL-413", "BIL-425", "PLT-194", "PLT-233")
def test_new_backup_codes_replace_all_old_ones(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    with pytest.raises(Conflict), any_crm.as_actor(admin) as work:
        work.second_factor.regenerate_backup_codes(user_id)
    old = enrol(any_crm, clock, user_id).backup_codes
    for actor in (actor_of(any_crm, user_id), admin):
        with any_crm.as_actor(actor) as work:
            new = work.second_factor.regenerate_backup_codes(user_id, PASSWORD if actor is not admin else "")
        assert not set(new) & set(old)
        with pytest.raises(NotAuthenticated):
            verify(any_crm, old[3])
        assert verify(any_crm, new[3]).tokens
        old = new
    assert state(any_crm, admin, user_id) == (True, False, 9)


@pytest.mark.req("BIL-415", "BIL-427")
def test_a_backup_code_takes_the_second_factor_to_a_new_device(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    old = enrol(any_crm, clock, user_id)
    actor = actor_of(any_crm, user_id)

    def move(code: str) -> Enrolment:
        with any_crm.as_actor(actor) as work:
            return work.second_factor.reset_for_new_device(user_id, code)

    with pytest.raises(NotAuthenticated):
        move("00000000" if "00000000" not in old.backup_codes else "00000001")
    new = move(old.backup_codes[0])
    assert new.secret != old.secret
    assert state(any_crm, admin, user_id) == (True, False, 10)
    for gone in (code_of(old.secret, clock), old.backup_codes[1]):
        with pytest.raises(NotAuthenticated):
            verify(any_crm, gone)
    confirm(any_crm, user_id, code_of(new.secret, clock))
    clock.advance(timedelta(seconds=60))
    assert verify(any_crm, code_of(new.secret, clock)).tokens
    assert verify(any_crm, new.backup_codes[0]).tokens


@pytest.mark.req("BIL-414", "BIL-426", "PLT-592", "PLT-146", "PLT-229")
def test_after_an_administrators_reset_the_password_is_enough_and_the_user_turns_it_on_again(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    enrol(any_crm, clock, user_id)
    with any_crm.as_actor(admin) as work:
        work.identity.reset_second_factor(user_id, "Lost the phone; passport seen")
    assert state(any_crm, admin, user_id) == (False, False, 0)
    assert login(any_crm).tokens
    enrol(any_crm, clock, user_id)
    assert login(any_crm).requires_2fa


@pytest.mark.req("PLT-217", "PLT-226")
def test_nobody_touches_the_second_factor_of_somebody_else(
    crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(crm)
    enrol(crm, clock, user_id)
    own = actor_of(crm, user_id)
    colleague = actor_of(crm, add_user(crm, "bob"))
    key = Actor(ActorKind.MACHINE, "key", user_id=user_id, permissions=own.permissions)
    impersonator = Actor(ActorKind.STAFF, "ada", user_id, own.permissions, real_user_id=99)
    chief = Actor(ActorKind.STAFF, "chief", user_id, frozenset({"admin"}), real_user_id=99)
    calls: list[Callable[[Actor], object]] = []

    def call(use: str, *args: object) -> None:
        def run(actor: Actor) -> object:
            with crm.as_actor(actor) as work:
                return getattr(work.second_factor, use)(user_id, *args)

        calls.append(run)

    call("enable", PASSWORD)
    call("confirm", "123456")
    call("reset_for_new_device", "12345678")
    call("regenerate_backup_codes")
    for run in calls:
        for actor in (colleague, key, impersonator, chief):
            with pytest.raises(NotPermitted):
                run(actor)
    for run in calls[:3]:
        with pytest.raises(NotPermitted):
            run(admin)
    with pytest.raises(NotFound), crm.as_actor(admin) as work:
        work.second_factor.state(4711)
    assert state(crm, admin, user_id) == (True, False, 10)


@pytest.mark.req("BIL-422", "PLT-179")
def test_wrong_codes_lock_the_account_although_the_password_is_right_each_time(
    any_crm: Crm, clock: FrozenClock, add_user: AddUser
) -> None:
    """Whoever knows the password must not get as many codes as they like by logging in anew after each."""
    secret = enrol(any_crm, clock, add_user(any_crm)).secret
    answers: list[type[CrmError]] = []
    for _ in range(7):
        try:
            verify(any_crm, wrong_code(secret, clock))
        except CrmError as error:
            answers.append(type(error))
    assert answers == [NotAuthenticated] * 5 + [AccountLocked] * 2
    clock.advance(timedelta(minutes=31))
    assert verify(any_crm, code_of(secret, clock)).tokens


@pytest.mark.req("BIL-422", "PLT-179")
def test_a_changed_password_forgives_no_wrong_code(any_crm: Crm, clock: FrozenClock, add_user: AddUser) -> None:
    """Whoever knows the password may change it as often as they like: codes must not become free by it."""
    user_id = add_user(any_crm)
    secret = enrol(any_crm, clock, user_id).secret
    old, new = PASSWORD, "Another-Horse7"
    for _ in range(4):
        with pytest.raises(NotAuthenticated):
            verify(any_crm, wrong_code(secret, clock))
    with any_crm.as_actor(visitor(HERE)) as work:
        work.identity.change_password(user_id, old, new, HERE)
    challenge = login(any_crm, password=new).challenge_token
    with pytest.raises(NotAuthenticated):
        verify(any_crm, wrong_code(secret, clock), challenge)
    with pytest.raises(AccountLocked):
        verify(any_crm, code_of(secret, clock), challenge)


@pytest.mark.req("PLT-162", "PLT-163", "PLT-164", "PLT-196", "BIL-428")
@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        ({}, set()),
        ({"second_factor_for_staff": True}, {"ada", "bob"}),
        ({"second_factor_roles": ["finance", "Customer"]}, {"bob"}),
    ],
    ids=["nobody", "staff", "a role"],
)
def test_whom_the_policy_asks_may_do_nothing_else_before_and_customers_are_never_asked(
    crm: Crm,
    clock: FrozenClock,
    add_user: AddUser,
    add_contact: Callable[[Crm], tuple[int, int]],
    policy: dict[str, object],
    asked: set[str],
) -> None:
    security = crm.settings.security.model_copy(update=policy)
    crm = Crm(crm.settings.model_copy(update={"security": security}), crm.engine, crm.clock, crm.vault)
    ids = {"ada": add_user(crm, "ada"), "bob": add_user(crm, "bob", role="Finance")}
    ids["zoe"] = add_user(crm, "zoe", role="", contact_id=add_contact(crm)[1])
    results = {name: login(crm, name) for name in ids}
    assert {name for name, result in results.items() if result.actor and result.actor.must_enable_2fa} == asked
    assert {name for name, result in results.items() if not result.permissions} == asked
    assert {name for name, result in results.items() if result.advise_2fa} == {"ada", "bob"}
    for name in asked:
        tokens = results[name].tokens
        assert tokens is not None
        assert not who(crm, tokens.access_token).permissions
        enrol(crm, clock, ids[name])
        assert who(crm, tokens_again(crm, clock, name, ids[name])).may("view_customer")


def tokens_again(crm: Crm, clock: FrozenClock, name: str, user_id: int) -> str:
    with crm.as_actor(actor_of(crm, user_id)) as work:
        code = work.second_factor.regenerate_backup_codes(user_id, PASSWORD)[0]
    tokens = verify(crm, code, login(crm, name).challenge_token).tokens
    assert tokens is not None
    return tokens.access_token


@pytest.mark.req("PLT-196")
def test_the_reminder_can_be_turned_off_and_ends_with_the_enrolment(
    crm: Crm, clock: FrozenClock, add_user: AddUser
) -> None:
    user_id = add_user(crm)
    assert login(crm).advise_2fa
    security = crm.settings.security.model_copy(update={"second_factor_reminder": False})
    quiet = Crm(crm.settings.model_copy(update={"security": security}), crm.engine, crm.clock, crm.vault)
    assert not login(quiet).advise_2fa
    codes = enrol(crm, clock, user_id).backup_codes
    assert not verify(crm, codes[0]).advise_2fa


@pytest.mark.req("BIL-410", "BIL-413", "BIL-415", "BIL-378", "PLT-229")
def test_a_customers_user_looks_after_its_own_second_factor_and_reaches_no_other(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser, add_contact: Callable[[Crm], tuple[int, int]]
) -> None:
    bob = add_user(any_crm, "bob", role="Finance")
    zoe = add_user(any_crm, "zoe", role="", contact_id=add_contact(any_crm)[1])
    enrolment = enrol(any_crm, clock, zoe)
    with any_crm.as_actor(actor_of(any_crm, zoe)) as work:
        assert work.second_factor.state(zoe).enabled
        codes = work.second_factor.regenerate_backup_codes(zoe, PASSWORD)
        assert set(codes).isdisjoint(enrolment.backup_codes)
        assert work.second_factor.reset_for_new_device(zoe, codes[0]).secret != enrolment.secret
        with pytest.raises(NotPermitted):
            work.second_factor.state(bob)
        assert work.session.scalars(select(User)).all() == []
    # Whatever its roles say, nobody else's account is within its reach, and its own only for this.
    careless = Actor(ActorKind.CUSTOMER, "zoe", zoe, frozenset({"admin"}), actor_of(any_crm, zoe).own_customer_id)
    for reach in (
        lambda work: work.second_factor.state(bob),
        lambda work: work.second_factor.regenerate_backup_codes(bob),
        lambda work: work.identity.user(zoe),
        lambda work: work.identity.update_user(zoe, UserChange(contact_id=None, is_customer=False)),
    ):
        with pytest.raises(NotFound), any_crm.as_actor(careless) as work:
            reach(work)


@pytest.mark.req("PLT-225", "BIL-411", "BIL-413", "BIL-415", "BIL-426")
def test_what_is_done_to_a_second_factor_is_told_by_mail(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    enrolment = enrol(any_crm, clock, user_id)
    confirmed_again = code_of(enrolment.secret, clock)
    confirm(any_crm, user_id, confirmed_again)
    verify(any_crm, enrolment.backup_codes[0])
    with any_crm.as_actor(actor_of(any_crm, user_id)) as work:
        codes = work.second_factor.regenerate_backup_codes(user_id, PASSWORD)
    with any_crm.as_actor(actor_of(any_crm, user_id)) as work:
        work.second_factor.reset_for_new_device(user_id, codes[0])
    with any_crm.as_actor(admin) as work:
        work.identity.reset_second_factor(user_id)
    told = mails(any_crm, admin)
    assert {(mail.recipient, mail.kind) for mail in told} == {("ada@mail.example", "userSecondFactor")}
    wanted = ("turned on", "Unused codes left: 9", "were replaced", "to a new device", "took away")
    assert [words in (mail.text or "") for words, mail in zip(wanted, told, strict=True)] == [True] * 5
    assert all(HERE in (mail.text or "") for mail in told[:4])
    assert f"{clock.now():%Y-%m-%d %H:%M} UTC" in (told[-1].text or "")
    secrets = {enrolment.secret, *enrolment.backup_codes, *codes}
    assert not any(secret in (mail.text or "") for mail in told for secret in secrets)


def test_a_customers_user_is_told_of_the_second_factor_too(
    any_crm: Crm, clock: FrozenClock, admin: Actor, add_user: AddUser, add_contact: Callable[[Crm], tuple[int, int]]
) -> None:
    enrol(any_crm, clock, add_user(any_crm, role="Customer", contact_id=add_contact(any_crm)[1]))
    assert [mail.subject for mail in mails(any_crm, admin)] == ["Your second factor is on"]
