"""`make requirements`: which ids have a test, read without running the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import requirements_report as report

PAGE = """# Platform
## 1. First
| id | requirement |
|---|---|
| PLT-001 | opens |
| PLT-002 | closes |
## 2. Second
| PLT-003 | locks |
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "01-platform.md").write_text(PAGE)
    (tmp_path / "tests" / "doors").mkdir(parents=True)
    return tmp_path


def write_test(tree: Path, text: str) -> None:
    (tree / "tests" / "doors" / "test_doors.py").write_text(text)


def run(tree: Path, *options: str) -> int:
    return report.main(["--pages", str(tree / "pages"), "--tests", str(tree / "tests"), *options])


def test_summary_counts_pages_sections_and_all(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_test(tree, '@pytest.mark.req("PLT-001", "PLT-003")\ndef test_a(): ...\n')

    assert run(tree) == 0
    lines = [line.split(maxsplit=3) for line in capsys.readouterr().out.splitlines()]
    assert [(counted, every, name) for counted, _, every, name in lines] == [
        ("2", "3", "01-platform"),
        ("1", "2", "1. First"),
        ("1", "1", "2. Second"),
        ("2", "3", "all"),
    ]


def test_marks_of_modules_classes_and_parameters_count(tree: Path) -> None:
    write_test(
        tree,
        'pytestmark = [pytest.mark.req("PLT-001")]\n'
        '@pytest.mark.req("PLT-002")\nclass TestDoor:\n'
        '    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.req("PLT-003"))])\n'
        "    def test_a(self, x): ...\n",
    )

    claims = report.read_claims(tree / "tests")
    assert {claim.identity for claim in claims} == {"PLT-001", "PLT-002", "PLT-003"}


def test_missing_and_tested_are_listed(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_test(tree, '@pytest.mark.req("PLT-002")\ndef test_a(): ...\n')

    run(tree, "--missing")
    assert capsys.readouterr().out.splitlines() == ["PLT-001  opens", "PLT-003  locks"]
    run(tree, "--tested")
    assert capsys.readouterr().out.split() == ["PLT-002", "closes", "tests/doors/test_doors.py:1"]


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ('req("PLT-999")', "unknown PLT-999"),
        ("req(ALL)", "ids must be written out"),
        ("req()", "ids must be written out"),
        ('req(ids="PLT-001")', "ids must be written out"),
    ],
)
def test_wrong_ids_are_errors(tree: Path, capsys: pytest.CaptureFixture[str], mark: str, message: str) -> None:
    write_test(tree, f"@pytest.mark.{mark}\ndef test_a(): ...\n")

    assert run(tree) == 1
    assert capsys.readouterr().err == f"tests/doors/test_doors.py:1: {message}\n"
