"""What workers see to once a day: one of them enqueues the retention."""

from datetime import UTC, datetime, timedelta

from tests.embedded.waiting import until
from tests.jobs.planting import plant
from tests.worker.cast import Harbour, by_hand, working
from tests.worker.processes import process
from tracker.rules.states import EXPIRED
from tracker.stores import erasures, jobs


def test_several_workers_enqueue_it_once(harbour: Harbour) -> None:
    today = datetime.now(UTC).date()
    with by_hand(harbour), by_hand(harbour), working(harbour.settings):
        until(lambda: jobs.current(harbour.redis), "it is enqueued")
    ids = {job.id for job in jobs.current(harbour.redis)}
    assert ids <= {f"retention-{today + timedelta(days=n)}" for n in (0, 1)}
    assert len(ids) == 1 or datetime.now(UTC).date() != today


def test_it_deletes_and_takes_up_what_was_left(harbour: Harbour) -> None:
    harbour.db.execute("UPDATE definition SET ttl_days = 10")
    plant(harbour, datetime.now(UTC) - timedelta(days=11))
    with process(harbour, "worker.jobs"):
        until(lambda: harbour.redis.smembers("rq:workers:pintag"), "it is registered")
        # Written down, but its job never came to Redis.
        erasures.ask(harbour.db, "era_lost", harbour.booking.section_id, 1, datetime.now(UTC))
        with by_hand(harbour):
            until(lambda: EXPIRED in harbour.audit().states, "the events are deleted")
        until(lambda: erasures.unfinished(harbour.db) == [], "the erasure is finished")
    assert harbour.balanced() == {EXPIRED: 1}
