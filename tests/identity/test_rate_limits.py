"""What may not be done too often: counted together by all processes, alike for names that exist and that do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from omnicrm_tui import chores
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import CrmError, InvalidInput, NotAuthenticated, NotPermitted
from omnicrm_tui.identity import passwords
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.limits import CODE, LOG_IN, RESET, RateLimited, Rule, limit_of
from omnicrm_tui.identity.models import RateLimit
from omnicrm_tui.identity.rate_limits import network_of
from omnicrm_tui.security_settings import LimitsSection

from .conftest import HERE, PASSWORD, AddUser
from .log_ins import login, refresh, together, tokens_of

pytestmark = pytest.mark.req("PLT-179", "PLT-051")
ADA = "ada@mail.example"


def limited(crm: Crm, **limits: int) -> Crm:
    """Return another process's Crm on the same database, with these limits and no other."""
    none = dict.fromkeys(LimitsSection.model_fields, 0)
    security = crm.settings.security.model_copy(update={"limits": LimitsSection(**(none | limits))})
    return Crm(crm.settings.model_copy(update={"security": security}), crm.engine, crm.clock, crm.vault)


def count(crm: Crm, rule: Rule = LOG_IN, **whose: str) -> None:
    with crm.as_actor(visitor(HERE)) as work:
        work.limits.count(rule, **whose)


def tried(attempt: Callable[[], object]) -> type[CrmError] | None:
    try:
        attempt()
    except CrmError as error:
        return type(error)
    return None


def buckets(crm: Crm) -> list[str]:
    with crm.as_actor(visitor(HERE)) as work:
        return list(work.session.scalars(select(RateLimit.subject)))


def test_two_processes_count_together(any_crm: Crm) -> None:
    one, other = limited(any_crm, login_per_account=3), limited(any_crm, login_per_account=3)
    for crm in (one, other, one):
        count(crm, account=ADA)
    for crm in (one, other):
        with pytest.raises(RateLimited, match=r"Too many attempts\. Try again in 5 minutes\."):
            count(crm, account=ADA)
    count(other, account="bob@mail.example")


def test_of_many_at_once_as_many_pass_as_may(any_crm: Crm) -> None:
    crm, ends = limited(any_crm, login_per_account=5, login_per_address=9), []

    def attempt(number: int) -> None:
        ends.append(tried(lambda: count(crm, source=HERE, account=f"ADA{' ' * (number % 2)}")))

    together([partial(attempt, number) for number in range(12)])
    assert Counter(ends) == {None: 5, RateLimited: 7}


def test_what_was_poured_in_leaks_away_with_time(any_crm: Crm, clock: FrozenClock) -> None:
    crm = limited(any_crm, login_per_account=3)
    for _ in range(3):
        count(crm, account=ADA)
    clock.advance(timedelta(minutes=4, seconds=59))
    with pytest.raises(RateLimited, match=r"Try again in 1 second\."):
        count(crm, account=ADA)
    clock.advance(timedelta(seconds=1))
    count(crm, account=ADA)
    with pytest.raises(RateLimited):
        count(crm, account=ADA)
    clock.advance(timedelta(minutes=15))
    for _ in range(3):
        count(crm, account=ADA)


def test_a_clock_put_back_keeps_nobody_waiting(any_crm: Crm, clock: FrozenClock) -> None:
    crm = limited(any_crm, login_per_account=2)
    for _ in range(2):
        count(crm, account=ADA)
    clock.advance(timedelta(days=-1))
    for _ in range(2):
        count(crm, account=ADA)
    with pytest.raises(RateLimited):
        count(crm, account=ADA)


def test_an_account_is_guarded_against_guesses_from_many_addresses(any_crm: Crm, add_user: AddUser) -> None:
    add_user(any_crm)
    crm = limited(any_crm, login_per_account=4, login_per_address=100)

    def guess(number: int, name: str) -> None:
        source = f"198.51.100.{number}"
        with crm.as_actor(visitor(source)) as work:
            work.identity.login(name, "guess", source)

    ends = [tried(partial(guess, number, ADA)) for number in range(6)]
    assert ends == [NotAuthenticated] * 4 + [RateLimited] * 2


def test_one_address_cannot_try_a_name_after_the_other_nor_use_up_what_accounts_have(any_crm: Crm) -> None:
    crm = limited(any_crm, login_per_account=2, login_per_address=3)
    for name in ("a", "b", "c"):
        count(crm, source="2001:db8::1", account=name)
    for _ in range(3):
        with pytest.raises(RateLimited):
            count(crm, source="2001:db8::ffff:2", account="d")
    for _ in range(2):
        count(crm, source="2001:db8:0:1::1", account="d")


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("somewhere", "somewhere"),
    ],
)
def test_an_ipv6_address_is_counted_by_its_network(source: str, network: str) -> None:
    assert network_of(source) == network


