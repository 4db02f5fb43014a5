"""The audit as a job, for the operations page."""

from tests.embedded.waiting import until
from tests.worker.cast import Harbour, drain, hit
from tests.worker.processes import process
from tracker.actions import auditing
from tracker.actions.auditing import Run


def test_it_says_what_is_wrong(harbour: Harbour) -> None:
    def ran() -> Run:
        auditing.enqueue(harbour.redis)
        until(lambda: (last := auditing.last_run(harbour.redis)) and not last.goes_on)
        found = auditing.last_run(harbour.redis)
        assert found is not None
        return found

    assert auditing.last_run(harbour.redis) is None
    harbour.send(hit(), hit())
    drain(harbour)
    with process(harbour, "worker.jobs"):
        assert (ran().state, ran().problems) == ("finished", [])
        harbour.db.execute("UPDATE ledger SET hits = hits + 1")
        assert len(ran().problems) == 2
