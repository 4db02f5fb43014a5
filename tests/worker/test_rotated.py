"""A key that was replaced: what it let into the queue is stored, however late."""

from datetime import UTC, datetime, timedelta

from tests.worker.cast import Harbour, drain, hit
from tracker.actions import regenerating


def test_hits_in_the_queue_are_stored_after_their_key_ended(harbour: Harbour) -> None:
    harbour.send(hit())
    made = regenerating.regenerate(
        harbour.db,
        harbour.redis,
        harbour.booking,
        now=datetime.now(UTC),
        grace=timedelta(0),
    )
    [new] = [one.key for one in made if one.retires_at is None]
    harbour.send(hit(), key=new)
    drain(harbour)
    assert harbour.balanced() == {"stored": 2}
