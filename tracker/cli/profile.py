"""`pintag profile …`: one person's identifiers and timeline."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from tracker.actions import merging, timelines
from tracker.actions.timelines import Timeline
from tracker.cli.screen import harmless
from tracker.cli.store import JsonOption, SectionOption, Stores, UsageError, print_json
from tracker.cli.store import stores as opened
from tracker.rules.keyspaces import Identity
from tracker.stores.merges import Kind, Merge
from tracker.stores.timelines import PAGE, Filters
from tracker.vault import Vault

MADE_BY = "the command line"
PairArgument = Annotated[
    str, typer.Argument(metavar="KEYSPACE:KEY", help="As email:ann@a.example.")
]

app = typer.Typer(help="Profiles and their timelines.", no_args_is_help=True)


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="The identifier, such as a visitor id.")],
    keyspace: Annotated[str, typer.Option(help="The keyspace it is in.")] = "web",
    event: Annotated[
        str | None, typer.Option(help="Only events of this definition: its slug, for example.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="Most events to show.")] = PAGE,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the profile that an identifier belongs to, with its newest hundred events."""
    with opened() as stores:
        identity = stores.identity(keyspace, key)
        found = timelines.show(
            stores.database,
            stores.section(section).id,
            *identity,
            filters=Filters(event=stores.definition(section, event).slug if event else None),
            limit=limit,
        )
    if found is None:
        raise UsageError(f"No profile has the {identity.keyspace} {identity.key!r}.")
    if as_json:
        print_json(found)
    else:
        _print(found)


@app.command()
def merge(first: PairArgument, second: PairArgument, section: SectionOption = None) -> None:
    """Merge the profiles of two identifiers, if they can be one person's; missing ones are made."""
    with opened() as stores:
        identities = _named(stores, first), _named(stores, second)
        done = merging.merge(
            stores.database,
            Vault(stores.settings),
            stores.section(section).id,
            identities,
            MADE_BY,
            datetime.now(UTC),
        )
    typer.echo("They are one profile now." if done else "They were one profile already.")


@app.command()
def unmerge(identifier: PairArgument, section: SectionOption = None) -> None:
    """Take an identifier out of its profile, with the events that came by it."""
    with opened() as stores:
        merging.unmerge(
            stores.database,
            Vault(stores.settings),
            stores.section(section).id,
            _named(stores, identifier),
            MADE_BY,
            datetime.now(UTC),
        )
    typer.echo("It has a profile of its own now.")


def _named(stores: Stores, pair: str) -> Identity:
    """The identifier that KEYSPACE:KEY names. Raises UsageError."""
    keyspace, colon, key = pair.partition(":")
    if not colon:
        raise UsageError(
            f"{pair!r} names no identifier: write KEYSPACE:KEY, as email:ann@a.example."
        )
    return stores.identity(keyspace, key)


def _print(timeline: Timeline) -> None:
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    for identifier in timeline.identifiers:
        line = f"{identifier.keyspace}: {identifier.key}"
        console.print(harmless(line), style="bold", markup=False)
    for event in timeline.events:
        data = "  ".join(f"{name}={value}" for name, value in event.data.items())
        line = f"  {event.event_time:%F %T}Z  {event.name}  {data}"
        for aside in filter(None, (event.agent, event.clock)):
            line += f"  ({aside})"
        console.print(harmless(line), markup=False)
    for merge in timeline.merges:
        console.print(harmless(f"  {_told(merge)}"), style="dim", markup=False)


def _told(merge: Merge) -> str:
    """A record of a merge in a line."""
    first, second = merge.first, merge.second
    line = f"{merge.made_at:%F %T}Z  {merge.kind}  {first.keyspace}:{first.key}"
    if second is not None:
        joint = "from" if merge.kind == Kind.UNMERGED else "and"
        line += f" {joint} {second.keyspace}:{second.key}"
    return f"{line}  by {merge.made_by}"
