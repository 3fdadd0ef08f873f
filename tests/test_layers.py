"""What the terminal's process pays for before its first frame."""

from __future__ import annotations

import subprocess
import sys

import pytest

NOT_AT_START = "fastapi starlette uvicorn ansible ansible_runner weasyprint alembic"


@pytest.mark.parametrize("module", NOT_AT_START.split())
def test_first_frame_does_not_load(module: str) -> None:
    check = f"import sys, omnicrm_tui.app; sys.exit({module!r} in sys.modules)"

    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
