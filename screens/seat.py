"""Who sits at this terminal: where they come from, and what may be remembered for them.

On one's own machine that is the home itself. Over SSH many people may share a service account: then only the
key or certificate that opened the connection tells them apart (sshd's ExposeAuthInfo), and where sshd does not
say, nothing is remembered.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from omnicrm_tui.identity.session_file import SessionFile

LOCAL = "127.0.0.1"
_PREFERENCES = "terminal.json"


class Seat:
    """One terminal, `remote` over SSH. `source_address` is where the person comes from; `folder` is None where
    nothing may be kept.
    """

    def __init__(self, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        connection = environ.get("SSH_CONNECTION", "").split()
        self.remote = bool(connection)
        self.source_address = connection[0] if connection else LOCAL
        self.folder = _own_folder(home, environ) if self.remote else _local_folder(home, environ)

    @property
    def session(self) -> SessionFile | None:
        """The remembered session of this person; None where sessions cannot be told apart (PLT-177)."""
        return SessionFile(self.folder) if self.folder else None

    @property
    def has_session(self) -> bool:
        """Whether a session seems to be remembered: decides what the first frame shows."""
        return self.folder is not None and (self.folder / "session").exists()

    @property
    def theme(self) -> str:
        """The theme that was chosen last; "" when none was."""
        return self._preferences().get("theme", "")

    @property
    def language(self) -> str:
        """The language that was chosen last; "" when none was."""
        return self._preferences().get("language", "")

    def keep(self, **chosen: str) -> bool:
        """Remember a theme or a language for the next start; False where nothing may be kept."""
        if self.folder is None:
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / _PREFERENCES).write_text(json.dumps({**self._preferences(), **chosen}))
        return True

    def _preferences(self) -> dict[str, str]:
        try:
            chosen = json.loads((self.folder / _PREFERENCES).read_text()) if self.folder else {}
        except (OSError, ValueError):
            return {}
        kept = chosen.items() if isinstance(chosen, dict) else ()
        return {name: value for name, value in kept if isinstance(value, str)}


def _local_folder(home: Path, environ: Mapping[str, str]) -> Path:
    """Return the home; behind `sudo`, which several administrators may use, a folder for each of them."""
    person = environ.get("SUDO_UID", "")
    return home / "seats" / f"sudo-{person}" if person.isdecimal() else home


def _own_folder(home: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the key or certificate that sshd names, or None."""
    told = environ.get("SSH_USER_AUTH")
    if not told:
        return None
    try:
        lines = Path(told).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    keys = [line.split() for line in lines if line.startswith("publickey ")]
    if not keys or len(keys[0]) != 3:
        return None
    import hashlib  # only who comes over SSH waits for it

    return home / "seats" / hashlib.sha256(own_key(keys[0][1], keys[0][2])).hexdigest()[:32]


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

_CERTIFICATE = "-cert-v01"


def own_key(kind: str, blob: str) -> bytes:
    """Return what tells the owner of a key or certificate (kind and base64, as sshd writes them) from all others.

    A certificate is renewed every day in some places; the key that it certifies stays, so the key is what counts.
    """
    bare = kind.split("@")[0]
    try:
        data = base64.b64decode(blob, validate=True)
        # The kind comes first; in a certificate, a random number follows.
        before = 2 if bare.endswith(_CERTIFICATE) else 1
        bare = bare.removesuffix(_CERTIFICATE)
        return bare.encode() + b"".join(_parts(data, before + _PARTS[bare])[before:])
    except (KeyError, ValueError):
        return f"{kind} {blob}".encode()


def _parts(data: bytes, count: int) -> list[bytes]:
    """Return the first `count` parts of a key, each with its length before it (RFC 4251); raises ValueError."""
    found = []
    for _ in range(count):
        size = 4 + int.from_bytes(data[:4], "big")
        if len(data) < max(4, size):
            raise ValueError("the key is cut off")
        found.append(data[:size])
        data = data[size:]
    return found
