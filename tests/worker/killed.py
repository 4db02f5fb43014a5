"""A real worker that kills itself with SIGKILL: `python -m tests.worker.killed --at PLACE`.

in_commit: inside the transaction of its first batch, all but committed;
after_commit: with the batch committed, before it is trimmed;
on_mark: in a step, on each hit that holds MARK.
"""

import argparse
import os
import signal
from typing import Any
from unittest import mock

from tracker.settings import load
from tracker.stores import batches
from worker import loop
from worker.context import Context
from worker.loop import Worker
from worker.steps import STEPS, Verdict, Work

MARK = b"fatal"
PLACES = ("in_commit", "after_commit", "on_mark")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_on_mark(work: Work, context: Context) -> Verdict | None:
    if MARK in work.queued.raw:
        die()
    return None


def then_die(function: Any) -> Any:
    def wrapped(*arguments: Any) -> None:
        function(*arguments)
        die()

    return wrapped


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", choices=PLACES, required=True)
    at = parser.parse_args().at
    worker = Worker(load(), (die_on_mark, *STEPS) if at == "on_mark" else STEPS)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    module, name = (batches, "count") if at == "in_commit" else (loop, "commit")
    if at == "on_mark":
        worker.run()
    else:
        with mock.patch.object(module, name, then_die(getattr(module, name))):
            worker.run()


if __name__ == "__main__":
    main()
