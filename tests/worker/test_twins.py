"""An event that somebody else stores at the very moment at which a batch or a replay does."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import msgspec

from tests.embedded.waiting import until
from tests.worker.cast import Harbour, by_hand, drain, hit
from tests.worker.test_replay import broken
from tracker.rules.hits import QueuedHit
from tracker.rules.outcomes import Outcome
from tracker.rules.states import NO_PARTITION, POSTED, Move
from tracker.stores import batches, database, events, quarantine
from worker.batch import event_row
from worker.context import Context
from worker.replay import replay_batch
from worker.steps import STEPS, run


@contextmanager
def stored_meanwhile(harbour: Harbour, twin: dict[str, Any]) -> Iterator[None]:
    """Somebody stores an event of this id, and commits it when the other one waits for that."""
    context = Context(harbour.settings)
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with database.connect(harbour.settings.database_url) as other, other.transaction():
        context.refresh(other)
        queued = QueuedHit(0, f"{twin['at']}-0", harbour.key, twin["at"], msgspec.json.encode(twin))
        events.store(other, [event_row(run(queued, context))])
        batches.count(other, Counter({Move(NO_PARTITION, POSTED, Outcome.STORED): 1}))
        yield
        until(lambda: harbour.rows(waiting, harbour.db.info.dbname), "the other one waits", 20)


def test_a_batch_stores_the_others_and_counts_a_duplicate(harbour: Harbour) -> None:
    twin = hit("ann")
    harbour.send(hit("ben"), {**twin, "visitor": "cid"}, hit("ben"))
    with by_hand(harbour) as hand, ThreadPoolExecutor() as threads:
        with stored_meanwhile(harbour, twin):
            turn = threads.submit(hand.turn)
        turn.result(30)
    assert harbour.balanced() == {"stored": 3, "duplicate": 1}


def test_a_replay_does_too(harbour: Harbour) -> None:
    twin = hit("ann")
    harbour.send(hit("ben"), {**twin, "visitor": "cid"}, hit("ben"))
    drain(harbour, (*STEPS[:3], broken))
    ids = quarantine.matching(harbour.db, [], None)

    def replayed() -> Counter[str]:
        with database.connect(harbour.settings.database_url) as connection:
            return replay_batch(connection, Context(harbour.settings), ids, False)

    with ThreadPoolExecutor() as threads:
        with stored_meanwhile(harbour, twin):
            replay = threads.submit(replayed)
        assert replay.result(30) == {"stored": 2, "duplicate": 1}
    assert harbour.balanced() == {"stored": 3, "duplicate": 1}
