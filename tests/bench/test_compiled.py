"""What is measured is compiled, whatever changed since `make setup`."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from bench.__main__ import OWN_PACKAGES, compile_own


def test_a_changed_module_is_compiled_before_it_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for package in OWN_PACKAGES:
        (tmp_path / package).mkdir()
    module = tmp_path / "screens" / "changed.py"
    module.write_text("ONE = 1")
    compile_own(tmp_path)
    compiled = Path(importlib.util.cache_from_source(str(module)))
    before = compiled.read_bytes()
    module.write_text("ONE = 1 + 1")
    os.utime(module, (0, 0))
    compile_own(tmp_path)
    assert compiled.read_bytes() != before
