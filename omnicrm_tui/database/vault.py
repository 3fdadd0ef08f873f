"""Secrets at rest: AES-256-GCM, each value bound to its column and row.

Format of a sealed value: one version byte, the key's number (one byte), a 12-byte nonce, the ciphertext.
The associated data is `column:row id`, so that a value copied to another row or column does not open.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from functools import cached_property
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

from omnicrm_tui.errors import CrmError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32


class Vault:
    """Seals and opens column values with numbered keys; the highest number seals."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys:
            raise ValueError("a vault needs at least one key")
        if any(len(key) != _KEY_BYTES for key in keys.values()):
            raise ValueError(f"a vault's keys have {_KEY_BYTES} bytes")
        self._keys = dict(keys)
        self._newest = max(keys)

    @cached_property
    def _ciphers(self) -> dict[int, AESGCM]:
        # Imported with the first secret: a terminal's first list has none, and waits for every import.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return {number: AESGCM(key) for number, key in self._keys.items()}

    @classmethod
    def from_folder(cls, folder: Path) -> Vault:
        """Read `column-<n>.key` files (0600) from `folder`; make the first one where there is none."""
        found = {int(path.stem.split("-")[1]): path.read_bytes() for path in folder.glob("column-*.key")}
        if not found:
            found = {1: new_key_file(folder / "column-1.key", _KEY_BYTES)}
        return cls(found)

    @cached_property
    def installation(self) -> str:
        """What tells this installation from all others: its hosts and its backups share the first key, nobody else."""
        return hmac.digest(self._keys[min(self._keys)], b"omnicrm installation", "sha256").hex()[:32]

    def seal(self, column: str, row_id: int, value: str | None) -> bytes | None:
        """Return `value` sealed for that column and row; None stays None."""
        if value is None:
            return None
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, value.encode(), _bound_to(column, row_id))
        return bytes([_FORMAT, self._newest]) + nonce + sealed

    def open(self, column: str, row_id: int, sealed: bytes | None) -> str | None:
        """Return the value that was sealed for that column and row.

        Raises CrmError when the key is missing or the value was moved or changed.
        """
        if sealed is None:
            return None
        number, nonce, body = sealed[1], sealed[2 : 2 + _NONCE_BYTES], sealed[2 + _NONCE_BYTES :]
        cipher = self._ciphers.get(number)
        if sealed[0] != _FORMAT or cipher is None:
            raise CrmError(_("The key that sealed {column} is not in the key folder.").format(column=column))
        from cryptography.exceptions import InvalidTag

        try:
            return cipher.decrypt(nonce, body, _bound_to(column, row_id)).decode()
        except InvalidTag as error:
            raise CrmError(_("The sealed value of {column} was altered.").format(column=column)) from error


def _bound_to(column: str, row_id: int) -> bytes:
    return f"{column}:{row_id}".encode()


def new_key_file(path: Path, size: int) -> bytes:
    """Write a new random key of `size` bytes to `path` (0600) and return it; a key already there is kept."""
    key = os.urandom(size)
    return key if add_key_file(path, key) else path.read_bytes()


def add_key_file(path: Path, key: bytes, made: float | None = None) -> bool:
    """Write `key` to `path` (0600), whole or not at all; False where the name is taken. `made` is its time (Unix)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, key)
        os.fsync(handle)
        if made is not None:
            os.utime(handle, (made, made))
    finally:
        os.close(handle)
    try:
        # A hard link fails where the name exists: of two processes starting at once, one key wins.
        os.link(scratch, path)
    except FileExistsError:
        return False
    finally:
        scratch.unlink()
    return True
