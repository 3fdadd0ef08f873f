"""The charging engine's balance rules: pure, without storage, transport or a clock of their own.

As CGRateS v0.11 keeps them: adding to a balance keeps its old expiry, setting it moves it, a debit goes below
zero, an expired balance is gone, and usage takes from the heaviest balance first (BIL-175).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final
from uuid import uuid4

from omnicrm_tui.lab.ocs_errors import OcsError

DEFAULT_BALANCE: Final = "*default"
_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)
_PLACES: Final = Decimal("0.00001")

Flags = dict[str, bool]


@dataclass(slots=True)
class Balance:
    """One pot of units: money, bytes, nanoseconds of voice or messages."""

    uuid: str = ""
    id: str = ""
    value: Decimal = Decimal(0)
    expires: datetime | None = None
    weight: float = 0.0
    destination_ids: Flags | None = None
    rating_subject: str = ""
    categories: Flags | None = None
    shared_groups: Flags | None = None
    timing_ids: Flags | None = None
    factors: dict[str, Any] | None = None
    disabled: bool = False
    blocker: bool = False

    def expired(self, now: datetime) -> bool:
        """Tell whether its last moment has passed."""
        return self.expires is not None and self.expires < now

    def change_value(self, value: Decimal) -> None:
        """Set the value, rounded half-up at five decimals."""
        self.value = _EXACT.quantize(value, _PLACES).normalize(_EXACT)


@dataclass(slots=True)
class BalanceFilter:
    """What a request says of a balance; None where it says nothing."""

    uuid: str | None = None
    id: str | None = None
    value: Decimal | None = None
    expires: datetime | None = None
    expires_set: bool = False
    weight: float | None = None
    destination_ids: Flags | None = None
    rating_subject: str | None = None
    categories: Flags | None = None
    shared_groups: Flags | None = None
    timing_ids: Flags | None = None
    factors: dict[str, Any] | None = None
    disabled: bool | None = None
    blocker: bool | None = None

    def matches(self, balance: Balance) -> bool:
        """Tell whether the balance is meant: by uuid, else by id, else by everything that is said."""
        if self.uuid:
            return balance.uuid == self.uuid
        if self.id:
            return balance.id == self.id
        if self.expires_set and balance.expires != self.expires:
            return False
        same = ("weight", "blocker", "disabled", "rating_subject")
        within = ("destination_ids", "categories", "shared_groups", "timing_ids")
        return all(getattr(self, name) in (None, getattr(balance, name)) for name in same) and all(
            (getattr(self, name) or {}).items() <= (getattr(balance, name) or {}).items() for name in within
        )

    def create(self, value: Decimal) -> Balance:
        """Make a new balance with everything that is said and the given value."""
        balance = Balance(
            uuid=new_uuid(), destination_ids={}, categories={}, shared_groups={}, timing_ids={}, factors=None
        )
        if self.id == DEFAULT_BALANCE:
            balance = Balance(uuid=new_uuid(), id=DEFAULT_BALANCE)
        else:
            self.apply_to(balance)
        balance.change_value(value)
        return balance

    def apply_to(self, balance: Balance) -> None:
        """Write everything that is said into the balance."""
        if self.value is not None:
            balance.change_value(self.value)
        if self.id == DEFAULT_BALANCE:
            balance.id = DEFAULT_BALANCE
            return
        if self.expires_set:
            balance.expires = self.expires
        for name in _PLAIN_FIELDS:
            said = getattr(self, name)
            if said is not None:
                setattr(balance, name, dict(said) if isinstance(said, dict) else said)


_PLAIN_FIELDS: Final = tuple(
    f.name for f in fields(BalanceFilter) if f.name not in ("uuid", "value", "expires", "expires_set")
)


@dataclass(slots=True)
class Account:
    """A customer service in the OCS; `id` is "tenant:account", `balances` maps a type to its pots."""

    id: str
    balances: dict[str, list[Balance]] = field(default_factory=dict)
    allow_negative: bool = False
    disabled: bool = False

    def live(self, kind: str, now: datetime) -> list[Balance]:
        """Return the balances of a type that have not expired, oldest first."""
        return [balance for balance in self.balances.get(kind, []) if not balance.expired(now)]

    def drop_expired(self, now: datetime) -> None:
        """Forget expired balances; a type that had some stays known, with none."""
        for kind in self.balances:
            self.balances[kind] = self.live(kind, now)


def new_uuid() -> str:
    """Return a fresh identity for a balance or a timing."""
    return str(uuid4())


def top_up(account: Account, kind: str, wanted: BalanceFilter, now: datetime, *, reset: bool = False) -> None:
    """Add the value to every matching balance, from zero with `reset`; create one where none matches."""
    _move(account, kind, wanted, now, reset=reset, change=wanted.value or Decimal(0))


def debit(account: Account, kind: str, wanted: BalanceFilter, now: datetime, *, reset: bool = False) -> None:
    """Take the value from every matching balance, below zero if need be; create one where none matches."""
    _move(account, kind, wanted, now, reset=reset, change=-(wanted.value or Decimal(0)))


def _move(account: Account, kind: str, wanted: BalanceFilter, now: datetime, *, reset: bool, change: Decimal) -> None:
    matching = [balance for balance in account.live(kind, now) if wanted.matches(balance)]
    for balance in matching:
        balance.change_value(_EXACT.add(Decimal(0) if reset else balance.value, change))
    if not matching:
        account.balances.setdefault(kind, []).append(wanted.create(change))


def set_balance(account: Account, kind: str, wanted: BalanceFilter, now: datetime) -> None:
    """Make the balance what the request says, its expiry included; create it where its id is unknown.

    Raises OcsError for a uuid that no live balance has.
    """
    if wanted.uuid:
        found = _first(account, lambda balance: balance.uuid == wanted.uuid, now)
        if found is None:
            raise OcsError(f"cannot find balance with uuid: <{wanted.uuid}>")
        wanted.apply_to(found)
        return
    for balance in account.live(kind, now):
        if balance.id == wanted.id:
            wanted.apply_to(balance)
            return
    created = Balance(uuid=new_uuid())
    wanted.apply_to(created)
    account.balances.setdefault(kind, []).append(created)


def remove_balances(account: Account, kind: str | None, wanted: BalanceFilter) -> None:
    """Remove the matching balances of a type (of all types for None); raises OcsError when there is none."""
    found = False
    for name in account.balances:
        if kind and name != kind:
            continue
        kept = [balance for balance in account.balances[name] if not wanted.matches(balance)]
        found = found or len(kept) < len(account.balances[name])
        account.balances[name] = kept
    if not found:
        raise OcsError("NOT_FOUND")


def transfer(source: Account, source_id: str, target: Account, target_id: str, units: Decimal, now: datetime) -> None:
    """Move units between balances of the same type; the target balance is created where it is missing.

    Raises OcsError when the source balance is unknown, expired or holds too little, or units are zero.
    """
    for kind in source.balances:
        giver = _first(source, lambda balance: balance.id == source_id, now, kind)
        if giver is None:
            continue
        taker = _first(target, lambda balance: balance.id == target_id, now, kind) or Balance(new_uuid(), target_id)
        _check_transfer(giver, taker, units)
        if all(balance is not taker for balance in target.balances.get(kind, [])):
            target.balances.setdefault(kind, []).append(taker)
        giver.change_value(_EXACT.subtract(giver.value, units))
        taker.change_value(_EXACT.add(taker.value, units))
        return
    raise OcsError("source balance not found or expired")


def _check_transfer(giver: Balance, taker: Balance, units: Decimal) -> None:
    if units == 0:
        raise OcsError("transfer amount is missing or 0")
    if giver.id != DEFAULT_BALANCE and units > giver.value:
        raise OcsError(f'insufficient credits in source balance "{giver.id}"')
    if taker.id != DEFAULT_BALANCE and -units > taker.value:
        raise OcsError(f'insufficient credits in destination balance "{taker.id}"')


def consume(account: Account, kind: str, units: Decimal, now: datetime, category: str = "") -> Decimal:
    """Take usage from the balances of a type, heaviest first, and return what they could not cover.

    A balance limited to other categories is passed over, and nothing lighter than a blocker is touched. An
    account that may go negative owes the rest on its last usable balance, so that nothing stays uncovered.
    """
    usable: list[Balance] = []
    for balance in sorted(account.live(kind, now), key=lambda item: -item.weight):
        if balance.disabled or not _serves(balance, category):
            continue
        usable.append(balance)
        if balance.blocker:
            break
    left = units
    for balance in usable:
        taken = min(left, max(balance.value, Decimal(0)))
        balance.change_value(_EXACT.subtract(balance.value, taken))
        left = _EXACT.subtract(left, taken)
    if left and account.allow_negative and usable:
        usable[-1].change_value(_EXACT.subtract(usable[-1].value, left))
        left = Decimal(0)
    return left


def _serves(balance: Balance, category: str) -> bool:
    wanted = balance.categories or {}
    return not wanted or "*any" in wanted or wanted.get(category, False)


def _first(account: Account, test: Callable[[Balance], bool], now: datetime, kind: str | None = None) -> Balance | None:
    kinds = account.balances if kind is None else (kind,)
    return next((b for name in kinds for b in account.live(name, now) if test(b)), None)


def account_doc(account: Account) -> dict[str, Any]:
    """Return the account as JSON can hold it."""
    return {
        "allow_negative": account.allow_negative,
        "disabled": account.disabled,
        "balances": {kind: [_balance_doc(b) for b in pots] for kind, pots in account.balances.items()},
    }


def read_account(account_id: str, doc: Mapping[str, Any]) -> Account:
    """Rebuild an account from `account_doc`."""
    return Account(
        id=account_id,
        allow_negative=doc["allow_negative"],
        disabled=doc["disabled"],
        balances={kind: [_read_balance(b) for b in pots] for kind, pots in doc["balances"].items()},
    )


def _balance_doc(balance: Balance) -> dict[str, Any]:
    doc = {f.name: getattr(balance, f.name) for f in fields(Balance)}
    doc["value"] = str(balance.value)
    doc["expires"] = balance.expires.isoformat() if balance.expires else None
    return doc


def _read_balance(doc: Mapping[str, Any]) -> Balance:
    expires = datetime.fromisoformat(doc["expires"]) if doc["expires"] else None
    return Balance(**{**doc, "value": Decimal(doc["value"]), "expires": expires})
