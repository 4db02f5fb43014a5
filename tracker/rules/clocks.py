"""Wrong clocks: by how much the times that a sender told are corrected, if at all.

All is in milliseconds. An estimate is a request's receipt, by the server's clock, less when it was
sent, by the sender's: by how much that clock is behind, and the request's latency on top. Each
request has another latency. So that this noise never changes the order of a sender's hits, one
correction is kept for its clock (`kept`) until an estimate shows that the clock was set.

A clock that is less than 30 s off is never corrected, one that is more than 90 s off always. In
between, the first request that seems to be more than 30 s off decides it, for good. All of that
holds for latencies of less than 30 s.
"""

RIGHT = 30_000
"""A request that is off by no more may come from a clock that is right: it is left as it is."""
WRONG = 60_000
"""A clock's first estimate that is more off shows that the clock is wrong.

Farther from RIGHT than latencies differ: a clock of which some requests are left as they are has
none that are corrected.
"""
SET = 120_000
"""A wrong clock is taken for the same until an estimate differs by more from its correction."""
SAME = 30_000
"""The same where the estimate may also be that of a clock which was set right: latencies differ
by no more."""
MOST = 30 * 86_400_000 + RIGHT
"""Beyond 30 days it is no wrong clock: whoever wrote the sender meant another unit, say."""


def estimate(sent_ms: int, received_ms: int) -> int:
    """How far a request is off; 0 where it does not say when it was sent, or nothing credible."""
    off = received_ms - sent_ms
    return off if sent_ms and abs(off) <= MOST else 0


def is_off(sent_ms: int, received_ms: int) -> bool:
    """Whether a request's times may have to be corrected; most requests' need not."""
    return abs(received_ms - sent_ms) > RIGHT and estimate(sent_ms, received_ms) != 0


def correction(estimate: int, kept: int | None) -> int:
    """What to add to the times of a request that is off; keep it for the next of the same clock."""
    near = abs(estimate) <= WRONG
    if kept is not None and abs(estimate - kept) <= (SAME if near else SET):
        return kept
    return 0 if near else estimate


_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (0, "s"))


def told(correction: int) -> str:
    """A correction as people read it: `clock was 2.5 h ahead`."""
    most = abs(correction)
    size, name = next(unit for unit in _UNITS if most >= unit[0])
    amount = f"{most / (size or 1000):.1f}".removesuffix(".0")
    return f"clock was {amount} {name} {'behind' if correction > 0 else 'ahead'}"
