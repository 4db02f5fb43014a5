"""kill -9 of a worker, and what the next one makes of it."""

import pytest

from tests.worker.cast import Harbour, by_hand, drain, hit, working
from tests.worker.killed import MARK
from tests.worker.processes import process, until_killed
from tracker.settings import Settings
from worker.context import Context
from worker.steps import STEPS, Verdict, Work

pytestmark = pytest.mark.slow

FATAL = MARK.decode()


def tries(harbour: Harbour) -> set[tuple[int, str | None]]:
    return {
        (n, suspect) for n, suspect in harbour.rows("SELECT tries, suspect_id FROM hit_partition")
    }


@pytest.mark.parametrize(("at", "stored"), [("in_commit", 0), ("after_commit", 40)])
def test_a_worker_killed_around_its_commit(harbour: Harbour, at: str, stored: int) -> None:
    references = sorted(f"B-{n:02}" for n in range(40))
    for number, reference in enumerate(references):
        harbour.send(hit(data={"reference": reference}), to=number % 4)
    until_killed(harbour, at)
    assert len(harbour.references()) == stored
    drain(harbour)
    assert sorted(harbour.references()) == references
    assert harbour.balanced() == {"stored": 40}
    assert tries(harbour) == {(0, None)}


def test_a_hit_that_kills_the_worker_again_and_again(harbour: Harbour) -> None:
    for number in range(30):
        harbour.send(hit(data={"reference": f"{number:02}"}), to=number % 3)
    harbour.send(hit(data={"reference": FATAL}), hit(data={"reference": "after"}))
    for number in range(3):
        until_killed(harbour, "on_mark")
        assert (harbour.references(), harbour.quarantined()) == ([], []), number
    until_killed(harbour, "on_mark")  # alone
    with process(harbour, "tests.worker.killed", "--at", "on_mark"):
        harbour.until_empty()
    assert sorted(harbour.references()) == [*(f"{n:02}" for n in range(30)), "after"]
    assert harbour.quarantined() == ["dead_letter"]
    assert harbour.balanced() == {"stored": 31, "quarantined": 1}
    assert tries(harbour) == {(0, None)}


def test_deaths_without_hits_at_hand_are_no_tries(harbour: Harbour) -> None:
    for _ in range(5):
        with by_hand(harbour) as hand:
            hand.turn()
    assert tries(harbour) == {(0, None)}


def test_reconnects_and_graceful_stops_are_no_tries(harbour: Harbour) -> None:
    failing = 5

    def flaky(work: Work, context: Context) -> Verdict | None:
        nonlocal failing
        if failing:
            failing -= 1
            harbour.db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return None

    for _ in range(5):
        harbour.send(hit())
        drain(harbour)
    harbour.send(hit())
    drain(harbour, (flaky, *STEPS))
    assert failing == 0
    assert harbour.balanced() == {"stored": 6}
    assert tries(harbour) == {(0, None)}


def test_a_database_that_goes_away_is_no_proof_against_the_hit_run_alone(harbour: Harbour) -> None:
    away = [True]

    def cut_off(work: Work, context: Context) -> Verdict | None:
        if b"suspect" in work.queued.raw and away and away.pop():
            harbour.db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return None

    harbour.db.execute("UPDATE hit_partition SET tries = 3")
    harbour.send(hit(data={"reference": "first"}), hit(data={"reference": "suspect"}))
    drain(harbour, (cut_off, *STEPS))
    assert (away, harbour.balanced()) == ([], {"stored": 2})


def test_care_in_one_partition_is_none_in_the_others(harbour: Harbour) -> None:
    harbour.db.execute("UPDATE hit_partition SET tries = 3 WHERE number = 1")
    for partition in (0, 1, 2):
        harbour.send(hit(), hit(), to=partition)
    with by_hand(harbour) as hand:
        assert [n for n, owned in hand.partitions.owned.items() if owned.careful] == [1]
        harbour.db.execute("UPDATE hit_partition SET last_id = '5-5' WHERE number = 1")
        hand.turn()  # partition 1 is lost, what the others had is not
        assert harbour.audit().states == {"stored": 4}
        harbour.db.execute("UPDATE hit_partition SET last_id = '0-0' WHERE number = 1")
        hand.partitions.balance()
        hand.turn()
        assert not any(owned.careful for owned in hand.partitions.owned.values())
    assert harbour.balanced() == {"stored": 6}
    assert tries(harbour) == {(0, None)}


def test_stopping_gives_everything_back(harbour: Harbour, settings: Settings) -> None:
    harbour.db.execute("UPDATE hit_partition SET tries = 2, suspect_id = '1-1'")
    with working(settings):
        harbour.send(hit())
        harbour.until_empty()
    assert tries(harbour) == {(0, None)}