@pytest.mark.req("PLT-171", "BIL-431")
def test_known_and_unknown_names_are_limited_alike_before_anything_is_hashed(
    any_crm: Crm, add_user: AddUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user(any_crm)
    crm = limited(any_crm, login_per_account=3)
    hashed: list[str | None] = []
    verify = passwords.verify
    monkeypatch.setattr(passwords, "verify", lambda known, given: hashed.append(given) or verify(known, given))
    told = []
    for name in ("ada", "nobody"):
        for number in range(5):
            try:
                login(crm, name, f"{name} {number}")
            except CrmError as error:
                told.append((name, type(error), error.message))
    assert [end[1:] for end in told[:5]] == [end[1:] for end in told[5:]]
    assert [end[1] for end in told[:5]] == [NotAuthenticated] * 3 + [RateLimited] * 2
    assert hashed == [f"{name} {number}" for name in ("ada", "nobody") for number in range(3)]
    with pytest.raises(RateLimited):
        login(crm, "Ada", PASSWORD)


def test_the_table_holds_no_names_and_no_addresses(any_crm: Crm) -> None:
    count(any_crm, source=HERE, account=ADA)
    found = buckets(any_crm)
    assert len(found) == 2
    assert all(len(subject) == 64 and set(subject) <= set("0123456789abcdef") for subject in found)


def test_codes_resets_and_renewals_have_limits_of_their_own(any_crm: Crm, add_user: AddUser) -> None:
    add_user(any_crm)
    crm = limited(any_crm, code_per_address=1, reset_per_account=2, reset_per_address=4, refresh_per_account=1)

    def reset(name: str) -> None:
        with crm.as_actor(visitor(HERE)) as work:
            work.password_reset.request(name, HERE)

    def finish() -> None:
        with crm.as_actor(visitor(HERE)) as work:
            work.password_reset.finish("no such code", "Another-Horse9", HERE)

    def code() -> None:
        with crm.as_actor(visitor(HERE)) as work:
            work.second_factor.verify("no challenge", "123456", HERE)

    for name in (ADA, "nobody@mail.example"):
        assert [tried(partial(reset, name)) for _ in range(2)] == [None, None]
    assert tried(lambda: reset("third@mail.example")) is RateLimited
    assert tried(finish) is RateLimited
    assert [tried(code) for _ in range(2)] == [NotAuthenticated, RateLimited]
    tokens = tokens_of(crm)
    renewed = refresh(crm, tokens.refresh_token)
    assert tried(lambda: refresh(crm, renewed.refresh_token)) is RateLimited


def test_a_failed_attempt_stays_counted(any_crm: Crm) -> None:
    crm = limited(any_crm, reset_per_address=1)

    def finish() -> None:
        with crm.as_actor(visitor(HERE)) as work:
            work.password_reset.finish("no such code", "Another-Horse9", HERE)

    assert [tried(finish), tried(finish)] == [InvalidInput, RateLimited]


def test_one_s_own_password_and_backup_codes_are_guessed_no_more_often(any_crm: Crm, add_user: AddUser) -> None:
    user_id = add_user(any_crm)
    crm = limited(any_crm, login_per_account=2)

    def change() -> None:
        with crm.as_actor(visitor(HERE)) as work:
            work.identity.change_password(user_id, "guess", "Another-Horse9", HERE)

    def enable() -> None:
        with crm.reading(visitor(HERE)) as work:
            actor = work.identity.actor_of_user(user_id, HERE)
        with crm.as_actor(actor) as work:
            work.second_factor.enable(user_id, "guess")

    assert [tried(change), tried(enable), tried(change), tried(enable)] == [
        NotAuthenticated,
        InvalidInput,
        RateLimited,
        RateLimited,
    ]


def test_an_administrator_who_unlocks_an_account_lifts_its_limits(
    any_crm: Crm, admin: Actor, add_user: AddUser
) -> None:
    user_id = add_user(any_crm)
    crm = limited(any_crm, login_per_account=5)
    for _ in range(5):
        tried(lambda: login(crm, password="guess"))
    assert tried(lambda: login(crm)) is RateLimited
    with crm.as_actor(admin) as work:
        work.identity.unlock(user_id)
    assert login(crm).tokens is not None


def test_empty_buckets_are_swept_a_handful_at_a_time(
    any_crm: Crm, admin: Actor, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        count(any_crm, account=name)
    clock.advance(timedelta(minutes=1))
    count(any_crm, account="d")
    monkeypatch.setattr(chores, "CLEAN_AT_ONCE", 2)
    assert chores.clean(any_crm) == 3
    assert len(buckets(any_crm)) == 1
    with any_crm.as_actor(visitor(HERE)) as work, pytest.raises(NotPermitted):
        work.limits.delete_empty(1)


@pytest.mark.parametrize(("rule", "kind"), [(LOG_IN, "account"), (CODE, "address"), (RESET, "account")])
def test_nought_is_no_limit(crm: Crm, rule: Rule, kind: str) -> None:
    free = limited(crm)
    assert limit_of(free.settings, rule, kind) is None
    assert limit_of(crm.settings, rule, kind) is not None
    whose: dict[str, Any] = {"source": HERE} if kind == "address" else {"account": ADA}
    for _ in range(400):
        count(free, rule, **whose)
    assert buckets(free) == []
