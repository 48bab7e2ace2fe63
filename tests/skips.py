"""In continuous integration a skipped test is a failure: what is skipped there is never seen by anybody."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

NOT_CI = ("", "0", "false")  # values of the variable CI that do not mean it


def in_ci() -> bool:
    """Does the environment say so, as all the common services do?"""
    return os.environ.get("CI", "").lower() not in NOT_CI


def _refused(report: pytest.TestReport | pytest.CollectReport) -> None:
    if in_ci() and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nIn continuous integration (CI is set) a skip is a failure."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that was skipped."""
    report = yield
    _refused(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that was skipped."""
    report = yield
    _refused(report)
    return report
