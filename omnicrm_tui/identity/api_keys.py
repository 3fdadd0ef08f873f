"""API keys of the database: made, changed, extended, made anew and revoked by people; listed and looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from gettext import gettext as _
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from omnicrm_tui.database.lists import ListSpec, contains, fold
from omnicrm_tui.database.views import apply_changes, check_version
from omnicrm_tui.errors import Conflict, InvalidInput, NotFound, NotPermitted
from omnicrm_tui.identity import key_rules
from omnicrm_tui.identity.actor import ActorKind
from omnicrm_tui.identity.key_rules import ACTIVE, EXPIRED, EXPIRING, NEVER, REVOKED, SOON
from omnicrm_tui.identity.key_schemas import (
    ApiKeyChange,
    ApiKeyInput,
    ApiKeyRow,
    ApiKeyView,
    ExtensionInput,
    KeyFigures,
    NewApiKey,
)
from omnicrm_tui.identity.key_uses import KeyUses
from omnicrm_tui.identity.models import ApiKey, Permission, Role, TokenFamily
from omnicrm_tui.identity.permissions import BESIDE, MANAGE_API_KEYS, canonical, of_one_customer
from omnicrm_tui.languages import N_
from omnicrm_tui.listing import COUNT_CAP, Anchor, Count, ListQuery, Page, Window
from omnicrm_tui.needs import needs
from omnicrm_tui.schemas import refuse_blanks

_WRONG = _("Some fields are not right.")


class ApiKeys(KeyUses):
    """Manages keys (PLT-239..287). Looking needs manage_api_keys; changing also takes a person, not a key."""

    @needs(MANAGE_API_KEYS)
    def api_key_window(self, query: ListQuery, anchor: Anchor, limit: int) -> Window[ApiKeyRow]:
        """Return a window of the keys (PLT-253..258); revoked ones where the filter asks. Needs manage_api_keys."""
        return self._list().window(self.session, query, anchor, limit, *_living(query))

    @needs(MANAGE_API_KEYS)
    def api_key_count(self, query: ListQuery, cap: int = COUNT_CAP) -> Count:
        """Count the matching keys, up to `cap`. Needs manage_api_keys."""
        return self._list().count(self.session, query, cap, *_living(query))

    @needs(MANAGE_API_KEYS)
    def api_key_page(self, query: ListQuery, page: int, per_page: int) -> Page[ApiKeyRow]:
        """Return a numbered page of keys (PLT-284). Needs manage_api_keys."""
        return self._list().page(self.session, query, page, per_page, *_living(query))

    @needs(MANAGE_API_KEYS)
    def api_key_figures(self) -> KeyFigures:
        """Count the keys by their states (PLT-255). Needs manage_api_keys."""
        states = _states(self.work.clock.now())
        counts = [func.count(case((states[name], 1))) for name in (ACTIVE, EXPIRING, EXPIRED, REVOKED)]
        found: Any = self.session.execute(select(func.count(ApiKey.api_key_id), *counts)).one()
        return KeyFigures(*found)

    @needs(MANAGE_API_KEYS)
    def api_key(self, api_key_id: int) -> ApiKeyView:
        """Return a key with what it was used for (PLT-262). Needs manage_api_keys; raises NotFound."""
        return self._key_view(self._key(api_key_id))

    @needs(MANAGE_API_KEYS, in_person=True)
    def create_api_key(self, data: ApiKeyInput) -> NewApiKey:
        """Make a key and return it, for this once (PLT-259..261, PLT-285).

        Needs manage_api_keys, and every permission that the key gets. Raises InvalidInput for an unknown permission,
        an end that is past, an unknown customer; NotPermitted for what the actor may not do itself.
        """
        self._require_person()
        permissions = self._checked(data.permissions, data.customer_id)
        expires = self._checked_expiry(data.expiry_date)
        return self._make(
            N_("API key created"),
            name=data.name,
            description=data.description,
            permissions=permissions,
            customer_id=data.customer_id,
            protected=data.protected,
            expires=expires,
        )

    @needs(MANAGE_API_KEYS, in_person=True)
    def update_api_key(self, api_key_id: int, change: ApiKeyChange) -> ApiKeyView:
        """Change name, description, end, permissions or protection (PLT-263, PLT-286); never the key itself.

        Needs manage_api_keys, and every permission that the key had and gets. Raises NotFound, Conflict for a stale
        version or a revoked key, and what `create_api_key` raises.
        """
        self._require_person()
        key = self._living_key(api_key_id)
        check_version(key, change.version)
        given = change.model_dump(exclude_unset=True, exclude={"version"})
        refuse_blanks(given, ("name", "permissions", "protected"))
        if "permissions" in given:
            given["permissions"] = self._checked(given["permissions"], key.customer_id)
        if "expiry_date" in given:
            given["expires"] = self._new_end(key, given.pop("expiry_date"))
        if "name" in given:
            given["name_key"] = fold(given["name"])
        if given.get("description", "") is None:
            given["description"] = ""
        old, new = apply_changes(key, given)
        if new:
            self.work.activity.record("api_key", api_key_id, "API key changed", old=_told(old), new=_told(new))
            self.session.flush()
        return self._key_view(key)

    @needs(MANAGE_API_KEYS, in_person=True)
    def extend_api_key(self, api_key_id: int, data: ExtensionInput) -> ApiKeyView:
        """Let a key end later, or never; an expired one is good again (PLT-270).

        Needs manage_api_keys and what the key may do. Raises NotFound, Conflict for a revoked key, InvalidInput for
        an end that is no later than the one it has.
        """
        self._require_person()
        key = self._living_key(api_key_id)
        expires = self._checked_expiry(data.expiry_date)
        if expires <= key.expires:
            raise InvalidInput(_WRONG, {"expiry_date": _("is not later than the end it has")})
        old, key.expires = key.expires, expires
        self.work.activity.record(
            "api_key", api_key_id, "API key extended", old=_told({"expires": old}), new=_told({"expires": expires})
        )
        self.session.flush()
        return self._key_view(key)

    @needs(MANAGE_API_KEYS, in_person=True)
    def regenerate_api_key(self, api_key_id: int, expiry_date: date | datetime | None = None) -> NewApiKey:
        """Revoke a key at once and make another of its name, description, permissions and customer (PLT-264).

        Without `expiry_date` the new one is valid for as long as the old one was at first. Needs manage_api_keys and
        what the key may do. Raises NotFound, InvalidInput, Conflict for a revoked or protected key.
        """
        self._require_person()
        key = self._living_key(api_key_id)
        life = key.expires - key.created
        expires = self._checked_expiry(expiry_date)
        if expiry_date is None and key.expires < NEVER:
            expires = self.work.clock.now() + life
        self._revoke(key, N_("API key revoked: another took its place"))
        return self._make(
            N_("API key made anew"),
            name=key.name,
            description=key.description,
            permissions=list(key.permissions),
            customer_id=key.customer_id,
            protected=False,
            expires=expires,
        )

    @needs(MANAGE_API_KEYS, in_person=True)
    def revoke_api_key(self, api_key_id: int) -> None:
        """Revoke a key for good: from the next request on it is refused, and its jobs end (PLT-265, PLT-287).

        Its row stays, for those who ask later (PLT-606). Needs manage_api_keys. Raises NotFound, Conflict for a
        protected key. A key that is revoked already stays so.
        """
        self._require_person()
        key = self._key(api_key_id)
        if key.revoked is None:
            self._revoke(key, N_("API key revoked"))

    # --- rules

    def _require_person(self) -> None:
        """A key that makes, extends or renews keys would outlive its own revocation."""
        actor = self.actor
        if actor.kind is ActorKind.JOB or actor.api_key_id is not None or actor.own_customer_id is not None:
            raise NotPermitted(_("API keys are managed by staff, not by a key of the database or a job."))

    def _checked(self, names: Sequence[str], customer_id: int | None) -> list[str]:
        """Return the permissions and roles as they are stored; the actor holds all that they stand for."""
        roles = {name.lower(): name for name in self.session.scalars(select(Role.name))}
        known = set(self.session.scalars(select(Permission.name))) | BESIDE
        found: dict[str, None] = {}
        for name in names:
            plain = canonical(name)
            stored = plain if plain in known else roles.get(name.lower())
            if stored is None:
                problem = _("there is no permission or role {name}").format(name=name)
                raise InvalidInput(_WRONG, {"permissions": problem})
            found[stored] = None
        self._require_all(found)
        self._check_customer(found, customer_id)
        return list(found)

    def _require_all(self, names: Mapping[str, None] | Sequence[str]) -> None:
        """Nobody grants, renews or takes over what they may not do themselves."""
        for permission in sorted(self._permissions_named(names)):
            if not self.actor.may(permission):
                beyond = _("You may not do yourself what this key may: {permission}.")
                raise NotPermitted(beyond.format(permission=permission))

    def _check_customer(self, names: Mapping[str, None], customer_id: int | None) -> None:
        if customer_id is None:
            return
        try:
            self.work.customers.get(customer_id)
        except NotFound as error:
            raise InvalidInput(_WRONG, {"customer_id": error.message}) from error
        held = self._permissions_named(names)
        if beyond := sorted(held - of_one_customer(held)):
            problem = _("reaches further than one customer: {permission}").format(permission=beyond[0])
            raise InvalidInput(_WRONG, {"permissions": problem})

    def _checked_expiry(self, given: date | datetime | None) -> datetime:
        try:
            expires = key_rules.expiry_of(given, self.work.settings.crm.timezone)
        except OverflowError:
            raise InvalidInput(_WRONG, {"expiry_date": _("is outside the years 1 to 9999")}) from None
        if expires <= self.work.clock.now():
            raise InvalidInput(_WRONG, {"expiry_date": _("is in the past")})
        return expires

    def _new_end(self, key: ApiKey, given: date | datetime | None) -> datetime:
        """Return the end that a form or program sends, which may be the one there is, past or not."""
        same = given is not None and key_rules.expiry_of(given, self.work.settings.crm.timezone) == key.expires
        return key.expires if same else self._checked_expiry(given)

    # --- rows

    def _key(self, api_key_id: int) -> ApiKey:
        key = self.session.get(ApiKey, api_key_id, populate_existing=True)
        if key is None:
            raise NotFound(_("There is no API key {api_key_id}.").format(api_key_id=api_key_id))
        return key

    def _living_key(self, api_key_id: int) -> ApiKey:
        key = self._key(api_key_id)
        if key.revoked is not None:
            raise Conflict(_("This API key was revoked for good. Make another."))
        self._require_all(key.permissions)
        return key

    def _make(self, action: str, **values: Any) -> NewApiKey:
        secret = key_rules.new_key()
        key = ApiKey(
            **values,
            name_key=fold(values["name"]),
            key_hash=key_rules.hash_of(secret),
            key_start=secret[: key_rules.START],
            key_end=secret[-key_rules.END :],
            created_by=self.actor.name[:150],
        )
        self.session.add(key)
        self.session.flush()
        told = {**_told(values), "ends": key_rules.masked(key.key_start, key.key_end)}
        self._record_key(key.api_key_id, action, told)
        names = {field.name for field in fields(NewApiKey)}
        shown = {name: value for name, value in self._shown(key).items() if name in names}
        return NewApiKey(**{**shown, "api_key": secret, "warnings": self._warnings(key)})

    def _record_key(self, api_key_id: int, action: str, new: Mapping[str, Any]) -> None:
        self.work.activity.record("api_key", api_key_id, action, new=new)

    def _revoke(self, key: ApiKey, action: str) -> None:
        if key.protected:
            raise Conflict(_("This API key is protected. Take its protection away first."))
        key.revoked, key.revoked_by = self.work.clock.now(), self.actor.name[:150]
        started = select(TokenFamily.provision_id).where(TokenFamily.api_key_id == key.api_key_id)
        jobs = [number for number in self.session.scalars(started) if number is not None]
        self.work.provisioning.cancel_of_key(jobs)
        self._record_key(key.api_key_id, action, {"name": key.name})
        self.session.flush()

    def _key_view(self, key: ApiKey) -> ApiKeyView:
        return ApiKeyView(
            **self._shown(key),
            revoked_by=key.revoked_by,
            version=key.version,
            warnings=self._warnings(key),
            uses=self._uses_of_key(key.api_key_id),
        )

    def _shown(self, key: ApiKey) -> dict[str, Any]:
        row = _row([getattr(key, column.key) for column in _ENTITIES], self.work.clock.now())
        return {field.name: getattr(row, field.name) for field in fields(row)}

    def _warnings(self, key: ApiKey) -> tuple[str, ...]:
        now = self.work.clock.now()
        return tuple(key_rules.warnings(key.permissions, key.expires, now, key.customer_id))

    def _list(self) -> ListSpec[ApiKeyRow]:
        """The list depends on what time it is: a key's state is nowhere but in its end."""
        now = self.work.clock.now()
        return ListSpec(
            entities=_ENTITIES,
            build=lambda row: _row(row, now),
            primary_key=ApiKey.api_key_id,
            sorts={
                "name": ApiKey.name_key,
                "created": ApiKey.created,
                "expiry_date": ApiKey.expires,
                "created_by": ApiKey.created_by,
                "api_key_id": ApiKey.api_key_id,
            },
            search=_search,
            filters={"status": lambda values: _in_states(values, now), "created_by": ApiKey.created_by.in_},
        )


