"""Lines of the last minutes, as the path of a small drawing."""

from collections.abc import Sequence
from itertools import pairwise

FEWEST = 25
"""Samples that are as wide as the drawing: two minutes, by five seconds. More are drawn closer."""


def rates(times_ms: Sequence[int], totals: Sequence[int]) -> list[float]:
    """What a total grew each second between samples; 0 where it fell, as it began again."""
    points = list(zip(times_ms, totals, strict=True))
    return [
        max(0.0, (after - before) * 1000 / (later - earlier)) if later > earlier else 0.0
        for (earlier, before), (later, after) in pairwise(points)
    ]


def path(values: Sequence[float], width: int, height: int) -> str:
    """A line through all samples; the newest one is at the right edge.

    What is more than nothing is seen: it is at least a pixel high. Empty for fewer than two.
    """
    if len(values) < 2:
        return ""
    most = max(values)
    apart = width / (max(len(values), FEWEST) - 1)
    first = width - apart * (len(values) - 1)
    points = []
    for number, value in enumerate(values):
        up = max(value * (height - 2) / most, 1.0) if value > 0 else 0.0
        points.append(f"{first + number * apart:.1f} {height - 1 - up:.1f}")
    return f"M{'L'.join(points)}"
