"""`pintag jobs`: the long jobs, such as replays and erasures, and how far they are."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.cli.screen import harmless, whole
from tracker.cli.store import JsonOption, print_json
from tracker.cli.store import stores as opened
from tracker.stores import jobs as store
from tracker.stores.jobs import Listed


def jobs(as_json: JsonOption = False) -> None:
    """List the long jobs that run, wait or failed, with their progress."""
    with opened() as stores:
        found = store.current(stores.redis)
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    if not found:
        console.print("No job runs, waits or has failed.")
        return
    ids = whole("Id", (job.id for job in found))
    table = Table(ids, "Job", "State", "Since", "Progress", box=None)
    for job in found:
        table.add_row(job.id, job.name, job.state, _since(job), Text(harmless(_progress(job))))
    console.print(table)


def _since(job: Listed) -> str:
    return f"{job.since:%F %T}Z" if job.since else ""


def _progress(job: Listed) -> str:
    done = f"{job.done:,} of {job.total:,}" if job.total else ""
    return "; ".join(part for part in (done, job.error) if part)