_ENTITIES = (
    ApiKey.api_key_id,
    ApiKey.name,
    ApiKey.description,
    ApiKey.created_by,
    ApiKey.key_start,
    ApiKey.key_end,
    ApiKey.created,
    ApiKey.expires,
    ApiKey.permissions,
    ApiKey.customer_id,
    ApiKey.protected,
    ApiKey.use_count,
    ApiKey.last_used,
    ApiKey.last_used_address,
    ApiKey.revoked,
)


def _row(row: Any, now: datetime) -> ApiKeyRow:
    values = dict(zip((column.key for column in _ENTITIES), row, strict=False))
    expires = values.pop("expires")
    values["api_key"] = key_rules.masked(values.pop("key_start"), values.pop("key_end"))
    values["permissions"] = tuple(values["permissions"])
    values["status"] = key_rules.status_of(expires, values["revoked"], now)
    return ApiKeyRow(**values, expiry_date=key_rules.shown_expiry(expires))


def _states(now: datetime) -> dict[str, ColumnElement[bool]]:
    """Return the condition of each state; `active` has those that expire soon in it, for they open the door."""
    living = ApiKey.revoked.is_(None)
    return {
        ACTIVE: and_(living, ApiKey.expires > now),
        EXPIRING: and_(living, ApiKey.expires > now, ApiKey.expires <= now + SOON),
        EXPIRED: and_(living, ApiKey.expires <= now),
        REVOKED: ApiKey.revoked.is_not(None),
    }


