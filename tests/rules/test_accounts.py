"""Who can be left out without locking everybody out."""

import pytest

from tracker.rules.accounts import keeps_an_owner


@pytest.mark.parametrize(
    ("owners", "leaving", "kept"),
    [
        ([1], 1, False),
        ([1], 2, True),
        ([1, 2], 1, True),
        ([1, 2], 3, True),
        # Nobody could sign in anyway.
        ([], 1, True),
    ],
)
def test_an_owner_stays(owners: list[int], leaving: int, kept: bool) -> None:
    assert keeps_an_owner(owners, leaving) is kept
