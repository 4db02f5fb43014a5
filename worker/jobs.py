"""`python -m worker.jobs`: runs the rare long jobs that RQ holds, one at a time."""

import sys

from redis import Redis
from rq import SimpleWorker

from tracker.settings import SettingsError, load
from tracker.stores.jobs import QUEUE


def main() -> int:
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    # Jobs run in this process, so that none outlives it. Without a socket timeout, as RQ waits
    # for jobs in calls that block for minutes.
    client = Redis.from_url(settings.redis_url, socket_timeout=None)
    SimpleWorker([QUEUE], connection=client).work(logging_level="WARNING")
    return 0


if __name__ == "__main__":
    sys.exit(main())
