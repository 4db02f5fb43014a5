"""Long jobs in RQ: enqueued here, run by `python -m worker.jobs`."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import redis
from rq import Queue, Worker
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus

from tracker.rules.troubles import cause

QUEUE = "pintag"
REPLAY = "worker.replay.replay"
RETENTION = "worker.retention.run"
ERASURE = "worker.erasure.erase"
EXPORT = "worker.export.export"
REGENERATION = "worker.regenerate.run"
AUDIT = "worker.audit.run"
"""Jobs are named, not imported: nothing in tracker imports the worker."""
POLL_SECONDS = 0.1
_KEEPING: dict[str, Any] = {
    "job_timeout": "6h",
    "result_ttl": 86_400,
    "failure_ttl": 7 * 86_400,
}
_STATES = {JobStatus.STARTED: "running", JobStatus.QUEUED: "waiting", JobStatus.FAILED: "failed"}


class JobFailedError(Exception):
    """The job ended without a result; the message says how."""


class Listed(msgspec.Struct, frozen=True):
    """A job as people see it; done and total are its progress, 0 of 0 before it says so."""

    id: str
    name: str
    state: str
    since: datetime | None
    done: int
    total: int
    error: str | None


def enqueue(
    client: redis.Redis, name: str, *arguments: object, notes: Mapping[str, Any] | None = None
) -> Job:
    """Put a job into the queue; its result is kept for a day, and so are notes on it."""
    meta = dict(notes or {})
    return Queue(QUEUE, connection=client).enqueue(name, *arguments, meta=meta, **_KEEPING)


def enqueue_once(client: redis.Redis, name: str, *arguments: object, job_id: str) -> Job | None:
    """The same, unless Redis still knows of a job with this id: then None."""
    queue = Queue(QUEUE, connection=client)
    try:
        return queue.enqueue(name, *arguments, job_id=job_id, unique=True, **_KEEPING)
    except DuplicateJobError:
        return None


def enqueue_again(client: redis.Redis, name: str, *arguments: object, job_id: str) -> Job:
    """The same for a job that can be run again: what ran under its id may have been killed."""
    queue = Queue(QUEUE, connection=client)
    if job_id in queue.get_job_ids():
        return Job.fetch(job_id, connection=client)
    return queue.enqueue(name, *arguments, job_id=job_id, **_KEEPING)


class Found(msgspec.Struct, frozen=True):
    """One job, with what was noted on it; result: what it returned, once it is finished."""

    job: Listed
    arguments: tuple[Any, ...]
    notes: dict[str, Any]
    result: Any


def find(client: redis.Redis, id_: str) -> Found | None:
    """A job by its id; None where Redis has it no more."""
    try:
        job = Job.fetch(id_, connection=client)
    except (NoSuchJobError, ValueError):  # which is no id of a job
        return None
    listed = _listed(job)
    result = job.return_value() if listed.state == JobStatus.FINISHED else None
    return Found(listed, tuple(job.args or ()), job.meta, result)


def processes(client: redis.Redis) -> int:
    """How many processes run that take jobs."""
    return len(Worker.all(queue=Queue(QUEUE, connection=client)))


def current(client: redis.Redis) -> list[Listed]:
    """Jobs that run, wait or failed during the last week, in this order."""
    queue = Queue(QUEUE, connection=client)
    ids = [
        *queue.started_job_registry.get_job_ids(),
        *queue.get_job_ids(),
        *queue.failed_job_registry.get_job_ids(),
    ]
    found = Job.fetch_many(list(dict.fromkeys(ids)), connection=client)
    return [_listed(job) for job in found if job is not None]


def _listed(job: Job) -> Listed:
    status = job.get_status(refresh=False)
    result = job.latest_result() if status is JobStatus.FAILED else None
    error = _cause(result.exc_string or "") if result else None
    done, total = job.meta.get("progress", (0, 0))
    name = (job.func_name or "").rpartition(".")[0].rpartition(".")[2]
    since = job.ended_at or job.started_at or job.enqueued_at
    state = _STATES.get(status, str(status.value))
    return Listed(job.id, name, state, since, done, total, error)


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
    return cause(traceback) or "it failed"
