"""A minute of chaos, other faults each time; the seed of a run that fails is in its output."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_nothing_is_lost_in_a_minute_of_chaos() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--seconds=60"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
