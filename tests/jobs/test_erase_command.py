"""`pintag profile erase`: what it asks, what it says, and what it leaves."""

import io
from collections.abc import Callable

import pytest

from tests.embedded.waiting import until
from tests.jobs.people import ann_comes, ben_lives_here
from tests.worker.cast import Harbour
from tests.worker.processes import process
from tracker.rules.states import ERASED

Run = Callable[..., str]
ANN = ("profile", "erase", "Ann@Example.com", "--keyspace", "email")


@pytest.fixture
def people(harbour: Harbour) -> Harbour:
    ben_lives_here(harbour)
    ann_comes(harbour)
    return harbour


def test_what_it_says(people: Harbour, pintag: Run) -> None:
    with process(people, "worker.jobs"):
        until(lambda: people.redis.smembers("rq:workers:pintag"), "it is registered")
        out = pintag(*ANN, "--yes")
        assert "Erased." in out
        assert "12 events deleted" in out
        assert "4 quarantined deleted" in out
    assert people.balanced()[ERASED] == 18
    out = pintag(*ANN, "--yes", code=2)
    assert "No profile has the email 'ann@example.com'" in out


def test_without_a_jobs_process_it_waits(people: Harbour, pintag: Run) -> None:
    assert "the erasure waits, and will run once one starts" in pintag(*ANN, "--yes", code=2)
    assert "waiting" in pintag("jobs")
    with process(people, "worker.jobs"):
        until(lambda: ERASED in people.audit().states, "it runs")
        until(lambda: not people.rows("SELECT FROM erasure WHERE finished_at IS NULL"), "it ends")
    assert people.balanced()[ERASED] == 18


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nobody", "--yes"), "No profile has the web 'nobody'"),
        (("x", "--keyspace", "e-mail"), "The keyspaces are: web, email"),
        (("x", "--keyspace", "email"), "looks like ann@example.com"),
    ],
    ids=str,
)
def test_whom_it_cannot_erase(
    harbour: Harbour, pintag: Run, arguments: tuple[str, ...], says: str
) -> None:
    assert says in pintag("profile", "erase", *arguments, code=2)


def test_it_asks_first(people: Harbour, pintag: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    out = pintag(*ANN, code=1)
    assert "Erase the email 'ann@example.com' for good?" in out
    assert people.rows("SELECT * FROM erasure") == []
