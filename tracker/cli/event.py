"""`pintag event …`: definitions of Custom Events, and the switch for web tracking."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.actions import saving
from tracker.actions.views import shown
from tracker.cli.store import JsonOption, SectionOption, UsageError, listed, print_json, read_json
from tracker.cli.store import stores as opened
from tracker.rules.definitions import Category, current_version
from tracker.rules.drafts import parse_draft
from tracker.rules.fields import FieldType
from tracker.snippets import tracking
from tracker.stores import definitions
from tracker.stores.definitions import Definition

app = typer.Typer(help="Custom Event definitions and their web tracking.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The event's name, slug or discriminator.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name, unique in the section.")],
    category: Annotated[
        str, typer.Option(help="transactions, conversions or signals.")
    ] = Category.SIGNALS.value,
    description: Annotated[str, typer.Option(help="What it is about.")] = "",
    field: Annotated[
        list[str] | None,
        typer.Option(
            help="KEY:TYPE or KEY:TYPE:required; repeat it. Without any: the pre-made fields."
        ),
    ] = None,
    fields: Annotated[
        str | None, typer.Option(help="A JSON file with the list of fields; - for standard input.")
    ] = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save a new definition; its version 1 can be used at once."""
    sent: dict[str, Any] = {"category": category, "name": name, "description": description}
    if fields is not None:
        sent["fields"] = read_json(fields)
    elif field:
        sent["fields"] = [_field(text) for text in field]
        if not any(each["key"] == "source" for each in sent["fields"]):
            sent["fields"].insert(0, {"key": "source", "type": "text", "required": True})
    draft = parse_draft(sent)
    if isinstance(draft, list):
        raise UsageError(f"The event was not saved:\n{listed(draft)}")
    with opened() as stores:
        try:
            made = saving.create(
                stores.database, stores.section(section).id, draft, datetime.now(UTC)
            )
        except definitions.NameTakenError:
            raise UsageError(f"There is an event named {draft.name!r} already.") from None
        prefix = stores.prefix
    _print(made, prefix, as_json)
    if not as_json:
        typer.echo(f"Next: pintag event track {made.slug}")


def _field(text: str) -> dict[str, Any]:
    key, _, rest = text.partition(":")
    type_, _, required = rest.partition(":")
    if type_ not in list(FieldType) or required not in ("", "required"):
        types = ", ".join(FieldType)
        raise UsageError(f"--field {text}: write KEY:TYPE or KEY:TYPE:required; types: {types}.")
    return {"key": key, "type": type_, "required": bool(required)}


@app.command("list")
def list_(section: SectionOption = None, as_json: JsonOption = False) -> None:
    """List the section's events."""
    with opened() as stores:
        found = definitions.visible(stores.database, stores.section(section).id)
        prefix = stores.prefix
    if as_json:
        print_json([shown(definition, prefix, datetime.now(UTC)) for definition in found])
        return
    table = Table("Category", "Name", "Slug", "Tracking", "Version", "Fields", box=None)
    for definition in found:
        version = definition.versions[0]
        table.add_row(
            definition.category,
            Text(definition.name),
            definition.slug,
            "on" if definition.web_tracking else "off",
            str(version.number),
            " ".join(field.key for field in version.fields),
        )
    Console().print(table if found else "No events yet: pintag event create NAME")


@app.command()
def show(name: Name, section: SectionOption = None, as_json: JsonOption = False) -> None:
    """Show an event with its versions and fields."""
    with opened() as stores:
        definition, prefix = stores.definition(section, name), stores.prefix
    _print(definition, prefix, as_json)


def _print(definition: Definition, prefix: str, as_json: bool) -> None:
    if as_json:
        print_json(shown(definition, prefix, datetime.now(UTC)))
        return
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    console.print(definition.name, style="bold", markup=False)
    console.print(f"  {definition.category} · {definition.discriminator}", markup=False)
    if definition.description:
        console.print(f"  {definition.description}", markup=False)
    console.print(f"  web tracking is {'on' if definition.web_tracking else 'off'}")
    current = current_version(definition.versions, datetime.now(UTC))
    for version in definition.versions:
        mark = "current" if version is current else f"usable from {version.usable_from:%F %T}Z"
        console.print(f"  version {version.number} ({version.public_id}, {mark})", markup=False)
        for field in version.fields:
            required = "required" if field.required else ""
            console.print(f"    {field.key:<20} {field.type:<10} {required}", markup=False)


@app.command()
def track(name: Name, section: SectionOption = None) -> None:
    """Switch web tracking on: from now on there is a snippet for websites to paste."""
    with opened() as stores:
        definition = stores.definition(section, name)
        tracking.switch_on(stores.database, stores.redis, definition, datetime.now(UTC))
    typer.echo(f"Web tracking of {definition.name!r} is on.")
    typer.echo(f"Next: pintag snippet show {definition.slug}")


@app.command()
def untrack(name: Name, section: SectionOption = None) -> None:
    """Switch web tracking off: the collector answers its snippets 410."""
    with opened() as stores:
        definition = stores.definition(section, name)
        tracking.switch_off(stores.database, stores.redis, definition)
    typer.echo(f"Web tracking of {definition.name!r} is off.")
