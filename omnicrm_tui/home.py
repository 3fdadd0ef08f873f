"""Where the state and the configuration are, as the environment says: known before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_USUAL_HOME = Path("~/.local/share/omnicrm")

RESTORE_NOTE = "restore.json"
"""In a home that a restore has begun to fill, until all of it is there: the backup, its database, how far it came."""


def home_of(env: Mapping[str, str]) -> Path:
    """Return the folder that holds all state: OMNICRM_HOME, or the usual one."""
    return Path(env.get("OMNICRM_HOME") or _USUAL_HOME).expanduser().absolute()


def config_path(env: Mapping[str, str], home: Path) -> tuple[Path, bool]:
    """Return the configuration's path, and whether it must exist because somebody asked for another than usual."""
    usual = home / "config.yaml"
    named = env.get("OMNICRM_CONFIG")
    path = Path(named).expanduser().absolute() if named else usual
    return path, path != usual


UPKEEP_LOCK = "upkeep.lock"
"""In a home while it is restored or set up, so that nobody else begins to; also what a database's is called after."""
