"""Attempts to say a password, of which only so many may be wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from tracker.actions.signing_in import WrongPasswordError
from tracker.rules.ip_addresses import network
from tracker.rules.rates import AtMost

ATTEMPTS, MINUTES = 10, 15
"""How often one name may be tried in vain in that time from one network, by each web process."""
MOST = 100
"""The same from all networks together: were it no more, whoever knows a name kept its owner out."""


class TooManyError(Exception):
    """Nothing was tried; the message says when to come again."""

    def __init__(self, wait: int) -> None:
        minutes = -(-wait // 60)
        super().__init__(f"Too many attempts for this name. Try again in {minutes} minutes.")


class Attempts:
    """Counts the wrong ones, by name and by who tries. Its methods run in several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Count from nothing."""
        self._here = AtMost(ATTEMPTS, MINUTES * 60)
        self._anywhere = AtMost(MOST, MINUTES * 60)

    @contextmanager
    def attempt(self, name: str, ip_address: str) -> Iterator[None]:
        """Try one within this: it counts if it raises WrongPasswordError. Raises TooManyError."""
        name = name.casefold()[:200]
        here = f"{network(ip_address)} {name}"
        self._take(here, name)
        is_wrong = False
        try:
            yield
        except WrongPasswordError:
            is_wrong = True
            raise
        finally:
            if not is_wrong:
                with self._lock:
                    self._here.give_back(here)
                    self._anywhere.give_back(name)

    def _take(self, here: str, name: str) -> None:
        with self._lock:
            now = monotonic()
            if wait := self._here.take(here, now):
                raise TooManyError(wait)
            if wait := self._anywhere.take(name, now):
                self._here.give_back(here)
                raise TooManyError(wait)
