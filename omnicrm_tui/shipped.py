"""What comes with the program beside its code: where that is, in a checkout and in an installation alike.

The packages of the wheel lie side by side, as they do in the checkout. The default configuration stands at the
top of the checkout, where people look for it, and goes into the wheel's `omnicrm_tui`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent
_TOP: Final = _PACKAGE.parent

PLAYS: Final = _TOP / "playbooks" / "plays"
ACTION_PLUGINS: Final = _TOP / "playbooks" / "plugins" / "action"
ANSIBLE_GUARD: Final = _PACKAGE / "provisioning" / "ansible_guard.py"
WAITING_PLAYBOOK: Final = _TOP / "playbooks" / "plugins" / "waiting_playbook.py"


def default_config() -> str:
    """Return config.yaml with every setting at its default and explained (PLT-422)."""
    installed, checkout = _PACKAGE / "config.yaml", _TOP / "config.yaml"
    return (installed if installed.exists() else checkout).read_text("utf-8")
