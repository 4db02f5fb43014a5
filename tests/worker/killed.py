"""A real worker that kills itself with SIGKILL: `python -m tests.worker.killed --at PLACE`.

in_commit: inside the transaction of its first batch, all but committed;
after_commit: with the batch committed, before it is trimmed;
on_mark: in a step, on each hit that holds MARK;
on_mark_late: the same in a last step, which held hits come to once they are due.
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
PLACES = ("in_commit", "after_commit", "on_mark", "on_mark_late")


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
    steps = {"on_mark": (die_on_mark, *STEPS), "on_mark_late": (*STEPS, die_on_mark)}
    worker = Worker(load(), steps.get(at, STEPS))
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    module, name = (batches, "count") if at == "in_commit" else (loop, "commit")
    if at in steps:
        worker.run()
    else:
        with mock.patch.object(module, name, then_die(getattr(module, name))):
            worker.run()


if __name__ == "__main__":
    main()
