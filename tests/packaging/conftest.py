"""The wheel of this checkout, and ways to try an installation without touching the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A network namespace of its own: no address, no route, no name is resolved. Whoever is not root becomes it inside.
OFFLINE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (built,) = folder.glob("*.whl")
    return built


def bare_environment(**more: str) -> dict[str, str]:
    """The environment without what belongs to the checkout or its Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMNICRM", "PYTHON", "PIP"))}
    return {**kept, **more}
