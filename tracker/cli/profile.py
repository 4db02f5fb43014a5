"""`pintag profile …`: one person's identifiers and timeline."""

from typing import Annotated

import typer
from rich.console import Console

from tracker.cli.screen import harmless
from tracker.cli.store import JsonOption, SectionOption, UsageError, print_json
from tracker.cli.store import stores as opened
from tracker.stores import profiles

app = typer.Typer(help="Profiles and their timelines.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `show` a sub-command while it is the only one."""


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="The identifier, such as a visitor id.")],
    keyspace: Annotated[str, typer.Option(help="The keyspace it is in.")] = "web",
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the profile that an identifier belongs to, with its newest hundred events."""
    with opened() as stores:
        profile = profiles.find(stores.database, stores.section(section).id, keyspace, key)
    if profile is None:
        raise UsageError(f"No profile has the {keyspace} {key!r}.")
    if as_json:
        print_json(profile)
        return
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    for identifier in profile.identifiers:
        line = f"{identifier.keyspace}: {identifier.key}"
        console.print(harmless(line), style="bold", markup=False)
    for event in profile.events:
        data = "  ".join(f"{name}={value}" for name, value in event.data.items())
        line = f"  {event.event_time:%F %T}Z  {event.name}  {data}"
        console.print(harmless(line), markup=False)
