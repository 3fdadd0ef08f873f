"""Load the shared fixtures, and hold tests to what the house asks of all of them."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

from scripts.requirements_report import known_ids

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

pytest_plugins = [
    f"tests.fixtures.{path.stem}"
    for path in sorted((Path(__file__).parent / "fixtures").glob("*.py"))
    if path.stem != "__init__"
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stop at a requirement id that docs/requirements does not know, and at a long proof that is not marked as one."""
    known = known_ids()
    unknown = {
        f"{item.nodeid}: {identity}"
        for item in items
        for mark in item.iter_markers("req")
        for identity in mark.args
        if identity not in known
    }
    if unknown:
        raise pytest.UsageError("unknown requirement ids:\n" + "\n".join(sorted(unknown)))
    long = Path(__file__).parent / "full"
    unmarked = [item.nodeid for item in items if long in item.path.parents and not item.get_closest_marker("full")]
    if unmarked:
        raise pytest.UsageError("tests of tests/full must be marked `full`:\n" + "\n".join(unmarked))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _refuse_skip(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted (`record_property("count", ...)`), so that a walk shows how far it went."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in getattr(report, "user_properties", ()):
            if name == "count" and report.when == "call":
                terminalreporter.write_line(f"counted: {value}")


def _refuse_skip(report: Report) -> Report:
    """Where OMNICRM_REFUSE_SKIPS is set, a skip fails, unless its reason names a variable set aside there."""
    announced = os.environ.get("OMNICRM_REFUSE_SKIPS")
    if announced is None or not report.skipped or hasattr(report, "wasxfail"):
        return report
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if not any(name in reason for name in announced.split()):
        report.outcome = "failed"
        report.longrepr = f"skipped, and skips are refused here: {reason}"
    return report
