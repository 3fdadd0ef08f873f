"""What the house asks of every test: known requirement ids, marked long proofs, and no silent skips."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.databases import _new_database
from tests.terminal.tmux import Tmux

pytest_plugins = ["pytester"]

CONFTEST = (Path(__file__).resolve().parents[1] / "conftest.py").read_text(encoding="utf-8")


@pytest.fixture
def house(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("OMNICRM_REFUSE_SKIPS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers =\n  req(*ids): requirements\n  full: long\n")
    return pytester


def test_unknown_requirement_stops_the_run(house: pytest.Pytester) -> None:
    house.makepyfile('import pytest\n@pytest.mark.req("PLT-001", "XYZ-001")\ndef test_a(): pass\n')

    result = house.runpytest_subprocess()
    result.stderr.fnmatch_lines(["*test_a: XYZ-001*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    "skip", ["def test_a(): pytest.skip('later')", "pytest.skip('later', allow_module_level=True)"]
)
def test_skip_is_a_failure_where_skips_are_refused(
    house: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, skip: str
) -> None:
    house.makepyfile(f"import pytest\n{skip}\n")
    assert house.runpytest_subprocess().ret in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}

    monkeypatch.setenv("OMNICRM_REFUSE_SKIPS", "")
    refused = house.runpytest_subprocess()
    assert refused.ret not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    refused.stdout.fnmatch_lines(["*skips are refused here*later*"])


def test_announced_skip_and_expected_failure_pass(house: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNICRM_REFUSE_SKIPS", "OMNICRM_OCS_RECORDING")
    house.makepyfile(
        "import pytest\n"
        "def test_a(): pytest.skip('OMNICRM_OCS_RECORDING is not set')\n"
        "@pytest.mark.xfail\ndef test_b(): assert False\n"
    )

    house.runpytest_subprocess().assert_outcomes(skipped=1, xfailed=1)


def test_a_long_proof_that_is_not_marked_stops_the_run(house: pytest.Pytester) -> None:
    package = house.mkdir("full")
    (package / "test_long.py").write_text("import pytest\n@pytest.mark.full\ndef test_a(): pass\n")
    house.runpytest_subprocess().assert_outcomes(passed=1)

    (package / "test_long.py").write_text("def test_a(): pass\n")
    result = house.runpytest_subprocess()
    result.stderr.fnmatch_lines(["*must be marked `full`*", "full/test_long.py::test_a"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("server", ["postgresql+psycopg", "mysql+pymysql"])
def test_what_needs_a_server_that_does_not_answer_says_so_and_skips(server: str) -> None:
    with pytest.raises(pytest.skip.Exception) as skipped, _new_database(f"{server}://ada:hidden@127.0.0.1:1/any"):
        pass
    assert "127.0.0.1:1" in str(skipped.value)
    assert "refused" in str(skipped.value)
    assert "hidden" not in str(skipped.value)


def test_what_needs_a_terminal_says_so_and_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.skip.Exception, match="needs tmux"):
        Tmux("true", env={})
