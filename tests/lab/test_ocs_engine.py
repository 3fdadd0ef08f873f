"""The balance rules by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicrm_tui.lab import ocs_engine as engine
from omnicrm_tui.lab.ocs_engine import Account, Balance, BalanceFilter
from omnicrm_tui.lab.ocs_errors import OcsError

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DATA = "*data"

amounts = st.decimals(min_value=0, max_value=10**12, places=5)
signed = st.decimals(min_value=-(10**6), max_value=10**12, places=5)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    pots = [
        Balance(
            uuid=str(number),
            id=f"pot {number}",
            value=draw(signed),
            weight=draw(st.sampled_from([0.0, 1.0, 10.0, 20.0])),
            expires=draw(st.sampled_from([None, NOW + timedelta(days=1), NOW - timedelta(seconds=1)])),
            disabled=draw(st.booleans()),
            blocker=draw(st.integers(0, 4)) == 0,
            categories=draw(st.sampled_from([None, {}, {"*any": True}, {"data": True}, {"call": True}])),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    return Account("t:a", {DATA: pots}, allow_negative=draw(st.booleans()))


def values(account: Account) -> dict[str, Decimal]:
    return {pot.uuid: pot.value for pot in account.balances[DATA]}


@pytest.mark.req("BIL-175")
@given(accounts(), amounts)
def test_usage_is_conserved_and_taken_heaviest_first(account: Account, units: Decimal) -> None:
    before = values(account)
    left = engine.consume(account, DATA, units, NOW, "data")
    after = values(account)
    taken = sum(before.values()) - sum(after.values())
    assert taken + left == units
    assert 0 <= left <= units
    usable = [p for p in account.live(DATA, NOW) if not p.disabled and (p.categories or {}).keys() != {"call"}]
    drawn = [p for p in account.balances[DATA] if before[p.uuid] != after[p.uuid]]
    assert all(pot in usable for pot in drawn)
    for pot in drawn:
        heavier = [p for p in usable if p.weight > pot.weight]
        assert all(p.value <= 0 for p in heavier), "a lighter pot was touched while a heavier one had something left"
        assert not any(p.blocker for p in heavier), "a blocker lets nothing lighter be touched"


@given(st.lists(amounts, max_size=8), st.lists(amounts, max_size=8))
def test_adding_and_debiting_one_balance_sums_up_exactly(added: list[Decimal], taken: list[Decimal]) -> None:
    account = Account("t:a")
    for amount in added:
        engine.top_up(account, DATA, BalanceFilter(id="D", value=amount), NOW)
    for amount in taken:
        engine.debit(account, DATA, BalanceFilter(id="D", value=amount), NOW)
    held = sum((pot.value for pot in account.balances.get(DATA, [])), Decimal(0))
    assert held == sum(added, Decimal(0)) - sum(taken, Decimal(0))
    assert len(account.balances.get(DATA, [])) == (1 if added or taken else 0)


@given(amounts, amounts, amounts)
def test_a_transfer_moves_and_makes_nothing(first: Decimal, second: Decimal, units: Decimal) -> None:
    source = Account("t:a", {DATA: [Balance("1", "S", first)]})
    target = Account("t:b", {DATA: [Balance("2", "T", second)]})
    try:
        engine.transfer(source, "S", target, "T", units, NOW)
    except OcsError:
        assert units == 0 or units > first
        assert (source.balances[DATA][0].value, target.balances[DATA][0].value) == (first, second)
        return
    assert source.balances[DATA][0].value == first - units
    assert target.balances[DATA][0].value == second + units


@given(accounts())
def test_an_account_survives_being_written_down(account: Account) -> None:
    assert engine.read_account(account.id, engine.account_doc(account)) == account


def test_a_balance_lives_through_the_moment_of_its_expiry() -> None:
    pot = Balance(expires=NOW)
    assert not pot.expired(NOW)
    assert pot.expired(NOW + timedelta(microseconds=1))


def test_an_expired_balance_is_not_added_to() -> None:
    account = Account("t:a", {DATA: [Balance("1", "D", Decimal(5), NOW - timedelta(days=1))]})
    engine.top_up(account, DATA, BalanceFilter(id="D", value=Decimal(7)), NOW)
    account.drop_expired(NOW)
    assert [pot.value for pot in account.balances[DATA]] == [7]


def test_setting_an_unknown_uuid_is_an_error() -> None:
    with pytest.raises(OcsError, match="cannot find balance"):
        engine.set_balance(Account("t:a"), DATA, BalanceFilter(uuid="nobody", value=Decimal(1)), NOW)
