"""How many connections may be open at a time, in all and from one address."""

from collections import Counter

from tracker.rules.ip_addresses import network


class Connections:
    """Counts connections that are open; limits of 0 are none.

    Those without an address count in all only: a proxy's are the connections of many.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._of: Counter[str] = Counter()
        self.open = 0

    def enter(self, address: str | None) -> bool:
        """Count one more; False where that is one too many, which is not counted."""
        name = address and network(address)
        if (self._most and self.open >= self._most) or (
            name and self._most_of_one and self._of[name] >= self._most_of_one
        ):
            return False
        self.open += 1
        if name:
            self._of[name] += 1
        return True

    def leave(self, address: str | None) -> None:
        """One that entered has ended."""
        self.open -= 1
        if address:
            name = network(address)
            self._of[name] -= 1
            if not self._of[name]:
                del self._of[name]
