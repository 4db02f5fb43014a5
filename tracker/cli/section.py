"""`pintag section …`: tenants, each with definitions, profiles and API clients of its own."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.cli.screen import harmless
from tracker.cli.store import UsageError
from tracker.cli.store import stores as opened
from tracker.rules.definitions import slugify
from tracker.stores import sections

app = typer.Typer(help="Sections: tenants with definitions and profiles.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name.")],
    origin: Annotated[
        list[str] | None,
        typer.Option(help="An origin that may send hits, such as https://example.com; repeat it."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse hits without an Origin header too.")
    ] = False,
) -> None:
    """Make a section. Without --origin every website may send hits to it."""
    slug = slugify(name, "section")
    with opened() as stores:
        if not sections.create(stores.database, slug, name.strip(), origin or [], strict):
            raise UsageError(f"There is a section {slug!r} already.")
    typer.echo(f"Made the section {slug!r}.")


@app.command("list")
def list_() -> None:
    """List the sections."""
    table = Table("Section", "Name", "Origins", box=None)
    with opened() as stores:
        for section in sections.every(stores.database):
            origins = Text(harmless(" ".join(section.allowed_origins) or "any"))
            table.add_row(section.slug, Text(harmless(section.name)), origins)
    Console().print(table)
