"""A minute of chaos, other faults each time; the seed of a run that fails is in its output.

And, for a while, nothing but rolling restarts, of which no request may notice anything.
"""

import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--seconds=60"], ["--seconds=20", "--only=rolling restart"]])
def test_nothing_is_lost(options: list[str]) -> None:
    command = [sys.executable, "-m", "tests.chaos", *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
