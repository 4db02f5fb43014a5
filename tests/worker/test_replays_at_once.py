"""Two replays at the same moment: whatever their hits have in common, neither is given up."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.embedded.waiting import until
from tests.worker.cast import Harbour, drain, hit
from tests.worker.test_replay import broken
from tracker.rules.outcomes import Outcome, Reason
from tracker.rules.states import Move
from tracker.stores import batches, database, event_locks, identities, quarantine
from tracker.stores.identities import Name
from worker.context import Context
from worker.replay import replay_batch
from worker.steps import STEPS

Hold = Callable[[psycopg.Connection, Harbour], None]


def visitor(db: psycopg.Connection, harbour: Harbour) -> None:
    """Make visitor 1, whom the second hit of both replays is of."""
    event_locks.share_events(db)
    identities.ids(db, {Name(harbour.booking.section_id, "web", "1")})


def ledger(db: psycopg.Connection, harbour: Harbour) -> None:
    """Count a hit of partition 1 that is dropped, as the second hit of both replays is."""
    batches.count(db, Counter([Move(1, Outcome.QUARANTINED, Outcome.DROPPED, Reason.HIDDEN)]))


@pytest.mark.parametrize("hold", [visitor, ledger])
def test_two_replays_of_the_same_visitors_in_other_orders(harbour: Harbour, hold: Hold) -> None:
    for number in (0, 1, 2, 2, 1, 0):
        harbour.send(hit(str(number)), to=number)
        drain(harbour, (*STEPS[:3], broken))
    ids = quarantine.matching(harbour.db, [], None)
    if hold is ledger:
        harbour.db.execute("UPDATE definition SET hidden_at = now()")

    def replayed(some: list[int]) -> Counter[str]:
        with database.connect(harbour.settings.database_url) as connection:
            return replay_batch(connection, Context(harbour.settings), some, False)

    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with (
        ThreadPoolExecutor() as threads,
        database.connect(harbour.settings.database_url) as other,
    ):
        with other.transaction(force_rollback=True):
            hold(other, harbour)
            both = [threads.submit(replayed, some) for some in (ids[:3], ids[3:])]
            until(lambda: len(harbour.rows(waiting, harbour.db.info.dbname)) == 2, "both wait", 20)
        results = [one.result(30) for one in both]
    outcome = "dropped (hidden)" if hold is ledger else "stored"
    assert results == [{outcome: 3}, {outcome: 3}]
    assert harbour.balanced() == {outcome.split()[0]: 6}
