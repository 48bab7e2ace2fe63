"""What is skipped fails in continuous integration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.forks import uncounted

HOME = Path(__file__).parents[2]

SKIPPED = {
    "by a mark": "import pytest\n@pytest.mark.skip(reason='because')\ndef test_it(): pass\n",
    "as a module": "import pytest\npytest.skip('because', allow_module_level=True)\n",
    "half way": "import pytest\ndef test_it(): pytest.skip('because')\n",
}
EXPECTED_TO_FAIL = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\ndef test_other(): pass\n"


def told(folder: Path, content: str, ci: str) -> subprocess.CompletedProcess[str]:
    """Run a test session of its own over that test."""
    (folder / "test_one.py").write_text(content)
    command = [sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    env = {**uncounted(), "CI": ci, "PYTHONPATH": str(HOME), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run([*command, str(folder)], env=env, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("how", SKIPPED)
def test_a_skip_fails_the_session(tmp_path: Path, how: str) -> None:
    done = told(tmp_path, SKIPPED[how], ci="true")
    assert done.returncode != 0
    assert "because" in done.stdout
    assert "a skip is a failure" in done.stdout


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    assert told(tmp_path, SKIPPED["by a mark"], ci="").returncode == 0


def test_what_is_expected_to_fail_is_no_skip(tmp_path: Path) -> None:
    assert told(tmp_path, EXPECTED_TO_FAIL, ci="1").returncode == 0
