"""Time-based one-time codes: RFC 6238 with SHA-1, 6 digits, 30 seconds (PLT-167)."""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from datetime import datetime

STEP_SECONDS = 30
DIGITS = 6
_WINDOW = (0, -1, 1)


def code_at(secret: str, step: int) -> str:
    """Return the code of the base32 `secret` for one 30-second step since 1970."""
    padded = secret.upper() + "=" * (-len(secret) % 8)
    digest = hmac.digest(base64.b32decode(padded), struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the step whose code it is, of this one, the one before and the one after; None for a wrong code."""
    current = int(now.timestamp()) // STEP_SECONDS
    given = "".join(code.split()).encode()
    try:
        steps = [current + shift for shift in _WINDOW]
        found = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), given)]
    except binascii.Error:
        return None
    return found[0] if found else None
