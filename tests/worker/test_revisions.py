"""A batch is committed only by the rules that it was judged by: else it is judged again."""

import threading

import pytest

from tests.embedded.waiting import until
from tests.worker.cast import Harbour, by_hand, hit
from tracker.rules.hits import QueuedHit
from tracker.stores import batches, database, event_locks
from tracker.stores.batches import StaleRulesError
from worker.batch import progress_of, rows_of
from worker.context import Context
from worker.steps import STEPS, Step, Verdict, Work, run


def once(harbour: Harbour, statement: str) -> Step:
    """A step that changes the rules, once, after the hit was judged by the earlier ones."""
    left = [statement]

    def change(work: Work, context: Context) -> Verdict | None:
        if left:
            harbour.db.execute(left.pop().encode())
        return None

    return change


@pytest.mark.parametrize(
    ("statement", "states"),
    [
        ("UPDATE definition SET hidden_at = now()", {"dropped": 3}),
        ("DELETE FROM snippet", {"quarantined": 3}),
        ("UPDATE section SET name = 'Port'", {"stored": 3}),
        ("UPDATE hit_partition SET tries = tries", {"stored": 3}),
    ],
)
def test_rules_that_change_while_hits_are_judged(
    harbour: Harbour, statement: str, states: dict[str, int]
) -> None:
    harbour.send(hit(), hit(), hit())
    with by_hand(harbour, (*STEPS, once(harbour, statement))) as hand:
        hand.turn()
    assert harbour.balanced() == states


def test_rules_that_change_between_two_halves(harbour: Harbour) -> None:
    """Of a batch that PostgreSQL refuses, what is committed stays; the rest is judged again."""
    harbour.db.execute(
        "ALTER TABLE event ADD CHECK (data ->> 'reference' <> 'bad');"
        "CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE definition SET hidden_at = now(); RETURN NULL; END $$;"
        "CREATE TRIGGER hide AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION hide()"
    )
    harbour.send(*(hit(data={"reference": name}) for name in ("good", "1", "bad", "3")))
    with by_hand(harbour) as hand:
        hand.turn()
    assert sorted(harbour.references()) == ["1", "good"]
    assert harbour.balanced() == {"stored": 2, "dropped": 2}


def test_nothing_is_written_by_rules_of_another_revision(harbour: Harbour) -> None:
    context = Context(harbour.settings)
    context.refresh(harbour.db)
    work = run(QueuedHit(0, "5-0", harbour.key, 0, b"?"), context)
    harbour.db.execute("UPDATE installation SET revision = revision + 1")
    rows = rows_of([work], progress_of({0: "0-0"}, [work.queued]))
    with pytest.raises(StaleRulesError):
        batches.commit(harbour.db, rows)
    assert harbour.balanced() == {}


def test_a_batch_waits_for_an_erasure_and_is_judged_after_it(harbour: Harbour) -> None:
    harbour.send(hit())
    with by_hand(harbour) as hand, database.connect(harbour.settings.database_url) as other:
        with other.transaction():
            event_locks.take_events(other)
            thread = threading.Thread(target=hand.turn)
            thread.start()
            waiting = "SELECT FROM pg_locks WHERE classid = 7363 AND NOT granted"
            until(lambda: harbour.rows(waiting), "the batch waits")
            other.execute("UPDATE definition SET hidden_at = now()")
        thread.join(60)
    assert harbour.balanced() == {"dropped": 1}


def test_batches_do_not_wait_for_each_other(harbour: Harbour) -> None:
    harbour.send(hit())
    with by_hand(harbour) as hand, harbour.db.transaction():
        event_locks.share_events(harbour.db)
        hand.turn()
    assert harbour.balanced() == {"stored": 1}
