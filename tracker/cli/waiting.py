"""What commands do with a job that they enqueued: wait, show its progress, return its result."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rq.job import Job

from tracker.cli.store import UsageError
from tracker.stores import jobs


def wait(job: Job, what: str, doing: str, *, useless: str = "") -> Any:
    """Wait for a job as long as there is a process that can run it; returns its result.

    what, doing: as in "the replay" and "replaying"; useless: why a job that nobody runs is taken
    back, rather than left for the next jobs process. What is shown goes to standard error, so
    that a result can go to a file. Raises UsageError.
    """
    with Console(stderr=True).status(f"{doing} …") as status:

        def show(state: str, done: Sequence[int]) -> None:
            if state == "queued" and not jobs.processes(job.connection):
                raise _nobody(job, what, useless)
            status.update(_progress(doing, state, done))

        try:
            return jobs.wait(job, show)
        except jobs.JobFailedError as error:
            raise UsageError(f"{_sentence(what)} failed: {error}") from None


def _nobody(job: Job, what: str, useless: str) -> UsageError:
    problem = f"No jobs process is running: {what} waits, and will run once one starts."
    if useless:
        job.delete()
        problem = useless
    return UsageError(f"{problem}\nStart one: python -m worker.jobs")


def _progress(doing: str, state: str, done: Sequence[int]) -> str:
    if state == "queued":
        return "waiting for the jobs process …"
    return f"{doing}: {done[0]:,} of {done[1]:,} …"


def _sentence(what: str) -> str:
    return what[:1].upper() + what[1:]
