"""From a token, a key or an address to the actor who stands behind it."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from gettext import gettext as _
from ipaddress import ip_network

from sqlalchemy import func, or_, select

from omnicrm_tui.errors import NotAuthenticated
from omnicrm_tui.identity import key_rules, tokens
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.models import (
    ApiKey,
    Permission,
    RefreshToken,
    Role,
    TokenFamily,
    User,
    role_permission,
    user_role,
)
from omnicrm_tui.identity.permissions import (
    ADMIN,
    BESIDE,
    CAN_IMPERSONATE,
    CUSTOMER_ROLE,
    canonical,
    clean_up_only,
    of_one_customer,
)
from omnicrm_tui.identity.rules import address_is_in, address_of
from omnicrm_tui.identity.tokens import Keyring
from omnicrm_tui.needs import Asked, asks_nothing
from omnicrm_tui.work import Service

OVER = _("The session is over. Log in again.")
UNLINKED = _("This login belongs to no customer any more. Ask to have it linked to a contact again.")
JOB = "job"
HOLDS = or_(User.is_customer.is_(False), User.contact_id.is_not(None))
"""Who holds what its roles grant: all but a customer's user that belongs to no customer (`User.is_unlinked`)."""


class KeyRefused(NotAuthenticated):
    """A key that was good once: its use is counted for `credential`."""

    def __init__(self, message: str, credential: str) -> None:
        super().__init__(message)
        self.credential = credential


def key_credential(api_key_id: int) -> str:
    """Return what uses of a key of the database are counted under."""
    return f"key {api_key_id}"


def configured_credential(key: str) -> str:
    """Return what uses of a key of the configuration are counted under: nothing that could be tried as a key."""
    return f"configured {key_rules.hash_of(key)[:16]}"


def address_credential(network: str) -> str:
    """Return what uses of a whitelisted address are counted under."""
    return f"address {network}"


