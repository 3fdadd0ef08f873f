"""Password hashes: Argon2id, a bounded number at a time."""

from __future__ import annotations

import os
import secrets
import string
from functools import cache
from gettext import gettext as _
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from omnicrm_tui.errors import TooManyRequests
from omnicrm_tui.identity.rules import normal_password

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB = 64 * 1024
ROUNDS = 4
LANES = 2
AT_ONCE = max(1, min(4, len(os.sched_getaffinity(0)) // LANES))
"""As many as there are processors for: more would end no sooner, and take 64 MiB each."""
WAIT_SECONDS = 10.0

_SYMBOLS = "!@#$%^&*"
_TEMPORARY_LENGTH = 12
_gate = BoundedSemaphore(AT_ONCE)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=LANES)


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


def hash_password(password: str) -> str:
    """Return the hash to store. Raises TooManyRequests when too many are being made."""
    with _turn():
        return _hasher().hash(normal_password(password))


def verify(password_hash: str | None, password: str) -> bool:
    """Tell whether `password` belongs to the hash; for None it takes as long and says no.

    Raises TooManyRequests when too many are being checked.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    with _turn():
        try:
            right = _hasher().verify(password_hash or _nobodys_hash(), normal_password(password))
            return right and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(password_hash: str) -> bool:
    """Tell whether the hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(password_hash)


def temporary_password() -> str:
    """Return a random password of 12 characters that meets the rules (PLT-213, PLT-594)."""
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, _SYMBOLS)
    picked = [secrets.choice(kind) for kind in kinds]
    picked += [secrets.choice(string.ascii_letters + string.digits) for _ in range(_TEMPORARY_LENGTH - len(kinds))]
    secrets.SystemRandom().shuffle(picked)
    return "".join(picked)


class _turn:  # noqa: N801 - reads as a statement: with _turn():
    """Each hash takes 64 MiB; more than AT_ONCE of them would let a flood of log-ins exhaust the memory."""

    def __enter__(self) -> None:
        if not _gate.acquire(timeout=WAIT_SECONDS):
            raise TooManyRequests(_("Too many log-ins at once. Try again in a moment."))

    def __exit__(self, *_: object) -> None:
        _gate.release()
