"""Turns for what is costly: so many at once, a few more wait, and all others come again later."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_SECONDS = 5
"""After which it is worthwhile to ask again."""
AGAIN = f"Try again in {AGAIN_SECONDS} seconds."


class BusyError(Exception):
    """Too many ask for the same at once: nothing was done, and it can be asked for again."""


class Turns:
    """Of one process, for its threads."""

    def __init__(self, at_once: int, waiting: int = 0) -> None:
        self._room = threading.BoundedSemaphore(at_once + waiting)
        self._turn = threading.BoundedSemaphore(at_once)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn, and have it for as long as the block runs. Raises BusyError."""
        if not self._room.acquire(blocking=False):
            raise BusyError(f"Too many ask for this at the moment. {AGAIN}")
        try:
            with self._turn:
                yield
        finally:
            self._room.release()
