"""The ledger's arithmetic."""

from collections import Counter

import pytest

from tracker.rules.outcomes import Outcome
from tracker.rules.states import (
    DISCARDED,
    QUEUED,
    Move,
    outcome_imbalances,
    queue_imbalance,
    state_counts,
)

STORED, QUARANTINED, HELD = str(Outcome.STORED), str(Outcome.QUARANTINED), str(Outcome.HELD)
LEDGER = Counter(
    {
        Move(0, QUEUED, STORED): 10,
        Move(1, QUEUED, STORED): 5,
        Move(1, QUEUED, QUARANTINED, "malformed"): 4,
        Move(1, QUEUED, Outcome.DUPLICATE): 2,
        Move(1, QUARANTINED, STORED): 1,
        Move(1, QUARANTINED, DISCARDED): 1,
    }
)
COUNTED = {0: 10, 1: 11, 2: 0}
ROWS = {STORED: 16, QUARANTINED: 2, HELD: 0}


def test_a_state_has_what_came_in_less_what_went_out() -> None:
    assert state_counts({}) == {}
    assert state_counts(LEDGER) == {
        STORED: 16,
        QUARANTINED: 2,
        Outcome.DUPLICATE: 2,
        DISCARDED: 1,
    }


@pytest.mark.parametrize(
    ("added", "queued", "counted", "off"),
    [
        (0, 0, 0, None),
        (9, 4, 5, None),
        (9, 0, 9, None),
        (9, 4, 4, "1 too few"),
        (9, 0, 0, "9 too few"),
        (9, 4, 7, "2 too many"),
    ],
)
def test_what_was_added_is_queued_or_was_read(
    added: int, queued: int, counted: int, off: str | None
) -> None:
    message = queue_imbalance(3, added=added, queued=queued, counted=counted)
    if off is None:
        assert message is None
    else:
        assert message == (
            f"partition 3: Redis took {added} hits, {counted} were read and {queued} are queued:"
            f" {off}"
        )


def test_books_that_balance() -> None:
    assert outcome_imbalances(COUNTED, LEDGER, ROWS) == []
    assert outcome_imbalances({}, {}, {STORED: 0, QUARANTINED: 0, HELD: 0}) == []


@pytest.mark.parametrize(
    ("counted", "rows", "problem"),
    [
        ({0: 12}, {}, "partition 0: 12 hits were read, 10 have an outcome: 2 too few"),
        ({1: 9}, {}, "partition 1: 9 hits were read, 11 have an outcome: 2 too many"),
        ({2: 1}, {}, "partition 2: 1 hits were read, 0 have an outcome: 1 too few"),
        ({}, {STORED: 15}, "stored: the ledger says 16, the table has 15 rows: 1 too few"),
        ({}, {QUARANTINED: 5}, "quarantined: the ledger says 2, the table has 5 rows: 3 too many"),
    ],
)
def test_books_that_do_not(counted: dict[int, int], rows: dict[str, int], problem: str) -> None:
    assert outcome_imbalances(COUNTED | counted, LEDGER, ROWS | rows) == [problem]


def test_outcomes_of_a_partition_that_nobody_knows() -> None:
    ledger = LEDGER + Counter({Move(9, QUEUED, Outcome.DROPPED, "hidden"): 3})
    assert outcome_imbalances(COUNTED, ledger, ROWS) == [
        "partition 9: 0 hits were read, 3 have an outcome: 3 too many"
    ]
