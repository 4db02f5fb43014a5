"""Long jobs in RQ: enqueued here, run by `python -m worker.jobs`."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus

QUEUE = "pintag"
REPLAY = "worker.replay.replay"
"""Jobs are named, not imported: nothing in tracker imports the worker."""
POLL_SECONDS = 0.1


class JobFailedError(Exception):
    """The job ended without a result; the message says how."""


def enqueue(client: redis.Redis, name: str, *arguments: object) -> Job:
    """Put a job into the queue; its result is kept for a day."""
    return Queue(QUEUE, connection=client).enqueue(
        name, *arguments, job_timeout="6h", result_ttl=86_400, failure_ttl=7 * 86_400
    )


def wait(job: Job, show: Callable[[str, Sequence[int]], None]) -> Any:
    """Wait for a job, showing its status and progress; returns its result.

    Raises JobFailedError, also for a job that Redis has no more.
    """
    while True:
        try:
            job.refresh()  # type: ignore[no-untyped-call]
        except NoSuchJobError:
            raise JobFailedError("Redis does not have the job any more") from None
        status = job.get_status(refresh=False)
        show(str(status.value), job.meta.get("progress", (0, 0)))
        if status is JobStatus.FINISHED:
            return job.return_value()
        if status in (JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED):
            result = job.latest_result()
            text = (result.exc_string if result else None) or "it was stopped"
            raise JobFailedError(_cause(text))
        time.sleep(POLL_SECONDS)


def _cause(traceback: str) -> str:
    """The exception's first line: PostgreSQL's go on with details."""
    last_call = traceback[traceback.rfind("\n  File ") + 1 :]
    unindented = [line for line in last_call.splitlines() if line and line[0] != " "]
    return unindented[0] if unindented else "it failed"
