"""When collectors stop taking hits, so that senders keep them rather than Redis run out."""

from collections.abc import Sequence

import msgspec

LOW = 0.9
"""Of a mark: below it hits are taken again, so that nobody is let in and sent away by turns."""
SHORTEST, LONGEST = 5, 60
"""Seconds after which senders may try again: at the mark, and where it is passed by a quarter."""
_FAR = 0.25
"""80% is a usual mark for memory, and a quarter more of that is all there is."""


class Depth(msgspec.Struct, frozen=True):
    """The hit queue at one moment.

    hits: how many wait; memory: bytes of Redis's limit that are in use; seconds: since the oldest
    waiting hit came.
    """

    hits: int = 0
    memory: int = 0
    limit: int = 0
    seconds: float = 0.0


class Marks(msgspec.Struct, frozen=True):
    """How full the hit queue may become; percent: of Redis's memory; 0: no mark."""

    percent: int = 0
    hits: int = 0
    seconds: int = 0


def together(depths: Sequence[Depth]) -> Depth:
    """The depth of a queue over several servers, of which the fullest decides."""
    fullest = max(depths, key=lambda depth: _share(depth.memory, depth.limit))
    return Depth(
        sum(depth.hits for depth in depths),
        fullest.memory,
        fullest.limit,
        max(depth.seconds for depth in depths),
    )


def fullness(depth: Depth, marks: Marks) -> float:
    """How near the queue is to its nearest mark, at which this is 1."""
    return max(
        _share(depth.memory * 100, depth.limit * marks.percent),
        _share(depth.hits, marks.hits),
        _share(depth.seconds, marks.seconds),
    )


def _share(of: float, mark: int) -> float:
    return of / mark if mark else 0.0


def retry_after(full: float, refusing: bool) -> int:
    """Seconds after which senders may try again; 0: hits are taken. Refusing: up to now."""
    if full < (LOW if refusing else 1.0):
        return 0
    behind = min(1.0, max(0.0, full - 1.0) / _FAR)
    return round(SHORTEST + behind * (LONGEST - SHORTEST))
