"""`pintag retention run`, with a jobs process of its own."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.embedded.waiting import until
from tests.jobs.planting import plant
from tests.worker.cast import Harbour
from tests.worker.processes import process
from tracker.rules.states import EXPIRED

Run = Callable[..., str]


def test_what_it_says(harbour: Harbour, pintag: Run) -> None:
    assert "the deletion waits, and will run once one starts" in pintag("retention", "run", code=2)
    with process(harbour, "worker.jobs"):
        until(lambda: harbour.redis.smembers("rq:workers:pintag"), "it is registered")
        assert "Nothing is too old." in pintag("retention", "run")
        harbour.db.execute("UPDATE definition SET ttl_days = 10")
        plant(harbour, datetime.now(UTC) - timedelta(days=11), datetime.now(UTC))
        assert json.loads(pintag("retention", "run", "--json")) == {"events": 1}
        assert harbour.balanced() == {"stored": 1, EXPIRED: 1}
