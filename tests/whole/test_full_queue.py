"""A worker that hangs until the hit queue is full: hits are refused, kept by senders, stored."""

import os
import signal
from pathlib import Path

import pytest

from tests.collector.test_backpressure import little_memory, oom_errors
from tests.embedded.waiting import until
from tests.whole.installation import Installation, installed
from tests.whole.load import Load, under_load
from tests.whole.test_killed import assert_nothing_lost, grows

pytestmark = pytest.mark.slow


def is_refused(load: Load) -> None:
    """Wait until the sender hears no, and goes on hearing it."""
    goal = load.failed + 20
    until(lambda: load.failed >= goal, "hits are refused", seconds=120)


def says(pintag: Installation, sentence: str) -> None:
    """Wait until the operators hear of it."""
    until(lambda: sentence in pintag.pintag("status", code=1), sentence, seconds=60)


def test_a_queue_that_fills_and_is_emptied_again(data_dir: Path) -> None:
    with (
        installed(data_dir) as pintag,
        pintag.redis() as redis,
        under_load(pintag) as load,
    ):
        grows(load)
        worker = pintag.state["processes"]["worker"]
        os.kill(worker, signal.SIGSTOP)
        with little_memory(redis, room=1_000_000):
            is_refused(load)
            pintag.kill("collector")
            is_refused(load)
            says(pintag, "Hits are refused: too many wait in the hit queue.")
            os.kill(worker, signal.SIGCONT)
            grows(load)
            assert oom_errors(redis) == 0
            load.stop()
            assert_nothing_lost(pintag, load)