class Access(Service):
    """Finds out who acts. Permissions are read from the database each time, so that a change holds at once."""

    @cached_property
    def _keyring(self) -> Keyring:
        return Keyring.of(self.work.settings, self.work.vault.installation)

    @asks_nothing(Asked.LOG_IN)
    def actor_of_token(self, access_token: str, source: str) -> Actor:
        """Return whose access token it is (SVC-082). Raises NotAuthenticated when it, its session or user ended."""
        claims = self._keyring.read(access_token, tokens.ACCESS, self.work.clock.now())
        family = self.session.get(TokenFamily, str(claims.get("fam")))
        if family is None or self._is_over(family):
            raise NotAuthenticated(OVER)
        return self._actor_of_family(family, source)

    @asks_nothing(Asked.LOG_IN)
    def peek(self, refresh_token: str, source: str) -> Actor:
        """Return the actor of a remembered session and leave its token unused: for what a terminal shows first.

        `resume` follows. Raises NotAuthenticated where `resume` would, but ends nothing.
        """
        row = self._find_token(refresh_token)
        family = None if row is None else self.session.get(TokenFamily, row.family_id)
        if row is None or family is None or self._is_over(family):
            raise NotAuthenticated(OVER)
        if row.used is not None or row.expires <= self.work.clock.now():
            raise NotAuthenticated(OVER)
        return self._actor_of_family(family, source)

    @asks_nothing(Asked.LOG_IN)
    def actor_again(self, actor: Actor) -> Actor:
        """Return who an actor is by now, with the permissions of today; raises NotAuthenticated when that is over.

        Its session may have ended, or its user may not log in any more.
        """
        if actor.session_id:
            family = self.session.get(TokenFamily, actor.session_id)
            if family is None or self._is_over(family):
                raise NotAuthenticated(OVER)
            return self._actor_of_family(family, actor.source_address)
        return self.actor_of_user(actor.user_id or 0, actor.source_address)

    @asks_nothing(Asked.LOG_IN)
    def actor_of_user(self, user_id: int, source: str) -> Actor:
        """Return a user as actor: staff, or a customer's user confined to its customer (BIL-374, BIL-378).

        Raises NotAuthenticated for a user that may not log in, in words of its own for one that lost its contact.
        """
        user = self.session.get(User, user_id)
        if user is None or user.deleted or not user.active or user.force_password_change:
            raise NotAuthenticated(OVER)
        return self._actor(user, source)

    @asks_nothing(Asked.LOG_IN)
    def actor_of_api_key(self, key: str, source: str) -> Actor:
        """Return the machine that holds an API key, recorded as the first administrator (SVC-083, CAT-179).

        Keys of the database come before those of the configuration (PLT-605). Raises NotAuthenticated for an unknown
        key, and for one of the configuration that is used from elsewhere than its `ips`; KeyRefused for a key that
        expired or was revoked.
        """
        actor = self._actor_of_stored_key(key, source) or self._actor_of_configured_key(key, source)
        if actor is not None:
            return actor
        if key != "".join(key.split()):
            raise NotAuthenticated(_("Invalid API key: there are blanks in it."))
        raise NotAuthenticated(_("Invalid API key"))

    @asks_nothing(Asked.LOG_IN)
    def actor_of_address(self, source: str) -> Actor | None:
        """Return the machine at a whitelisted address (SVC-084, PLT-455), or None; never this host itself."""
        address = address_of(source)
        if address is None or address.is_loopback:
            return None
        whitelist = self.work.settings.ip_whitelist
        networks = [network for network in whitelist if address_is_in(source, [network])]
        names = [name for network in networks for name in whitelist[network].roles]
        if not names:
            return None
        # It is counted for the narrowest of the entries that it is in.
        credential = address_credential(max(networks, key=lambda network: ip_network(network, strict=False).prefixlen))
        return self._machine(f"address {address}", names, source, credential=credential)

    @asks_nothing(Asked.ROOMS)
    def first_admin_id(self) -> int | None:
        """Return the user that machines are recorded as (SVC-079): the first active administrator.

        A customer's user is none, whatever its roles: it sees its own customer alone.
        """
        return self.session.scalar(
            select(func.min(User.id))
            .join(user_role, user_role.c.user_id == User.id)
            .join(role_permission, role_permission.c.role_id == user_role.c.role_id)
            .join(Permission, Permission.id == role_permission.c.permission_id)
            .where(
                Permission.name == ADMIN, User.active.is_(True), User.deleted.is_(False), User.is_customer.is_(False)
            )
        )

    def _actor_of_stored_key(self, key: str, source: str) -> Actor | None:
        digest = key_rules.hash_of(key)
        row = self.session.scalar(select(ApiKey).where(ApiKey.key_hash == digest))
        # The index finds a row by a hash that nobody can steer; the comparison itself takes the same time for all.
        if row is None or not hmac.compare_digest(row.key_hash, digest):
            return None
        credential = key_credential(row.api_key_id)
        status = key_rules.status_of(row.expires, row.revoked, self.work.clock.now())
        if status == key_rules.REVOKED:
            raise KeyRefused(_("This API key was revoked."), credential)
        if status == key_rules.EXPIRED:
            raise KeyRefused(_("This API key has expired."), credential)
        return self._machine(
            f"API key {row.name}", row.permissions, source, credential, row.api_key_id, row.customer_id
        )

    def _actor_of_configured_key(self, key: str, source: str) -> Actor | None:
        given, match = key_rules.hash_of(key), None
        for known, entry in self.work.settings.api_keys.items():
            # All keys are compared, each in constant time: the answer's time says nothing about any of them.
            if hmac.compare_digest(key_rules.hash_of(known), given):
                match = entry
        if match is None or (match.ips and not address_is_in(source, match.ips)):
            return None
        name = f"API key {match.description}".strip()
        return self._machine(name, match.roles, source, configured_credential(key))

    def _find_token(self, refresh_token: str) -> RefreshToken | None:
        marks = self._keyring.fingerprints(refresh_token)
        return self.session.scalars(select(RefreshToken).where(RefreshToken.token_hash.in_(marks))).one_or_none()

    def _actor_of_family(self, family: TokenFamily, source: str) -> Actor:
        if family.purpose == JOB:
            return self._job(family, source)
        if family.user_id is None:
            raise NotAuthenticated(OVER)
        if family.real_user_id is not None:
            return self._acting(family, family.user_id, family.real_user_id, source)
        return replace(self.actor_of_user(family.user_id, source), session_id=family.family_id)

    def _acting(self, family: TokenFamily, target_id: int, real_id: int, source: str) -> Actor:
        """Return who acts as another user, with that user's permissions alone (SVC-372).

        Raises NotAuthenticated once either may not log in, the own session is over, or it would not be allowed anew.
        """
        real, target = self.actor_of_user(real_id, source), self.session.get(User, target_id)
        own = self.session.get(TokenFamily, family.real_session_id)
        if own is None or self._is_over(own) or not real.may(CAN_IMPERSONATE):
            raise NotAuthenticated(OVER)
        if target is None or not target.may_log_in or self._out_of_reach(real, target):
            raise NotAuthenticated(OVER)
        # No password and no second factor of the target is asked for (SVC-374): nor that it turns one on first.
        return replace(
            self._actor(target, source),
            permissions=self._permissions_of(target_id),
            must_enable_2fa=False,
            session_id=family.family_id,
            real_user_id=real_id,
            real_name=real.name,
        )

    def _out_of_reach(self, real: Actor, target: User) -> str:
        """Return why `real` may not act as `target`, "" where nothing is in the way (SVC-377).

        Nobody gets rights by it that they have not: but for those over one customer alone, its user's.
        """
        held = self._permissions_of(target.id)
        if ADMIN in held and not self.work.settings.security.impersonate_administrators:
            return _("Nobody acts as an administrator here (security.impersonate_administrators).")
        beyond = sorted(name for name in held if not real.may(name.replace("view_own_", "view_", 1)))
        if beyond and not target.is_customer:
            told = _("{name} may do what you may not: {permission}.")
            return told.format(name=target.username, permission=beyond[0])
        return ""

    def _job(self, family: TokenFamily, source: str) -> Actor:
        people = [
            self.session.get(User, number) for number in (family.user_id, family.real_user_id) if number is not None
        ]
        user = people[0] if people else None
        held = frozenset(family.permissions or ())
        revoked = not all(person and person.may_log_in for person in people) or self._key_is_revoked(family.api_key_id)
        return Actor(
            ActorKind.JOB,
            f"job {family.provision_id}" + (f" of {user.username}" if user else ""),
            user_id=family.user_id,
            permissions=clean_up_only(held) if revoked else held,
            own_customer_id=family.own_customer_id,
            source_address=source,
            real_user_id=family.real_user_id,
            real_name=people[1].username if len(people) > 1 and people[1] else "",
            provision_id=family.provision_id,
            api_key_id=family.api_key_id,
        )

    def _key_is_revoked(self, api_key_id: int | None) -> bool:
        """Tell whether the key that started a job was revoked, or is gone with its customer."""
        if api_key_id is None:
            return False
        living = select(ApiKey.api_key_id).where(ApiKey.api_key_id == api_key_id, ApiKey.revoked.is_(None))
        return self.session.scalar(living) is None

    def _actor(self, user: User, source: str) -> Actor:
        own = None if user.contact_id is None else self.work.customers.customer_of_contact(user.contact_id)
        if own is None and user.is_customer:
            raise NotAuthenticated(UNLINKED)
        must_enable_2fa = own is None and not user.is_2fa_enabled and self._needs_2fa(user.id)
        return Actor(
            ActorKind.STAFF if own is None else ActorKind.CUSTOMER,
            user.username,
            user_id=user.id,
            permissions=frozenset() if must_enable_2fa else self._permissions_of(user.id),
            own_customer_id=own,
            source_address=source,
            must_enable_2fa=must_enable_2fa,
        )

    def _needs_2fa(self, user_id: int) -> bool:
        """Tell whether the operator asks a second factor of this user, who is no contact's (PLT-162, PLT-163)."""
        security = self.work.settings.security
        if not (security.second_factor_for_staff or security.second_factor_roles):
            return False
        held = set(self._roles_of(user_id)) - {CUSTOMER_ROLE}
        asked = {name.lower() for name in security.second_factor_roles}
        return any(security.second_factor_for_staff or name.lower() in asked for name in held)

    def _is_advised(self, user: User, actor: Actor) -> bool:
        """Tell whether to remind this user, who has just logged in, of the second factor (PLT-164, PLT-196)."""
        reminds = self.work.settings.security.second_factor_reminder and not self.work.settings.demo
        is_staff = actor.kind is ActorKind.STAFF and set(self._roles_of(user.id)) != {CUSTOMER_ROLE}
        return reminds and is_staff and not user.is_2fa_enabled

    def _machine(
        self,
        name: str,
        granted: Iterable[str],
        source: str,
        credential: str,
        api_key_id: int | None = None,
        own_customer_id: int | None = None,
    ) -> Actor:
        permissions = self._permissions_named(granted)
        return Actor(
            ActorKind.MACHINE,
            name,
            user_id=self.first_admin_id(),
            permissions=permissions if own_customer_id is None else of_one_customer(permissions),
            own_customer_id=own_customer_id,
            source_address=source,
            credential=credential,
            api_key_id=api_key_id,
        )

    def _permissions_of(self, user_id: int) -> frozenset[str]:
        statement = (
            select(Permission.name)
            .join(role_permission, role_permission.c.permission_id == Permission.id)
            .join(user_role, user_role.c.role_id == role_permission.c.role_id)
            .join(User, User.id == user_role.c.user_id)
            .where(User.id == user_id, HOLDS)
        )
        return frozenset(self.session.scalars(statement))

    def _permissions_named(self, granted: Iterable[str]) -> frozenset[str]:
        """Resolve a list that may hold roles and permissions, in any case of letters."""
        given = {name.lower() for name in granted}
        names = given | {canonical(name) for name in given}
        statement = (
            select(Permission.name)
            .outerjoin(role_permission, role_permission.c.permission_id == Permission.id)
            .outerjoin(Role, Role.id == role_permission.c.role_id)
            .where(or_(Permission.name.in_(names), func.lower(Role.name).in_(names)))
        )
        return frozenset(self.session.scalars(statement)) | (names & BESIDE)

    def _roles_of(self, user_id: int) -> tuple[str, ...]:
        statement = select(Role.name).join(user_role, user_role.c.role_id == Role.id)
        return tuple(self.session.scalars(statement.where(user_role.c.user_id == user_id).order_by(Role.name)))

    def _is_over(self, family: TokenFamily) -> bool:
        return family.ended is not None or family.expires <= self.work.clock.now()
