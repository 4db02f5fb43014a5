"""A log that takes nothing more, as its disk is full, costs lines of the log, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded.waiting import until
from tests.worker.cast import Harbour, hit
from tests.worker.processes import process

FULL = Path("/dev/full")
LOGS = (
    "import structlog; from tracker import logs; logs.configure();"
    " log = structlog.get_logger(); [log.warning('away') for _ in range(10_000)];"
    " print('alive', [(one.event, one.times) for one in logs.recent.take()])"
)

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="only some systems have /dev/full")


def test_whoever_logs_goes_on() -> None:
    with FULL.open("w") as full:
        command = [sys.executable, "-c", LOGS]
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert ran.stdout == "alive [('away', 10000)]\n"


def test_a_worker_stores_hits(harbour: Harbour) -> None:
    with FULL.open("w") as full, process(harbour, "worker", stderr=full):
        harbour.send(hit())
        until(lambda: harbour.rows("SELECT FROM event"), "it is stored", 20)
    assert harbour.balanced() == {"stored": 1}
