"""`python -m worker`: one worker process, until SIGTERM or SIGINT."""

import signal
import sys

from tracker import startup
from tracker.settings import SettingsError, load
from worker.loop import Worker


def main() -> int:
    startup.begin()
    try:
        worker = Worker(load())
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: worker.stop())
    try:
        worker.run()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
