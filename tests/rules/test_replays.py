"""Which versions quarantined hits may be replayed against."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from tracker.rules.replays import refusal, replayable

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Version(NamedTuple):
    number: int
    usable_from: datetime


VERSIONS = [
    Version(4, NOW + timedelta(minutes=12)),
    Version(3, NOW),
    Version(2, NOW - timedelta(hours=9)),
    Version(1, NOW - timedelta(days=9)),
]


@pytest.mark.parametrize(
    ("owns", "may"),
    [
        ([1], [3, 2, 1]),
        ([2], [3, 2]),
        ([3], [3]),
        ([4], [4]),  # its own, though it can't be used yet: then it is held
        ([1, 2], [3, 2]),
        ([2, 1, 3], [3]),
        ([1, 4], []),
        ([3, 4], []),
    ],
)
def test_their_own_version_or_a_later_one_that_can_be_used(owns: list[int], may: list[int]) -> None:
    assert [one.number for one in replayable(owns, VERSIONS, NOW)] == may
    for one in VERSIONS:
        assert (refusal(owns, one.number, VERSIONS, NOW) == "") is (one.number in may)


@pytest.mark.parametrize(
    ("owns", "number", "why"),
    [
        ([1], 9, "The event has no version 9. The versions are: 1, 2, 3, 4."),
        ([1], 0, "no version 0"),
        ([1, 3], 2, "Hits of version 3 can't be replayed against version 2"),
        ([1], 4, "Version 4 can be used at 12:12:00Z (in 12 minutes)"),
        ([1, 4], 4, "Version 4 can be used at 12:12:00Z"),
        ([1, 4], 1, "Hits of version 4 can't be replayed against version 1"),
    ],
)
def test_it_says_why_not(owns: list[int], number: int, why: str) -> None:
    assert why in refusal(owns, number, VERSIONS, NOW)
