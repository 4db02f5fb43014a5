"""kill -9 of a worker while it releases held hits, and what the next one makes of it."""

from datetime import timedelta

import pytest

from tests.worker.cast import Clock, Harbour, by_hand, hit, next_version
from tests.worker.processes import process, until_killed
from tests.worker.test_kills import FATAL, tries
from worker.loop import utc_now

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)


def overdue(harbour: Harbour, *references: str) -> None:
    """Hits that were held, in partition 2, and are due since an hour."""
    now = utc_now()
    key = next_version(harbour, now - HOUR)
    harbour.send(*(hit(data={"reference": name}) for name in references), to=2, key=key)
    with by_hand(harbour, clock=Clock(now - 2 * HOUR)) as hand:
        harbour.db.execute(
            "UPDATE version SET usable_from = now() - interval '2 days' WHERE number = 1"
        )
        hand.turn()
    assert harbour.balanced() == {"held": len(references)}


@pytest.mark.parametrize(("at", "stored"), [("in_commit", 0), ("after_commit", 40)])
def test_around_the_commit(harbour: Harbour, at: str, stored: int) -> None:
    references = sorted(f"B-{n:02}" for n in range(40))
    overdue(harbour, *references)
    until_killed(harbour, at)
    assert len(harbour.references()) == stored
    with by_hand(harbour) as hand:
        hand.turn()
    assert sorted(harbour.references()) == references
    assert harbour.balanced() == {"stored": 40}
    assert tries(harbour) == {(0, None)}


def test_a_held_hit_that_kills_the_worker_again_and_again(harbour: Harbour) -> None:
    overdue(harbour, *(f"{n:02}" for n in range(5)), FATAL, "after")
    for number in range(3):
        until_killed(harbour, "on_mark_late")
        assert (harbour.references(), harbour.quarantined()) == ([], []), number
    until_killed(harbour, "on_mark_late")  # alone
    assert sorted(harbour.references()) == [f"{n:02}" for n in range(5)]
    harbour.send(hit(data={"reference": "new"}), to=2)
    with process(harbour, "tests.worker.killed", "--at", "on_mark_late"):
        harbour.until_empty()
    assert sorted(harbour.references()) == [*(f"{n:02}" for n in range(5)), "after", "new"]
    assert harbour.quarantined() == ["dead_letter"]
    assert harbour.balanced() == {"stored": 7, "quarantined": 1}
    assert tries(harbour) == {(0, None)}


def test_a_suspect_that_is_queued_is_found_behind_held_hits(harbour: Harbour) -> None:
    """What became due since it killed its worker goes first, and takes no blame off it."""
    harbour.send(hit(data={"reference": FATAL}), hit(data={"reference": "next"}), to=2)
    for _ in range(4):
        until_killed(harbour, "on_mark")
    ((suspect,),) = harbour.rows("SELECT suspect_id FROM hit_partition WHERE number = 2")
    assert suspect
    harbour.db.execute(
        "INSERT INTO held (partition, section_id, version_id, snippet_key, raw, sent, received_at,"
        " due_at) SELECT 2, section_id, v.id, s.key, '?', 0, now(), now() FROM snippet s"
        " JOIN version v ON v.id = version_id JOIN definition d ON d.id = definition_id"
    )
    harbour.db.execute("INSERT INTO ledger VALUES (2, 'queued', 'held', '', 1)")
    harbour.db.execute("UPDATE hit_partition SET counted = counted + 1 WHERE number = 2")
    with by_hand(harbour) as hand:
        hand.turn()
    assert harbour.references() == ["next"]
    assert sorted(harbour.quarantined()) == ["dead_letter", "malformed"]
    assert +harbour.audit().states == {"stored": 1, "quarantined": 2}
