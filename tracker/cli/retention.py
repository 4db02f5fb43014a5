"""`pintag retention …`: what is too old is deleted."""

import typer

from tracker.cli.store import JsonOption, print_json
from tracker.cli.store import stores as opened
from tracker.cli.waiting import wait
from tracker.stores import jobs

app = typer.Typer(help="Deleting what is too old.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `run` a sub-command while it is the only one."""


@app.command()
def run(as_json: JsonOption = False) -> None:
    """Delete events that are older than they may be, now rather than during the next day."""
    with opened() as stores:
        job = jobs.enqueue(stores.redis, jobs.RETENTION)
        stores.note("had retention run")
        deleted: dict[str, int] = wait(job, "the deletion", "deleting")
    if as_json:
        print_json(deleted)
        return
    for what, count in deleted.items():
        typer.echo(f"{count:,} {what} deleted")
    if not deleted:
        typer.echo("Nothing is too old.")
