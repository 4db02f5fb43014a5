"""How a job says how far it is: `pintag jobs` and the commands that wait for it show it."""

from rq import get_current_job


def show(done: int, total: int) -> None:
    """Write down how far the job is that runs in this process; outside of a job, do nothing."""
    job = get_current_job()
    if job is not None:
        job.meta["progress"] = [done, total]
        job.save_meta()  # type: ignore[no-untyped-call]
