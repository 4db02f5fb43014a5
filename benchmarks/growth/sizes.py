"""How large the measurements of growth are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """seconds: of load in a round; hits: queued in a round; events: the largest table.

    rate: the most hits a second end to end, 0 to find out.
    """

    seconds: float
    rounds: int
    hits: int
    events: int
    rate: float = 0.0
