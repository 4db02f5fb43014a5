"""How many hits a second may come of a snippet, of one of its visitors, and from an address."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tracker.rules.hits import MAX_VISITOR, visitor_of
from tracker.rules.ip_addresses import network
from tracker.rules.rates import Rates
from tracker.rules.refusals import Refusal

Charge = tuple[Rates, str, int, Refusal]
"""What a request takes: which buckets, whose name, how many hits; and the refusal if it can't."""


class OverRateError(Exception):
    """Hits come faster than they may; wait: in how many seconds they are let in."""

    def __init__(self, refusal: Refusal, wait: int) -> None:
        super().__init__(refusal.meaning)
        self.refusal, self.wait = refusal, wait


class HitRates:
    """Limits in hits a second, each with bursts of up to ten seconds' worth; 0: none."""

    def __init__(self, snippet: int = 0, visitor: int = 0, address: int = 0) -> None:
        self._snippet = Rates(snippet) if snippet else None
        self._visitor = Rates(visitor) if visitor else None
        self._address = Rates(address) if address else None
        self.on = bool(snippet or visitor or address)

    def take(
        self, key: str, address: str | None, hits: Sequence[bytes | memoryview], now: float
    ) -> list[Charge]:
        """Take a request's hits from all buckets that they belong to, or from none.

        Returns what `give_back` wants. Raises OverRateError.
        """
        taken: list[Charge] = []
        for charge in self._charges(key, address, hits):
            rates, name, count, refusal = charge
            if wait := rates.take(name, count, now):
                self.give_back(taken, now)
                raise OverRateError(refusal, wait)
            taken.append(charge)
        return taken

    def give_back(self, taken: Sequence[Charge], now: float) -> None:
        """What was refused in the end must not count as sent."""
        for rates, name, count, _ in taken:
            rates.take(name, -count, now)

    def _charges(
        self, key: str, address: str | None, hits: Sequence[bytes | memoryview]
    ) -> Iterator[Charge]:
        if self._snippet is not None:
            yield self._snippet, key, len(hits), Refusal.TOO_MANY
        if self._address is not None and address:
            yield self._address, network(address), len(hits), Refusal.ADDRESS_RATE
        if self._visitor is not None:
            for visitor, count in Counter(map(visitor_of, hits)).items():
                if visitor:
                    name = f"{key} {visitor[:MAX_VISITOR]}"
                    yield self._visitor, name, count, Refusal.VISITOR_RATE
