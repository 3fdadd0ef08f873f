"""From a token, a key or an address to the actor who stands behind it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from functools import cached_property
from gettext import gettext as _

from sqlalchemy import func, or_, select

from omnicrm_tui.errors import NotAuthenticated
from omnicrm_tui.identity import tokens
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.models import Permission, Role, TokenFamily, User, role_permission, user_role
from omnicrm_tui.identity.permissions import ADMIN, VIEW_STATUS, clean_up_only
from omnicrm_tui.identity.rules import address_is_in, address_of
from omnicrm_tui.identity.tokens import Keyring
from omnicrm_tui.work import Service

OVER = _("The session is over. Log in again.")
JOB = "job"


class Access(Service):
    """Finds out who acts. Permissions are read from the database each time, so that a change holds at once."""

    @cached_property
    def _keyring(self) -> Keyring:
        return Keyring.of(self.work.settings)

    def actor_of_token(self, access_token: str, source: str) -> Actor:
        """Return whose access token it is (SVC-082). Raises NotAuthenticated when it, its session or user ended."""
        claims = self._keyring.read(access_token, tokens.ACCESS, self.work.clock.now())
        family = self.session.get(TokenFamily, str(claims.get("fam")))
        if family is None or self._is_over(family):
            raise NotAuthenticated(OVER)
        return self._actor_of_family(family, source)

    def actor_of_user(self, user_id: int, source: str) -> Actor:
        """Return a user as actor: staff, or a customer's user confined to its customer (BIL-374, BIL-378).

        Raises NotAuthenticated for a user that may not log in.
        """
        user = self.session.get(User, user_id)
        if user is None or user.deleted or not user.active or user.force_password_change:
            raise NotAuthenticated(OVER)
        return self._actor(user, source)

    def actor_of_api_key(self, key: str, source: str) -> Actor:
        """Return the machine that holds a configured API key (SVC-083, CAT-179), recorded as the first administrator.

        Raises NotAuthenticated for an unknown key, and for one that is used from elsewhere than its `ips`.
        """
        given = hashlib.sha256(key.encode()).digest()
        match = None
        for known, entry in self.work.settings.api_keys.items():
            # All keys are compared, each in constant time: the answer's time says nothing about any of them.
            if hmac.compare_digest(hashlib.sha256(known.encode()).digest(), given):
                match = entry
        if match is None or (match.ips and not address_is_in(source, match.ips)):
            raise NotAuthenticated(_("Invalid API key"))
        return self._machine(f"API key {match.description}".strip(), match.roles, source)

    def actor_of_address(self, source: str) -> Actor | None:
        """Return the machine at a whitelisted address (SVC-084, PLT-455), or None; never this host itself."""
        address = address_of(source)
        if address is None or address.is_loopback:
            return None
        whitelist = self.work.settings.ip_whitelist
        names = [
            name for network, entry in whitelist.items() if address_is_in(source, [network]) for name in entry.roles
        ]
        return self._machine(f"address {address}", names, source) if names else None

    def first_admin_id(self) -> int | None:
        """Return the user that machines are recorded as (SVC-079): the first active administrator."""
        return self.session.scalar(
            select(func.min(User.id))
            .join(user_role, user_role.c.user_id == User.id)
            .join(role_permission, role_permission.c.role_id == user_role.c.role_id)
            .join(Permission, Permission.id == role_permission.c.permission_id)
            .where(Permission.name == ADMIN, User.active.is_(True), User.deleted.is_(False))
        )

    def _actor_of_family(self, family: TokenFamily, source: str) -> Actor:
        if family.purpose == JOB:
            return self._job(family, source)
        if family.user_id is None:
            raise NotAuthenticated(OVER)
        return self.actor_of_user(family.user_id, source)

    def _job(self, family: TokenFamily, source: str) -> Actor:
        user = self.session.get(User, family.user_id) if family.user_id is not None else None
        held = frozenset(family.permissions or ())
        revoked = user is not None and (user.deleted or not user.active)
        return Actor(
            ActorKind.JOB,
            f"job {family.provision_id}" + (f" of {user.username}" if user else ""),
            user_id=family.user_id,
            permissions=clean_up_only(held) if revoked else held,
            own_customer_id=family.own_customer_id,
            source_address=source,
            provision_id=family.provision_id,
        )

    def _actor(self, user: User, source: str) -> Actor:
        own = None if user.contact_id is None else self.work.customers.customer_of_contact(user.contact_id)
        return Actor(
            ActorKind.STAFF if own is None else ActorKind.CUSTOMER,
            user.username,
            user_id=user.id,
            permissions=self._permissions_of(user.id),
            own_customer_id=own,
            source_address=source,
        )

    def _machine(self, name: str, granted: Iterable[str], source: str) -> Actor:
        return Actor(
            ActorKind.MACHINE,
            name,
            user_id=self.first_admin_id(),
            permissions=self._permissions_named(granted),
            source_address=source,
        )

    def _permissions_of(self, user_id: int) -> frozenset[str]:
        statement = (
            select(Permission.name)
            .join(role_permission, role_permission.c.permission_id == Permission.id)
            .join(user_role, user_role.c.role_id == role_permission.c.role_id)
            .where(user_role.c.user_id == user_id)
        )
        return frozenset(self.session.scalars(statement))

    def _permissions_named(self, granted: Iterable[str]) -> frozenset[str]:
        """Resolve a list that may hold roles and permissions, in any case of letters."""
        names = {name.lower() for name in granted}
        statement = (
            select(Permission.name)
            .outerjoin(role_permission, role_permission.c.permission_id == Permission.id)
            .outerjoin(Role, Role.id == role_permission.c.role_id)
            .where(or_(Permission.name.in_(names), func.lower(Role.name).in_(names)))
        )
        return frozenset(self.session.scalars(statement)) | (names & {VIEW_STATUS})

    def _roles_of(self, user_id: int) -> tuple[str, ...]:
        statement = select(Role.name).join(user_role, user_role.c.role_id == Role.id)
        return tuple(self.session.scalars(statement.where(user_role.c.user_id == user_id).order_by(Role.name)))

    def _is_over(self, family: TokenFamily) -> bool:
        return family.ended is not None or family.expires <= self.work.clock.now()
