"""`pintag section …`: tenants, each with definitions, profiles and API clients of its own."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from msgspec.structs import asdict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.actions import section_settings, signing
from tracker.cli.screen import harmless
from tracker.cli.store import JsonOption, SectionOption, Stores, UsageError, print_json
from tracker.cli.store import stores as opened
from tracker.stores import sections
from tracker.stores.sections import Section, SectionChanges
from tracker.vault import Vault

ORIGIN_HELP = (
    "An origin that may send hits: https://shop.example.com, https://*.example.com (all its"
    " subdomains) or null; repeat it."
)
SETTABLE = """Say what to change:
  --origin ORIGIN (repeat it), --any-origin   which websites may send hits
  --strict, --no-strict                       refuse hits without an Origin header
  --consent, --no-consent                     snippets wait for the visitor's consent
  --signals, --no-signals                     Do Not Track and Global Privacy Control mean no
  --visitor-days N                            how long a visitor id is good
  --addresses whole|truncated|none            what is kept of senders' IP addresses
  --signed-tags, --no-signed-tags             hits need a tag that your server signed"""

SectionArgument = Annotated[
    str | None, typer.Argument(help="The section; needed when there are several.")
]

app = typer.Typer(help="Sections: tenants with definitions and profiles.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name.")],
    origin: Annotated[
        list[str] | None,
        typer.Option(help=ORIGIN_HELP),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse hits without an Origin header too.")
    ] = False,
) -> None:
    """Make a section. Without --origin every website may send hits to it."""
    with opened() as stores, stores.database.transaction():
        slug = section_settings.create(stores.database, name, origin or [], strict)
        stores.note("made the section", name.strip(), stores.section(slug).id)
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


@app.command()
def show(section: SectionArgument = None, as_json: JsonOption = False) -> None:
    """Show a section's rules: who may send hits, consent, privacy, and what is signed."""
    with opened() as stores:
        shown = stores.section(section)
    if as_json:
        print_json({k: v for k, v in asdict(shown).items() if k != "id"})
        return
    typer.echo(harmless(f"{shown.slug}: {shown.name}"))
    _tell(section_settings.told(shown))


@app.command("set")
def set_(
    section: SectionArgument = None,
    origin: Annotated[list[str] | None, typer.Option(help=f"{ORIGIN_HELP} Replaces all.")] = None,
    any_origin: Annotated[
        bool, typer.Option("--any-origin", help="Let every website send hits.")
    ] = False,
    strict: Annotated[
        bool | None, typer.Option(help="Refuse hits without an Origin header too.")
    ] = None,
    consent: Annotated[
        bool | None, typer.Option(help="Snippets wait for the visitor's consent.")
    ] = None,
    signals: Annotated[
        bool | None,
        typer.Option(help="Do Not Track and Global Privacy Control count as a no."),
    ] = None,
    visitor_days: Annotated[
        int | None, typer.Option(help="Days after which a visitor gets a new id.")
    ] = None,
    addresses: Annotated[
        str | None,
        typer.Option(help="What is kept of senders' IP addresses: whole, truncated or none."),
    ] = None,
    signed_tags: Annotated[
        bool | None, typer.Option(help="Hits need a tag that your server signed.")
    ] = None,
) -> None:
    """Change a section's rules: who may send hits, consent, privacy, signed tags."""
    if origin and any_origin:
        raise UsageError("Either --origin or --any-origin: choose one.")
    changes = SectionChanges(
        allowed_origins=[] if any_origin else origin or None,
        strict_origin=strict,
        consent_required=consent,
        honour_signals=signals,
        visitor_days=visitor_days,
        addresses=addresses,
        signed_tags=signed_tags,
    )
    if changes == SectionChanges():
        raise UsageError(SETTABLE)
    with opened() as stores:
        before = stores.section(section)
        after = _change(stores, before, changes)
        _tell_changed(before, after)
        _tell_to_paste(stores, before, after)


def _change(stores: Stores, before: Section, changes: SectionChanges) -> Section:
    def note() -> None:
        after = section_settings.of(stores.database, before)
        if changed := section_settings.changed(before, after):
            stores.note("changed the rules", section_settings.changed_words(changed), before.id)

    return section_settings.change(stores.database, stores.redis, before, changes, note)


def _tell(told: dict[str, str]) -> None:
    width = max(map(len, told)) + 2
    for about, rule in told.items():
        typer.echo(harmless(f"  {about.ljust(width)}{rule}"))


def _tell_changed(before: Section, after: Section) -> None:
    changed = section_settings.changed(before, after)
    if not changed:
        typer.echo(f"The rules of the section {after.slug!r} were so already.")
        return
    typer.echo(f"Changed the section {after.slug!r}:")
    _tell(changed)


def _tell_to_paste(stores: Stores, before: Section, after: Section) -> None:
    slugs = section_settings.to_paste_again(stores.database, before, after)
    if not slugs:
        return
    typer.echo("Snippets that were pasted go by the rules from before. Paste them again:")
    option = sections.option(stores.database, after.id)
    for slug in slugs:
        typer.echo(f"  pintag snippet show {slug}{option}")


@app.command("new-secret")
def new_secret(
    section: SectionOption = None,
    grace_days: Annotated[
        int,
        typer.Option(
            min=0, max=signing.MAX_GRACE_DAYS, help="Days that the present one works on; 0: none."
        ),
    ] = signing.GRACE_DAYS,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Make a new signing secret, for claims; it is shown this once, and the one before ends."""
    when = f"in {grace_days} day{'' if grace_days == 1 else 's'}" if grace_days else "from now on"
    with opened() as stores:
        vault = Vault(stores.settings)
        owner = stores.section(section)
        if not yes and owner.has_secret:
            refused = f"Claims and tags that the present secret signed will be refused {when}."
            typer.confirm(f"{refused} Go on?", abort=True)
        with stores.database.transaction():
            grace = timedelta(days=grace_days)
            now = datetime.now(UTC)
            secret = signing.renew_secret(stores.database, vault, owner.id, now, grace)
            stores.note("made a new signing secret", section_id=owner.id)
        typer.echo(secret)
    typer.echo(f"Sign claims with it, for the section {owner.slug!r}: docs/claims.md", err=True)
    if owner.has_secret:
        typer.echo(f"What the one before signed is refused {when}.", err=True)


@app.command("trust-pages")
def trust_pages(
    section: SectionOption = None,
    off: Annotated[bool, typer.Option("--off", help="Believe signed claims only.")] = False,
) -> None:
    """Believe claims that pages send unsigned, as if they were signed."""
    with opened() as stores:
        owner = stores.section(section)
        _change(stores, owner, SectionChanges(trusts_pages=not off))
    believed = "signed claims only" if off else "whatever its pages claim"
    typer.echo(f"The section {owner.slug!r} believes {believed}.")
    if not off:
        typer.echo(
            "Whoever can open a page of it can now write events to anybody's profile.\n"
            "Unless only your own people can, take it back: pintag section trust-pages --off",
            err=True,
        )