def _in_states(values: Sequence[str], now: datetime) -> ColumnElement[bool]:
    states = _states(now)
    if unknown := [value for value in values if value not in states]:
        known = _("one of {states}").format(states=", ".join(states))
        raise InvalidInput(_("There is no state {state}.").format(state=unknown[0]), {"status": known})
    return or_(*(states[value] for value in values))


def _living(query: ListQuery) -> list[ColumnElement[bool]]:
    return [] if REVOKED in query.filters.get("status", ()) else [ApiKey.revoked.is_(None)]


def _search(words: str) -> ColumnElement[bool]:
    described = contains(func.lower(ApiKey.description), words.lower())
    return or_(contains(ApiKey.name_key, fold(words)), described, *_by_key(words))


def _by_key(words: str) -> list[ColumnElement[bool]]:
    """Return what finds a key by a part of it (PLT-256): its two ends are known, and the whole by its hash."""
    if " " in words:
        return []
    part, start, end = words.lower(), func.lower(ApiKey.key_start), func.lower(ApiKey.key_end)
    first, dots, last = part.replace("…", "...").partition("...")
    if dots:
        return [and_(start.startswith(first, autoescape=True), end.endswith(last, autoescape=True))]
    found = [contains(start, part), contains(end, part), ApiKey.key_hash == key_rules.hash_of(words)]
    if len(part) > key_rules.START:
        found.append(start == part[: key_rules.START])
    if len(part) > key_rules.END:
        found.append(end == part[-key_rules.END :])
    return found


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a key as the activity log tells of them."""
    told = {name: value for name, value in values.items() if name not in ("name_key", "expires")}
    if "expires" in values:
        shown = key_rules.shown_expiry(values["expires"])
        told["expiry_date"] = None if shown is None else shown.isoformat().replace("+00:00", "Z")
    return told
