"""A jobs process that kills itself with SIGKILL: `python -m tests.jobs.killed --after FUNCTION`.

It dies right after the first call of a function of tracker/stores/erasures.py.
"""

import argparse
from unittest import mock

from tests.worker.killed import then_die
from tracker.stores import erasures
from worker import jobs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--after", required=True)
    name = parser.parse_args().after
    with (
        mock.patch.object(erasures, name, then_die(getattr(erasures, name))),
        mock.patch.object(erasures, "BATCH", 3),
    ):
        jobs.main()


if __name__ == "__main__":
    main()
