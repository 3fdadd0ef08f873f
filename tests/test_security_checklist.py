"""The security checklist names tests that exist, and claims nothing without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CELLS = re.compile(r"^\| (\d\.[\d.,\s]+) \| (met|n/a|open) \| (.*) \| (.*?) ?\|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ITEMS = {cells[1]: cells for cells in CELLS.finditer(PAGE)}


def test_every_item_is_met_not_applicable_or_open_with_a_word_of_it() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == len(ITEMS) > 70
    assert all(cells[3].strip() for cells in ITEMS.values())


@pytest.mark.parametrize("item", ITEMS)
def test_what_is_met_has_a_test_and_nothing_else_has(item: str) -> None:
    named = re.fullmatch(r"`(test_\w+)`", ITEMS[item][4])
    assert (named is not None) == (ITEMS[item][2] == "met")
    if named:
        texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
        assert any(f"def {named[1]}(" in text for text in texts)
