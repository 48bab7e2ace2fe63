"""Coverage's plugin of these tests, in a Python of its own."""

from __future__ import annotations

import subprocess
import sys

from tests.forks import uncounted
from tests.unit.labs import ROOT

#: Starts a program while the tracer's lock is held, as by another thread; between fork and exec a line is met that
#: would be counted.
SCRIPT = """
import subprocess
from coverage import Coverage
counting = Coverage(config_file=False, data_file=None, include=["/between.py"])
counting.set_option("run:plugins", ["tests.forks"])
counting.start()
between = compile("pass", "/between.py", "exec")
with counting._collector.data_lock:
    started = subprocess.Popen(["true"], preexec_fn=lambda: exec(between, {}))
print(started.wait())
"""


def test_a_program_starts_whoever_holds_the_tracers_lock() -> None:
    command = (sys.executable, "-c", SCRIPT)
    ended = subprocess.run(command, cwd=ROOT, env=uncounted(), timeout=20, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("0\n", "")
