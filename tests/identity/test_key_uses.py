"""What API keys, configured keys and whitelisted addresses are used for, counted without a write for each."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from omnicrm_tui.chores import clean
from omnicrm_tui.clock import FrozenClock
from omnicrm_tui.crm import Crm
from omnicrm_tui.errors import Conflict
from omnicrm_tui.identity.access import KeyRefused
from omnicrm_tui.identity.actor import Actor, visitor
from omnicrm_tui.identity.keeper import Keeper
from omnicrm_tui.identity.key_schemas import Use
from omnicrm_tui.identity.models import KeyUse
from omnicrm_tui.identity.use_counter import UseCounter, write_uses
from omnicrm_tui.settings import ApiKey as ConfiguredKey
from omnicrm_tui.settings import WhitelistEntry
from tests.identity.conftest import HERE, AddUser
from tests.identity.keys_in_hand import entries, holder, make


@pytest.mark.req("PLT-248", "PLT-249", "PLT-250", "PLT-262", "PLT-275", "PLT-276")
def test_every_use_is_counted_and_seen_with_its_address(
    any_crm: Crm, admin: Actor, add_user: AddUser, clock: FrozenClock
) -> None:
    add_user(any_crm, "root", "System Admin")
    made = make(any_crm, admin)
    counter = UseCounter()
    for source in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        counter.counted(lambda source=source: holder(any_crm, made.api_key, source), source, clock.now())  # type: ignore[misc]
        clock.advance(timedelta(seconds=10))
    write_uses(any_crm, counter)
    clock.advance(timedelta(days=1))
    counter.counted(lambda: holder(any_crm, made.api_key), "192.0.2.7", clock.now())
    write_uses(any_crm, counter)
    write_uses(any_crm, counter)
    with any_crm.reading(admin) as work:
        seen = work.identity.api_key(made.api_key_id)
    assert (seen.use_count, seen.last_used, seen.last_used_address) == (4, clock.now(), "192.0.2.7")
    assert seen.version == 1
    assert [(use.day.day, use.address, use.uses, use.refused) for use in seen.uses] == [
        (22, "192.0.2.7", 1, 0),
        (21, "192.0.2.8", 1, 0),
        (21, "192.0.2.7", 2, 0),
    ]
    assert (seen.uses[2].last_use - seen.uses[2].first_use).seconds == 10
    assert entries(any_crm, admin) == [
        ("API key created", "admin", ""),
        ("Access used from a new address", "API key Billing", "192.0.2.7"),
        ("Access used from a new address", "API key Billing", "192.0.2.8"),
    ]


@pytest.mark.req("PLT-265", "PLT-275", "PLT-276")
def test_what_a_revoked_key_still_tries_is_seen(staffed: Crm, admin: Actor, clock: FrozenClock) -> None:
    made = make(staffed, admin)
    with staffed.as_actor(admin) as work:
        work.identity.revoke_api_key(made.api_key_id)
    counter = UseCounter()
    for _ in range(3):
        with pytest.raises(KeyRefused):
            counter.counted(lambda: holder(staffed, made.api_key), HERE, clock.now())
    write_uses(staffed, counter)
    with staffed.reading(admin) as work:
        seen = work.identity.api_key(made.api_key_id)
    assert (seen.use_count, seen.last_used) == (0, None)
    assert [(use.uses, use.refused) for use in seen.uses] == [(0, 3)]
    assert entries(staffed, admin)[-1] == ("Revoked or expired API key tried", "API key Billing", HERE)


@pytest.mark.req("CAT-182", "PLT-454", "PLT-455", "CAT-180")
def test_keys_and_addresses_of_the_configuration_are_counted_too(
    staffed: Crm, admin: Actor, clock: FrozenClock
) -> None:
    key = "abcd" + "k" * 32 + "wxyz"
    changes = {
        "api_keys": {key: ConfiguredKey(roles=["view_customer"], ips=["10.0.0.0/8"], description="billing")},
        "ip_whitelist": {"10.0.0.0/24": WhitelistEntry(roles=["view_product"]), "8.8.8.8": WhitelistEntry(roles=["x"])},
    }
    crm = Crm(staffed.settings.model_copy(update=changes), staffed.engine, clock, staffed.vault)
    counter = UseCounter()
    for _ in range(2):
        counter.counted(lambda: holder(crm, key, "10.0.0.9"), "10.0.0.9", clock.now())
    with crm.reading(visitor("10.0.0.7")) as work:
        actor = work.identity.actor_of_address("10.0.0.7")
    assert actor is not None
    counter.counted(lambda: actor, "10.0.0.7", clock.now())
    write_uses(crm, counter)
    with crm.reading(admin) as work:
        rows = work.identity.configured_access()
    assert [(row.kind, row.name, row.use_count, row.last_used_address) for row in rows] == [
        ("key", "abcd...wxyz", 2, "10.0.0.9"),
        ("address", "10.0.0.0/24", 1, "10.0.0.7"),
        ("address", "8.8.8.8", 0, ""),
    ]
    assert any("is public" in problem for problem in rows[2].problems)
    assert key not in repr(rows)
    with crm.reading(admin) as work:
        assert key not in repr(work.session.scalars(select(KeyUse.credential)).all())


def test_uses_that_cannot_be_written_are_written_later(
    staffed: Crm, admin: Actor, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(staffed, admin)
    counter = UseCounter()
    counter.counted(lambda: holder(staffed, made.api_key), HERE, clock.now())
    with monkeypatch.context() as patched:
        patched.setattr(Crm, "as_actor", _refusing)
        write_uses(staffed, counter)
    counter.counted(lambda: holder(staffed, made.api_key), HERE, clock.now())
    write_uses(staffed, counter)
    with staffed.reading(admin) as work:
        assert work.identity.api_key(made.api_key_id).use_count == 2


def _refusing(*_arguments: object) -> None:
    raise Conflict("locked")


def test_a_server_writes_what_is_left_when_it_ends(staffed: Crm, admin: Actor, clock: FrozenClock) -> None:
    made = make(staffed, admin)
    counter = UseCounter()
    keeper = Keeper("uses", counter.noted, partial(write_uses, staffed, counter), 60)
    keeper.start()
    for _ in range(5):
        counter.counted(lambda: holder(staffed, made.api_key), HERE, clock.now())
    keeper.stop()
    with staffed.reading(admin) as work:
        assert work.identity.api_key(made.api_key_id).use_count == 5


def test_counts_are_deleted_after_ninety_days(staffed: Crm, admin: Actor, clock: FrozenClock) -> None:
    made = make(staffed, admin)
    for _ in range(2):
        use = Use(f"key {made.api_key_id}", HERE, clock.now(), clock.now(), uses=1)
        with staffed.as_actor(admin) as work:
            work.identity.record_uses([use])
        clock.advance(timedelta(days=60))
    assert clean(staffed) == 1
    with staffed.reading(admin) as work:
        seen = work.identity.api_key(made.api_key_id)
    assert (len(seen.uses), seen.use_count) == (1, 2)
