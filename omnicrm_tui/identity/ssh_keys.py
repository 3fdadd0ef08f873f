"""The key or certificate that opened a connection over SSH, as sshd tells it (ExposeAuthInfo)."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from dataclasses import dataclass

_PLACE = re.compile(r"/tmp/sshauth\.\w+")  # noqa: S108 - where sshd itself writes it, and nobody else may have
_CERTIFICATE = "-cert-v01"
_SERIAL_AND_TYPE = 8 + 4
_PARTS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519": 2,
    "sk-ecdsa-sha2-nistp256": 3,
}
"""How many parts a public key has, by kind."""


@dataclass(frozen=True, slots=True)
class SshKey:
    """What somebody showed to sshd. A certificate counts as the key that it certifies: that stays when it is renewed.

    `own` tells its owner from all others. `fingerprint` is what `ssh-keygen -l` prints ("SHA256:..."), `principals`
    are the names in a certificate; both are empty for a kind of key that is unknown here.
    """

    own: bytes
    fingerprint: str = ""
    principals: tuple[str, ...] = ()


def shown_to_sshd(path: str) -> SshKey | None:
    """Return the key that the file of `SSH_USER_AUTH` names; None where there is none, or the file may be another's.

    Only what sshd wrote for this account counts: in its place, no link, and for nobody else to read or write. The
    application itself writes files under other names and in another place.
    """
    lines = [line.split() for line in _read(path).splitlines() if line.startswith("publickey ")]
    return parsed(lines[0][1], lines[0][2]) if lines and len(lines[0]) == 3 else None


def parsed(kind: str, blob: str) -> SshKey:
    """Return a key or certificate, given by kind and base64 as sshd writes them."""
    bare = kind.split("@")[0]
    plain = bare.removesuffix(_CERTIFICATE)
    try:
        # The kind comes first; in a certificate, a random number follows.
        before = 1 if plain == bare else 2
        parts, rest = _split(base64.b64decode(blob, validate=True), before + _PARTS[plain])
        key = b"".join(parts[before:])
        name = f"{plain}@openssh.com" if plain.startswith("sk-") else plain
        digest = hashlib.sha256(len(name).to_bytes(4, "big") + name.encode() + key).digest()
        fingerprint = f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
        return SshKey(plain.encode() + key, fingerprint, () if plain == bare else _principals(rest))
    except (KeyError, ValueError):
        return SshKey(f"{kind} {blob}".encode())


def _principals(rest: bytes) -> tuple[str, ...]:
    """Return the names in a certificate, of which everything up to its key was read (PROTOCOL.certkeys)."""
    (_key_id, packed), _rest = _split(rest[_SERIAL_AND_TYPE:], 2)
    packed, found = packed[4:], []
    while packed:
        (name,), packed = _split(packed, 1)
        found.append(name[4:].decode())
    return tuple(found)


def _split(data: bytes, count: int) -> tuple[list[bytes], bytes]:
    """Return the first `count` parts of a key, each with its length before it (RFC 4251), and what is left.

    Raises ValueError for one that is cut off.
    """
    found = []
    for _ in range(count):
        size = 4 + int.from_bytes(data[:4], "big")
        if len(data) < max(4, size):
            raise ValueError("the key is cut off")
        found.append(data[:size])
        data = data[size:]
    return found, data


def _read(path: str) -> str:
    if not _PLACE.fullmatch(path):
        return ""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, encoding="utf-8") as file:
            told = os.fstat(handle)
            ours = told.st_uid == os.geteuid() and told.st_nlink == 1 and not told.st_mode & 0o077
            return file.read() if ours and stat.S_ISREG(told.st_mode) else ""
    except (OSError, UnicodeDecodeError):
        return ""
