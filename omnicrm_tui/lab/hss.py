"""The HSS of the lab: subscribers by IMSI (SVC-095, SVC-096, SVC-103, SVC-524).

Authentication keys go in and never come out: only a fingerprint of each is kept, enough to compare.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from omnicrm_tui.lab.store import Store

SUBSCRIBER: Final = "subscriber"
SECRETS: Final = ("ki", "opc", "op", "k")
_IDENTITY: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}", re.ASCII)


class HssError(Exception):
    """A request that the HSS refuses: the HTTP status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Hss:
    """Subscribers, kept in the store; `subscriber_id` is the IMSI."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, imsi: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create the subscriber, or write it anew; raises HssError(400) for an IMSI that is none or differs."""
        if not _IDENTITY.fullmatch(imsi):
            raise HssError(400, "the IMSI in the address is not one")
        if str(body.get("imsi", imsi)) != imsi:
            raise HssError(400, "the IMSI in the body is not the one in the address")
        return self._keep(imsi, {"enabled": True, **_sealed(body), "imsi": imsi, "subscriber_id": imsi})

    def patch(self, imsi: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change the fields given; raises HssError(404) for an unknown subscriber."""
        kept = self.get(imsi)
        return self._keep(imsi, {**kept, **_sealed(body), "imsi": imsi, "subscriber_id": imsi})

    def get(self, imsi: str) -> dict[str, Any]:
        """Return the subscriber; raises HssError(404)."""
        found = self._store.get(SUBSCRIBER, imsi)
        if found is None:
            raise HssError(404, f"no subscriber {imsi}")
        return found

    def delete(self, imsi: str) -> None:
        """Remove the subscriber; raises HssError(404)."""
        if not self._store.delete(SUBSCRIBER, imsi):
            raise HssError(404, f"no subscriber {imsi}")

    def identities(self) -> list[str]:
        """Return every IMSI, oldest first."""
        return self._store.keys(SUBSCRIBER)

    def _keep(self, imsi: str, subscriber: dict[str, Any]) -> dict[str, Any]:
        self._store.put(SUBSCRIBER, imsi, subscriber)
        return subscriber


def _sealed(body: dict[str, Any]) -> dict[str, Any]:
    sealed: dict[str, Any] = {}
    for name, value in body.items():
        if name.lower() in SECRETS:
            sealed[f"{name.lower()}_fingerprint"] = hashlib.sha256(str(value).encode()).hexdigest()[:16]
        else:
            sealed[name] = _sealed_inside(value)
    return sealed


def _sealed_inside(value: Any) -> Any:
    if isinstance(value, list):
        return [_sealed_inside(item) for item in value]
    return _sealed(value) if isinstance(value, dict) else value


def without_secrets(value: Any) -> Any:
    """Return a copy of a request body that may be kept and shown, keys and passwords replaced."""
    if isinstance(value, dict):
        return {name: "(secret)" if _is_secret(str(name)) else without_secrets(item) for name, item in value.items()}
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in SECRETS or any(word in lowered for word in ("password", "secret", "token", "api_key"))
