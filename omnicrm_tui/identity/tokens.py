"""Access tokens (HS256 JWT), refresh tokens and the keys behind both."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

from omnicrm_tui.errors import NotAuthenticated

if TYPE_CHECKING:
    from omnicrm_tui.settings import Settings

ACCESS = "access"
CHALLENGE = "challenge"
CHANGE = "change"
EXPIRED = _("The access token is not valid, or no longer.")
_KEY_BYTES = 32


class Keyring:
    """Numbered signing keys: the newest signs, all of them verify.

    `audience` names the installation that its tokens are for: one with the same secret takes no others (ASVS 9.2.3).
    """

    def __init__(self, keys: Mapping[str, bytes], newest: str, audience: str) -> None:
        self._keys = dict(keys)
        self._newest = newest
        self._audience = audience

    @classmethod
    def of(cls, settings: Settings, audience: str) -> Keyring:
        """Return the keys: `jwt_secret` alone where it is set (PLT-449), else the generated key files (0600)."""
        if settings.jwt_secret is not None:
            secret = settings.jwt_secret.get_secret_value().encode()
            number = hashlib.sha256(secret).hexdigest()[:12]
            return cls({number: secret}, number, audience)
        from omnicrm_tui.identity import signing_keys

        keys = signing_keys.read_all(settings.keys_folder)
        return cls(keys, max(keys, key=int), audience)

    def sign(self, claims: Mapping[str, Any], *, issued: datetime, expires: datetime) -> str:
        """Return `claims` as a token of the newest key, named in its header (`kid`)."""
        # By hand: PyJWT, which reads them, brings all of `cryptography` along, 5 MiB of each terminal that logs in.
        head = {"alg": "HS256", "kid": self._newest, "typ": "JWT"}
        times = {"iat": int(issued.timestamp()), "exp": int(expires.timestamp())}
        whole = {**claims, "aud": self._audience, **times}
        signed = b".".join(_base64(json.dumps(part).encode()) for part in (head, whole))
        return b".".join((signed, _base64(hmac.digest(self._keys[self._newest], signed, "sha256")))).decode()

    def read(self, token: str, use: str, now: datetime) -> dict[str, Any]:
        """Return the claims of a token made here for `use`. Raises NotAuthenticated for others and for an old one."""
        import jwt

        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            # The time is compared below with the injected clock; PyJWT would ask the machine's. It would also take a
            # list of audiences, of which ours is one.
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                options={
                    "require": ["exp", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": False,
                },
            )
        except (jwt.PyJWTError, KeyError, TypeError) as error:
            raise NotAuthenticated(EXPIRED) from error
        end = claims["exp"]
        is_meant = claims.get("aud") == self._audience and claims.get("use") == use
        if not is_meant or not isinstance(end, int) or end <= now.timestamp():
            raise NotAuthenticated(EXPIRED)
        return claims

    def fingerprint(self, refresh_token: str) -> str:
        """Return what is stored of a new refresh token."""
        return _keyed(self._keys[self._newest], refresh_token)

    def fingerprints(self, refresh_token: str) -> list[str]:
        """Return what may be stored of it: under each key, so that a token outlives the key's successor.

        The signing secret is part of it: replacing the secret by hand ends every session (PLT-227).
        """
        return [_keyed(key, refresh_token) for key in self._keys.values()]


def new_refresh_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(_KEY_BYTES)


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _keyed(key: bytes, token: str) -> str:
    return hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
