"""`pintag section …`: tenants, each with definitions, profiles and API clients of its own."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.actions import signing
from tracker.cli.screen import harmless
from tracker.cli.store import SectionOption, UsageError
from tracker.cli.store import stores as opened
from tracker.rules import origins
from tracker.rules.definitions import slugify
from tracker.stores import sections
from tracker.vault import Vault

app = typer.Typer(help="Sections: tenants with definitions and profiles.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name.")],
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="An origin that may send hits: https://shop.example.com, https://*.example.com"
            " (its subdomains), or null; repeat it."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse hits without an Origin header too.")
    ] = False,
) -> None:
    """Make a section. Without --origin every website may send hits to it."""
    slug = slugify(name, "section")
    allowed = origins.normalise(origin or [])
    with opened() as stores:
        if not sections.create(stores.database, slug, name.strip(), allowed, strict):
            raise UsageError(f"There is a section {slug!r} already.")
    typer.echo(f"Made the section {slug!r}.")


@app.command("list")
def list_() -> None:
    """List the sections."""
    table = Table("Section", "Name", "Origins", box=None)
    with opened() as stores:
        for section in sections.every(stores.database):
            allowed = Text(harmless(" ".join(section.allowed_origins) or "any"))
            table.add_row(section.slug, Text(harmless(section.name)), allowed)
    Console().print(table)


@app.command("new-secret")
def new_secret(
    section: SectionOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Make a new signing secret, for claims; it is shown this once, and the one before ends."""
    with opened() as stores:
        vault = Vault(stores.settings)
        owner = stores.section(section)
        if not yes and sections.has_signing_secret(stores.database, owner.id):
            question = "Claims that are signed with the present secret will be refused. Go on?"
            typer.confirm(question, abort=True)
        typer.echo(signing.renew_secret(stores.database, vault, owner.id))
    typer.echo(f"Sign claims with it, for the section {owner.slug!r}: docs/claims.md", err=True)


@app.command("trust-pages")
def trust_pages(
    section: SectionOption = None,
    off: Annotated[bool, typer.Option("--off", help="Believe signed claims only.")] = False,
) -> None:
    """Believe claims that pages send unsigned, as if they were signed."""
    with opened() as stores:
        owner = stores.section(section)
        sections.trust_pages(stores.database, owner.id, trusts=not off)
    believed = "signed claims only" if off else "whatever its pages claim"
    typer.echo(f"The section {owner.slug!r} believes {believed}.")
    if not off:
        typer.echo(
            "Whoever can open a page of it can now write events to anybody's profile.\n"
            "Unless only your own people can, take it back: pintag section trust-pages --off",
            err=True,
        )
