"""Bytecode as a terminal loads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "compile_bytecode.py"

SOURCE = '''
"""A module."""
class Thing:
    """A class."""
    value = "text"
    def method(self):
        """A method."""
        """Not its docstring, and not nothing either."""
async def only_documented():
    """A function."""
def documented_like_sqlalchemy():
    """Asserts that it is."""
    assert documented_like_sqlalchemy.__doc__
    assert False, "asserted"
'''

SHOW = """
import {library}.module as m
docs = [thing.__doc__ for thing in (m, m.Thing, m.Thing.method, m.only_documented)]
assert m.Thing.value == "text"
assert m.Thing().method() is None
try:
    m.documented_like_sqlalchemy()
except AssertionError as error:
    print(error, [doc.strip() for doc in docs])
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with one library that terminals load, and another."""
    for library in ("textual", "other"):
        (tmp_path / library).mkdir()
        (tmp_path / library / "__init__.py").touch()
        (tmp_path / library / "module.py").write_text(SOURCE)
    subprocess.run([sys.executable, "-X", "no_debug_ranges", SCRIPT, tmp_path], check=True, timeout=60)
    return tmp_path


def _told(packages: Path, library: str) -> str:
    program = [sys.executable, "-c", SHOW.format(library=library)]
    environment = {**os.environ, "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        program, env=environment, cwd=packages, check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def test_what_every_terminal_loads_has_its_assertions_and_no_docstrings(packages: Path) -> None:
    assert _told(packages, "textual") == "asserted ['', '', '', '']"


def test_other_libraries_keep_their_docstrings(packages: Path) -> None:
    assert _told(packages, "other") == "asserted ['A module.', 'A class.', 'A method.', 'A function.']"


def test_a_file_that_changed_is_read_anew(packages: Path) -> None:
    with (packages / "textual" / "module.py").open("a") as file:
        file.write("# changed\n")
    assert "A method." in _told(packages, "textual")
