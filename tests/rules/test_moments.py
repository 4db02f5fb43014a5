"""Times to come, in words that send nobody too early."""

from datetime import UTC, datetime, timedelta

import pytest

from tracker.rules.moments import in_words

NOW = datetime(2026, 11, 23, 13, 51, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(minutes=12), "at 14:03:22Z (in 12 minutes)"),
        (timedelta(minutes=11, milliseconds=1), "at 14:02:22Z (in 12 minutes)"),
        (timedelta(hours=1), "at 14:51:22Z (in 60 minutes)"),
        (timedelta(hours=2), "at 15:51:22Z (in 2 hours)"),
        (timedelta(seconds=119), "at 13:53:21Z (in 119 seconds)"),
        (timedelta(seconds=1), "at 13:51:23Z (in 1 second)"),
        (timedelta(milliseconds=1), "at 13:51:22Z (in 1 second)"),
        (timedelta(days=2), "at 2026-11-25 13:51:22Z (in 2 days)"),
        (timedelta(hours=11), "at 2026-11-24 00:51:22Z (in 11 hours)"),
    ],
)
def test_in_words(wait: timedelta, words: str) -> None:
    assert in_words(NOW + wait, NOW) == words
