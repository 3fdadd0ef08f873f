"""Who sits at this terminal: where they come from, and what may be remembered for them.

On one's own machine that is the home itself. Over SSH many people may share a service account: then only the
key or certificate that opened the connection tells them apart (sshd's ExposeAuthInfo), and where sshd does not
say, nothing is remembered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from omnicrm_tui.identity.session_file import SessionFile

if TYPE_CHECKING:
    from omnicrm_tui.identity.ssh_keys import SshKey

LOCAL = "127.0.0.1"
_PREFERENCES = "terminal.json"


class Seat:
    """One terminal, `remote` over SSH. `source_address` is where the person comes from, `ssh_key` what they showed to
    sshd, where it says so; `folder` is None where nothing may be kept.
    """

    def __init__(self, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        connection = environ.get("SSH_CONNECTION", "").split()
        self.remote = bool(connection)
        self.source_address = connection[0] if connection else LOCAL
        self.ssh_key = _ssh_key(environ) if self.remote else None
        self.folder = self._own_folder(home) if self.remote else _local_folder(home, environ)

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

    def _own_folder(self, home: Path) -> Path | None:
        """Return the folder of who holds the key that sshd names, or None."""
        if self.ssh_key is None:
            return None
        import hashlib  # only who comes over SSH waits for it

        return home / "seats" / hashlib.sha256(self.ssh_key.own).hexdigest()[:32]

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


def _ssh_key(environ: Mapping[str, str]) -> SshKey | None:
    from omnicrm_tui.identity.ssh_keys import shown_to_sshd

    return shown_to_sshd(environ.get("SSH_USER_AUTH", ""))
