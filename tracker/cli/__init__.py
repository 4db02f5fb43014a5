"""The command `pintag`."""

import sys
from typing import Annotated

import typer

import tracker
from tracker.cli import (
    account,
    audit,
    client,
    doctor,
    erasure,
    errors,
    events,
    export,
    jobs,
    migrate,
    profile,
    quarantine,
    retention,
    section,
    serve,
    snippet,
    status,
    up,
    watching,
)
from tracker.cli.screen import complain

app = typer.Typer(
    help="Pintag: custom events from websites, none lost. Start with `pintag up`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("up")(up.up)
app.command("doctor")(doctor.doctor)
app.command("status")(status.status)
app.command("migrate")(migrate.migrate)
app.add_typer(events.app, name="event")
app.add_typer(snippet.app, name="snippet")
snippet.app.command("watch")(watching.watch)
app.add_typer(profile.app, name="profile")
profile.app.command("export")(export.export)
profile.app.command("erase")(erasure.erase)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(retention.app, name="retention")
app.command("jobs")(jobs.jobs)
app.command("audit")(audit.audit)
app.add_typer(section.app, name="section")
app.add_typer(client.app, name="client")
app.add_typer(account.app, name="account")
app.command("web")(serve.web)
app.command("collector")(serve.collector)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pintag {tracker.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def _is_text(argument: str) -> bool:
    """Whether it came in UTF-8: Python has lone surrogates in the place of other bytes."""
    return argument == argument.encode(errors="ignore").decode()


def main() -> None:
    """Run the command line; errors that people can mend become a line, not a traceback."""
    for argument in sys.argv[1:]:
        if not _is_text(argument):
            complain(
                f"An argument is no text in UTF-8: {argument!a}\nLet your terminal send UTF-8."
            )
            sys.exit(2)
    try:
        app()
    except Exception as error:
        message = errors.explain(error)
        if message is None:
            raise
        complain(message)
        sys.exit(2)
