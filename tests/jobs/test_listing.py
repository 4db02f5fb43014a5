"""`pintag jobs`: what runs, what waits, and what failed, and why."""

import json
from collections.abc import Callable

import pytest

from tests.embedded.waiting import until
from tests.worker.cast import Harbour
from tests.worker.processes import process
from tracker.stores import jobs

Run = Callable[..., str]


def test_no_job(harbour: Harbour, pintag: Run) -> None:
    assert "No job runs, waits or has failed." in pintag("jobs")
    assert json.loads(pintag("jobs", "--json")) == []


def test_jobs_that_wait_and_that_failed(harbour: Harbour, pintag: Run) -> None:
    wrong = jobs.enqueue(harbour.redis, jobs.REPLAY, ["no id"])
    with process(harbour, "worker.jobs"), pytest.raises(jobs.JobFailedError):
        jobs.wait(wrong, lambda *_: None)
    jobs.enqueue(harbour.redis, jobs.REPLAY, [1])
    rows = json.loads(pintag("jobs", "--json"))
    assert [(row["name"], row["state"]) for row in rows] == [
        ("replay", "waiting"),
        ("replay", "failed"),
    ]
    assert 'invalid input syntax for type bigint: "no id"' in pintag("jobs")


def test_a_running_job_says_how_far_it_is(harbour: Harbour, pintag: Run) -> None:
    with harbour.db.transaction():
        harbour.db.execute("LOCK TABLE quarantine")
        job = jobs.enqueue(harbour.redis, jobs.REPLAY, [1])
        job.meta["progress"] = [3, 12_000]
        job.save_meta()  # type: ignore[no-untyped-call]
        with process(harbour, "worker.jobs"):
            until(lambda: "running" in pintag("jobs"), "it runs")
            assert "3 of 12,000" in pintag("jobs")


def test_a_job_of_which_there_is_to_be_one(harbour: Harbour) -> None:
    assert jobs.enqueue_once(harbour.redis, jobs.REPLAY, [1], job_id="the-one") is not None
    assert jobs.enqueue_once(harbour.redis, jobs.REPLAY, [1], job_id="the-one") is None
    assert [job.id for job in jobs.current(harbour.redis)] == ["the-one"]
