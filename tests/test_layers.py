"""What the application is made of, and what the terminal's process pays for before its first frame."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

NOT_AT_START = "fastapi starlette uvicorn ansible ansible_runner weasyprint alembic"


@pytest.mark.parametrize("module", NOT_AT_START.split())
def test_first_frame_does_not_load(module: str) -> None:
    check = f"import sys, omnicrm_tui.app; sys.exit({module!r} in sys.modules)"

    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.req("PLT-062")
def test_it_stands_on_what_the_guide_names_and_says_where_it_does_not() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[^a-z0-9-]", line)[0] for line in project["dependencies"]}
    assert needed >= {"sqlalchemy", "alembic", "ansible-core", "fastapi"}
    assert "| Flask | FastAPI |" in (ROOT / "docs" / "decisions.md").read_text()
