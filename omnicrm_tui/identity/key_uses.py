"""Uses of the credentials of machines: counted in the processes that see them, written here in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, case, delete, func, literal, or_, select, update

from omnicrm_tui.config_advice import address_advice, key_advice
from omnicrm_tui.database.types import UtcDateTime
from omnicrm_tui.identity.access import (
    Access,
    address_credential,
    configured_credential,
    key_credential,
)
from omnicrm_tui.identity.actor import Actor, ActorKind
from omnicrm_tui.identity.key_rules import END, masked
from omnicrm_tui.identity.key_schemas import ConfiguredAccess, KeyUseRow, Use
from omnicrm_tui.identity.models import ApiKey, KeyUse
from omnicrm_tui.identity.permissions import ADMIN, MANAGE_API_KEYS
from omnicrm_tui.languages import N_
from omnicrm_tui.needs import needs

KEPT_DAYS = 90
SHOWN_USES = 50


class KeyUses(Access):
    """Writes uses down and tells of them."""

    @needs(ADMIN)
    def record_uses(self, uses: Iterable[Use]) -> None:
        """Add uses to the counts of their day and address, and to their keys'. Needs admin: doors count as the system.

        An address that a credential comes from for the first time in `KEPT_DAYS` gets an entry in the activity log
        (PLT-276): that is how a stolen key shows.
        """
        # In one order, so that two servers that write at once never wait for each other.
        for use in sorted(uses, key=lambda use: (use.credential, use.address)):
            if not self._add_to_day(use):
                self._begin_day(use)
            self._add_to_key(use)

    @needs(ADMIN)
    def delete_old_uses(self, most: int) -> int:
        """Delete up to `most` counts older than `KEPT_DAYS`; return how many. Needs admin: a duty of the schedule."""
        before = (self.work.clock.now() - timedelta(days=KEPT_DAYS)).date()
        old = list(self.session.scalars(select(KeyUse.id).where(KeyUse.day < before).limit(most)))
        if old:
            self.session.execute(delete(KeyUse).where(KeyUse.id.in_(old)))
        return len(old)

    @needs(MANAGE_API_KEYS)
    def configured_access(self) -> Sequence[ConfiguredAccess]:
        """Return the keys and whitelisted addresses of the configuration, with their uses. Needs manage_api_keys."""
        keys, addresses = self.work.settings.api_keys, self.work.settings.ip_whitelist
        entries: list[dict[str, Any]] = [
            {
                "kind": "key",
                "name": masked(key[:END], key[-END:]),
                "description": entry.description,
                "roles": tuple(entry.roles),
                "ips": tuple(entry.ips),
                "problems": tuple(key_advice(number, entry)),
                **self._used(configured_credential(key)),
            }
            for number, (key, entry) in enumerate(keys.items(), 1)
        ]
        entries += [
            {
                "kind": "address",
                "name": network,
                "description": entry.description,
                "roles": tuple(entry.roles),
                "ips": (),
                "problems": tuple(address_advice(network, entry)),
                **self._used(address_credential(network)),
            }
            for network, entry in addresses.items()
        ]
        return [ConfiguredAccess(number, **entry) for number, entry in enumerate(entries, 1)]

    def _used(self, credential: str) -> dict[str, Any]:
        latest = self._uses(credential, 1)
        total = self.session.scalar(select(func.sum(KeyUse.uses)).where(KeyUse.credential == credential))
        return {
            "use_count": int(total or 0),
            "last_used": latest[0].last_use if latest else None,
            "last_used_address": latest[0].address if latest else "",
        }

    def _uses_of_key(self, api_key_id: int) -> tuple[KeyUseRow, ...]:
        return self._uses(key_credential(api_key_id), SHOWN_USES)

    def _uses(self, credential: str, most: int) -> tuple[KeyUseRow, ...]:
        columns = (KeyUse.day, KeyUse.address, KeyUse.uses, KeyUse.refused, KeyUse.first_use, KeyUse.last_use)
        latest = select(*columns).where(KeyUse.credential == credential)
        found = self.session.execute(latest.order_by(KeyUse.last_use.desc(), KeyUse.id.desc()).limit(most))
        return tuple(KeyUseRow(*row) for row in found)

    def _add_to_day(self, use: Use) -> bool:
        day = use.last.astimezone(UTC).date()
        same = (KeyUse.credential == use.credential, KeyUse.day == day, KeyUse.address == use.address)
        last = literal(use.last, UtcDateTime())
        later = case((KeyUse.last_use < last, last), else_=KeyUse.last_use)
        values = {"uses": KeyUse.uses + use.uses, "refused": KeyUse.refused + use.refused, "last_use": later}
        return self._update(update(KeyUse).where(*same).values(values)) == 1

    def _begin_day(self, use: Use) -> None:
        before = select(KeyUse.id).where(KeyUse.credential == use.credential, KeyUse.address == use.address)
        if self.session.scalar(before.limit(1)) is None:
            self._tell_of_new_address(use)
        self.session.add(
            KeyUse(
                credential=use.credential,
                day=use.last.astimezone(UTC).date(),
                address=use.address,
                uses=use.uses,
                refused=use.refused,
                first_use=use.first,
                last_use=use.last,
            )
        )
        self.session.flush()

    def _tell_of_new_address(self, use: Use) -> None:
        key = self._key_of(use.credential)
        name = use.credential if key is None else f"API key {key.name}"
        actor = Actor(ActorKind.MACHINE, name, user_id=self.first_admin_id(), source_address=use.address)
        number = None if key is None else key.api_key_id
        action = N_("Access used from a new address") if use.uses else N_("Revoked or expired API key tried")
        self.work.activity.record("api_key", number, action, new={"address": use.address}, actor=actor)

    def _add_to_key(self, use: Use) -> None:
        key = self._key_of(use.credential)
        if key is None or not use.uses:
            return
        # Plain UPDATEs: counting must not make a colleague's edit of this key stale.
        mine = update(ApiKey).where(ApiKey.api_key_id == key.api_key_id)
        self._update(mine.values(use_count=ApiKey.use_count + use.uses))
        earlier = or_(ApiKey.last_used.is_(None), ApiKey.last_used < use.last)
        self._update(mine.where(earlier).values(last_used=use.last, last_used_address=use.address))

    def _key_of(self, credential: str) -> ApiKey | None:
        kind, _blank, number = credential.partition(" ")
        return self.session.get(ApiKey, int(number)) if kind == "key" else None

    def _update(self, statement: Any) -> int:
        result = self.session.execute(statement.execution_options(synchronize_session=False))
        return cast("CursorResult[Any]", result).rowcount
