"""The actor: who does something, with which rights, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from gettext import gettext as _

from omnicrm_tui.errors import NotPermitted
from omnicrm_tui.languages import N_, said

SYSTEM_NAMES = (
    *(N_("command line"), N_("demo data"), N_("doctor"), N_("first start"), N_("health"), N_("jobs"), N_("log-in")),
    *(N_("outbox"), N_("provisioning"), N_("recovery"), N_("schedule"), N_("set-up")),
    N_("uses of keys"),
    N_("limits of calls"),
)
"""What the product itself is called where it acts, as the activity log stores it."""


_NAME = 90
"""What the activity log keeps of each of two names."""


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

    `permissions` is the union over all roles (BIL-374), lower case. `own_customer_id` confines a customer's user to its
    own customer (BIL-378). Under impersonation `real_user_id` and `real_name` are the person behind it, who has the
    user's permissions and none besides (SVC-372). `session_id` is the session that a person logged in with. Who
    `must_enable_2fa` holds no permission until that is done. `credential` is what a machine was known by ("key 12",
    "address 10.0.0.0/24"), `api_key_id` the key of the database behind it.
    """

    kind: ActorKind
    name: str
    user_id: int | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    own_customer_id: int | None = None
    source_address: str = ""
    real_user_id: int | None = None
    real_name: str = ""
    provision_id: int | None = None
    session_id: str = ""
    must_enable_2fa: bool = False
    credential: str = ""
    api_key_id: int | None = None

    @property
    def is_outside(self) -> bool:
        """Whether it is a customer's user, or a machine that acts for one customer: neither sees what is for staff.

        A job that a customer started is none: its play needs all of what it provisions.
        """
        machine = self.kind is ActorKind.MACHINE and self.own_customer_id is not None
        return machine or self.kind is ActorKind.CUSTOMER

    @property
    def signature(self) -> str:
        """How the activity log names it: who it is, under impersonation who acts as whom (SVC-371)."""
        if self.real_user_id is None:
            return self.name
        return f"{self.real_name[:_NAME]} → {self.name[:_NAME]}"

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

    def require_in_person(self) -> None:
        """Raise NotPermitted for who acts as somebody else: whom it is left to is the person alone (BIL-503)."""
        if self.real_user_id is not None:
            raise NotPermitted(
                _("Passwords, second factors, users and keys are out of reach while you act as another.")
            )


def system_actor(name: str) -> Actor:
    """Return the actor of the product's own chores (schedule, outbox, recovery, demo data)."""
    return Actor(ActorKind.SYSTEM, name, permissions=frozenset({"admin"}))


def who(name: str, user_id: int | None) -> str:
    """Return the name of who acted, as the log stores it, for people: in their language where it was the product."""
    return said(name) if user_id is None and name in SYSTEM_NAMES else name


def visitor(source_address: str) -> Actor:
    """Return who logs in: nobody yet, with no permission. Logging in and reading tokens ask for none."""
    return Actor(ActorKind.SYSTEM, "log-in", source_address=source_address)
