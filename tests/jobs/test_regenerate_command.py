"""`pintag snippet regenerate --all`, with a jobs process of its own; and the hits meanwhile."""

from collections.abc import Callable

from tests.embedded.waiting import until
from tests.worker.cast import Harbour
from tests.worker.processes import process

Run = Callable[..., str]


def test_what_it_says(harbour: Harbour, pintag: Run) -> None:
    command = ("snippet", "regenerate", "--all", "--rotate-key")
    with process(harbour, "worker.jobs"):
        until(lambda: harbour.redis.smembers("rq:workers:pintag"), "it is registered")
        assert "booking: pintag snippet show booking" in pintag(*command)
    ends = harbour.rows("SELECT retires_at IS NULL, count(*) FROM snippet GROUP BY 1 ORDER BY 1")
    assert ends == [(False, 1), (True, 1)]


def test_without_a_jobs_process(harbour: Harbour, pintag: Run) -> None:
    said = pintag("snippet", "regenerate", "--all", code=2)
    assert "the regeneration waits, and will run once one starts" in said
