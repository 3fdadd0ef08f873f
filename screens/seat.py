"""Who sits at this terminal: where they come from, and what may be remembered for them.

On one's own machine that is the home itself. Over SSH many people may share a service account: then only the
key or certificate that opened the connection tells them apart (sshd's ExposeAuthInfo), and where sshd does not
say, nothing is remembered.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from omnicrm_tui.identity.session_file import SessionFile

LOCAL = "127.0.0.1"


class Seat:
    """One terminal. `source_address` is where the person comes from; `folder` is None where nothing may be kept."""

    def __init__(self, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        remote = environ.get("SSH_CONNECTION", "").split()
        self.source_address = remote[0] if remote else LOCAL
        self.folder = _own_folder(home, environ) if remote else home

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
        try:
            chosen = json.loads(self._preferences.read_text()) if self.folder else {}
        except (OSError, ValueError):
            return ""
        theme = chosen.get("theme", "") if isinstance(chosen, dict) else ""
        return theme if isinstance(theme, str) else ""

    def keep_theme(self, name: str) -> None:
        """Remember a theme for the next start, where that is possible."""
        if self.folder is None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._preferences.write_text(json.dumps({"theme": name}))

    @property
    def _preferences(self) -> Path:
        return (self.folder or Path()) / "terminal.json"


def _own_folder(home: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the key or certificate that sshd names, or None."""
    told = environ.get("SSH_USER_AUTH")
    if not told:
        return None
    try:
        lines = Path(told).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    keys = [line for line in lines if line.startswith("publickey ")]
    if not keys:
        return None
    return home / "seats" / hashlib.sha256(keys[0].encode()).hexdigest()[:32]
