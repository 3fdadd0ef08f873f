"""The pages of docs/requirements, and the script that makes them."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from scripts import requirements
from scripts.requirements_report import PAGES, read_requirements

SPEC = """# 01 Platform
## 2. Rules [L10]
| ID | Rule | Detail | Source |
|---|---|---|---|
| PLT-001 | Acme desk | opens at `nine` ⚠ C3 [L12; alt]. In the guide it opens at ten. | [L12-14] |
| PLT-002 | `a|b` | — | [inv] |
## 3. Choices
| ID | Topic | Versions found | Suggested handling | Source |
|---|---|---|---|---|
| PLT-003 | Hours | nine vs ten | *suggest* a setting | [L9] |
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    folder = tmp_path / "spec"
    folder.mkdir()
    (folder / "00-index.md").write_text("# Index\n")
    (folder / "01-platform.md").write_text(SPEC.replace("a|b", r"a\|b"))
    (folder / "words.tsv").write_text("\\bAcme\\b\tThe\n")
    return folder


def test_page_has_ids_wordings_and_nothing_of_their_source(spec: Path, tmp_path: Path) -> None:
    assert requirements.main([str(spec), "--out", str(tmp_path / "pages")]) == 0

    assert [page.name for page in (tmp_path / "pages").iterdir()] == ["01-platform.md"]
    page = (tmp_path / "pages" / "01-platform.md").read_text()
    assert "# Platform" in page
    assert "## 2. Rules\n" in page
    assert "| PLT-001 | The desk: opens at `nine` |" in page
    assert r"| PLT-002 | `a\|b` |" in page
    assert "| PLT-003 | Hours: a setting |" in page


def test_names_of_firms_and_goods_are_replaced_in_words_keys_and_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(b"acmesoft").hexdigest()[:12]
    monkeypatch.setitem(requirements.NAMES, digest, "Ledger")
    assert requirements.without_names("AcmeSoft, https://go.acmesoft.com/, `acmesoft_id`, Acme soft") == (
        "Ledger, https://go.ledger.com/, `ledger_id`, Acme soft"
    )


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_no_page_names_a_firm(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert requirements.without_names(text) == text


def test_counts_each_prefix(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requirements.main([str(spec), "--out", str(tmp_path / "pages")])

    assert capsys.readouterr().out == "PLT 3\ntotal 3\n"


def test_folder_without_requirements_fails(tmp_path: Path) -> None:
    assert requirements.main([str(tmp_path), "--out", str(tmp_path / "pages")]) == 1


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("First sentence is here. Second one is too long", "First sentence is here."),
        ("one two three four five six seven eight nine", "one two three four five six…"),
        ("cut before a code like `alpha beta gamma`", "cut before a code like…"),
    ],
)
def test_shorten_keeps_whole_sentences_or_whole_words(text: str, short: str) -> None:
    assert requirements.shorten(text, limit=32) == short


def test_committed_pages_hold_every_requirement_once() -> None:
    rows = [line[2:9] for page in PAGES.glob("*.md") for line in page.read_text().splitlines() if "-" in line[:6]]
    ids = [row for row in rows if requirements.ROW_ID.match(row)]

    assert Counter(identity[:3] for identity in ids) == {"PLT": 612, "CAT": 576, "SVC": 529, "BIL": 535}
    assert len(set(ids)) == len(ids) == len(read_requirements())


def test_committed_pages_name_no_line_of_a_document() -> None:
    wordings = [found.wording + found.section for found in read_requirements().values()]

    assert not [text for text in wordings if "[L" in text or "xref" in text or "CONFLICT" in text]
    assert not [text for text in wordings if not text.strip()]
