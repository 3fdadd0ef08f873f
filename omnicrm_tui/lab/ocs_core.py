"""What every OCS method works with: storage of accounts, the clock and the default tenant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from omnicrm_tui.clock import Clock
from omnicrm_tui.lab.ocs_binding import Struct
from omnicrm_tui.lab.ocs_engine import Account, account_doc, read_account
from omnicrm_tui.lab.ocs_errors import missing
from omnicrm_tui.lab.store import Store

ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Ocs:
    """The state of the engine: everything is in the store, so a restart changes nothing."""

    store: Store
    clock: Clock
    tenant: str

    def now(self) -> datetime:
        """Return the clock's time in UTC."""
        return self.clock.now().astimezone(UTC)

    def key(self, args: dict[str, Any], name: str = "Account") -> str:
        """Return "tenant:name"; a request without a tenant means the default one."""
        return f"{args.get('Tenant') or self.tenant}:{args[name]}"

    def find(self, account_id: str) -> Account | None:
        """Return the account "tenant:account", or None."""
        doc = self.store.get(ACCOUNT, account_id)
        return read_account(account_id, doc) if doc else None

    def find_or_create(self, account_id: str) -> Account:
        """Return the account; one that is unknown is made and kept, whatever happens next."""
        account = self.find(account_id)
        if account is None:
            account = Account(account_id)
            self.save(account)
        return account

    def save(self, account: Account) -> None:
        """Keep the account, without its expired balances."""
        account.drop_expired(self.now())
        self.store.put(ACCOUNT, account.id, account_doc(account))


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the OCS: the structure of its parameters (None: it takes the raw value) and what it does."""

    params: Struct | None
    run: Callable[[Ocs, Any], object]


def require(args: dict[str, Any], *names: str) -> None:
    """Raise OcsError naming the mandatory fields that are empty; a number is never empty."""
    lacking = [name for name in names if args[name] is None or args[name] in ("", [], {})]
    if lacking:
        raise missing(*lacking)


def page(keys: list[str], args: dict[str, Any]) -> list[str]:
    """Return the part of the keys that `Offset` and `Limit` ask for."""
    start = max(0, args.get("Offset") or 0)
    limit = args.get("Limit") or 0
    return keys[start : start + limit] if limit > 0 else keys[start:]
