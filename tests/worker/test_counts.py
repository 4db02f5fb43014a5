"""Hits by day and what became of them: each counts once, and moves on when it does."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.worker.cast import Clock, Harbour, by_hand, drain, hit, next_version
from tests.worker.test_replay import bitten, replayed
from tracker.rules.states import NO_PARTITION, Ended, changes, day_of
from tracker.stores import hit_counts

__all__ = ["bitten"]

NOON = datetime(2100, 1, 1, 12, tzinfo=UTC)


def counts(harbour: Harbour) -> dict[tuple[str, str], int]:
    """Hits by outcome and reason, of all versions and days."""
    rows = harbour.rows("SELECT outcome, reason, sum(hits)::int FROM hit_count GROUP BY 1, 2")
    return {(outcome, reason): hits for outcome, reason, hits in rows if hits}


def test_each_hit_counts_as_what_became_of_it(harbour: Harbour) -> None:
    again, bad = hit(), hit(data={})
    harbour.send(hit(), again, again, bad, bad, hit(visitor=None))
    harbour.send(hit(), b"?", key="no-such-key")
    drain(harbour)
    assert counts(harbour) == {
        ("stored", ""): 2,
        ("duplicate", ""): 2,
        ("quarantined", "invalid_data"): 1,
        ("dropped", "no_identifier"): 1,
    }
    assert harbour.balanced() == {"stored": 2, "duplicate": 2, "quarantined": 3, "dropped": 1}


def test_they_are_of_the_day_of_receipt_and_of_their_version(harbour: Harbour) -> None:
    harbour.send(hit())
    drain(harbour)
    ((version_id,),) = harbour.rows("SELECT id FROM version")
    today = datetime.now(UTC).date()
    found = hit_counts.by_day(harbour.db, [version_id], today - timedelta(days=1))
    assert [(one.outcome, one.hits) for one in found] == [("stored", 1)]
    assert abs(found[0].day - today) <= timedelta(days=1)
    by_definition = hit_counts.stored_by_day(harbour.db, [harbour.booking.id], found[0].day)
    assert by_definition == {harbour.booking.id: {found[0].day: 1}}


def test_held_hits_move_on(harbour: Harbour) -> None:
    key = next_version(harbour, NOON)
    harbour.send(hit(), hit(data={}), key=key)
    with by_hand(harbour, clock=Clock(NOON - timedelta(seconds=1))) as hand:
        hand.turn()
    assert counts(harbour) == {("held", ""): 2}
    with by_hand(harbour, clock=Clock(NOON)) as hand:
        hand.turn()
    assert counts(harbour) == {("stored", ""): 1, ("quarantined", "invalid_data"): 1}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM snippet WHERE key = 'key-2'",
        "ALTER TABLE quarantine ADD CHECK (version_id IS NULL)",
    ],
)
def test_held_hits_that_end_without_a_version_are_no_longer_held(
    harbour: Harbour, statement: str
) -> None:
    harbour.send(hit(), hit(data={}), key=next_version(harbour, NOON))
    with by_hand(harbour, clock=Clock(NOON - timedelta(seconds=1))) as hand:
        hand.turn()
    harbour.db.execute(statement.encode())
    with by_hand(harbour, clock=Clock(NOON)) as hand:
        hand.turn()
    assert "held" not in harbour.balanced()
    assert ("held", "") not in counts(harbour)


def test_replayed_hits_move_on(bitten: Harbour) -> None:
    assert counts(bitten)["quarantined", "internal_error"] == 10
    replayed(bitten, dry_run=True)
    assert counts(bitten)["quarantined", "internal_error"] == 10
    replayed(bitten)
    assert counts(bitten) == {
        ("stored", ""): 10,
        ("quarantined", "invalid_data"): 1,
        ("quarantined", "malformed"): 1,
    }


def test_workers_never_wait_for_each_other(harbour: Harbour, db: psycopg.Connection) -> None:
    harbour.send(hit(), to=0)
    harbour.send(hit(), to=1)
    drain(harbour)
    assert harbour.rows("SELECT partition, hits FROM hit_count ORDER BY 1") == [(0, 1), (1, 1)]


@pytest.mark.parametrize(("days", "rows"), [(0, 2), (1, 2), (2, 1), (400, 1), (401, 0)])
def test_days_that_are_over_are_folded_and_in_the_end_forgotten(
    harbour: Harbour, days: int, rows: int
) -> None:
    ((version_id,),) = harbour.rows("SELECT id FROM version")
    today = datetime(2026, 6, 1, tzinfo=UTC)
    day = day_of(int((today - timedelta(days=days)).timestamp() * 1000))
    hit_counts.add(harbour.db, {Ended(number, version_id, day, "stored"): 3 for number in range(2)})
    assert hit_counts.fold(harbour.db, today.date()) == 2 - rows
    found = harbour.rows("SELECT partition, hits FROM hit_count ORDER BY 1")
    assert sum(hits for _, hits in found) == (6 if rows else 0)
    assert len(found) == rows
    assert rows != 1 or found == [(NO_PARTITION, 6)]


def test_changes_are_what_they_came_to_less_what_they_were() -> None:
    stored, held = Ended(3, 1, 20_000, "stored"), Ended(3, 1, 20_000, "held")
    assert changes({stored: 5}, {}) == {stored: 5}
    assert changes({stored: 4, held: 1}, {held: 5}) == {stored: 4, held: -4}
