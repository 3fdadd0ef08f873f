"""`make setup` of a checkout that nobody has worked in yet: once from nothing, and then again."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.homes import ROOT

pytestmark = pytest.mark.full

QUICK_SECONDS = 2.0
_NOT_OF_A_CHECKOUT = shutil.ignore_patterns(".git", ".venv", ".demo", ".bench", "dist", "__pycache__", ".*_cache")


def test_the_second_time_is_quick(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=_NOT_OF_A_CHECKOUT, symlinks=True)
    first = _set_up(checkout)
    made = (checkout / ".venv" / ".stamp").stat().st_mtime_ns
    # The quickest of three: somebody else's work on this machine is not what is asked for.
    again = min(_set_up(checkout) for _ in range(3))
    record_property("count", f"make setup: {first:.0f} s from nothing, {again:.1f} s again")
    assert (checkout / ".venv" / ".stamp").stat().st_mtime_ns == made
    assert again < QUICK_SECONDS
    shown = subprocess.run([checkout / ".venv/bin/omnicrm", "--help"], capture_output=True, text=True, check=True)
    assert "customer" in shown.stdout


def _set_up(checkout: Path) -> float:
    """Run it and return how many seconds it took."""
    begin = time.monotonic()
    done = subprocess.run(
        ["make", "--no-print-directory", "setup"],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - begin
