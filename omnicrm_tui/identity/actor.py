"""The actor: who does something, with which rights, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from gettext import gettext as _

from omnicrm_tui.errors import NotPermitted


class ActorKind(Enum):
    """The five kinds of actor of the contracts page."""

    STAFF = "staff"
    CUSTOMER = "customer"
    MACHINE = "machine"
    JOB = "job"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    `permissions` is the union over all roles (BIL-374), lower case. `own_customer_id` confines a customer's
    user to its own customer (BIL-378). Under impersonation `real_user_id` is the person behind it.
    """

    kind: ActorKind
    name: str
    user_id: int | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    own_customer_id: int | None = None
    source_address: str = ""
    real_user_id: int | None = None
    provision_id: int | None = None

    def may(self, permission: str) -> bool:
        """Tell whether the actor holds `permission`, by name, through `admin`, or as `view_own_...`.

        A customer's user with `view_own_customer` may use what asks for `view_customer`: the session shows
        it no rows but its own.
        """
        name = permission.lower()
        if "admin" in self.permissions or name in self.permissions:
            return True
        if self.own_customer_id is None or not name.startswith("view_"):
            return False
        return name.replace("view_", "view_own_", 1) in self.permissions

    def require(self, permission: str) -> None:
        """Raise NotPermitted, naming the permission, unless the actor holds it."""
        if not self.may(permission):
            raise NotPermitted(_("This needs the permission {lower}.").format(lower=permission.lower()))


def system_actor(name: str) -> Actor:
    """Return the actor of the product's own chores (schedule, outbox, recovery, demo data)."""
    return Actor(ActorKind.SYSTEM, name, permissions=frozenset({"admin"}))


def visitor(source_address: str) -> Actor:
    """Return who logs in: nobody yet, with no permission. Logging in and reading tokens ask for none."""
    return Actor(ActorKind.SYSTEM, "log-in", source_address=source_address)
