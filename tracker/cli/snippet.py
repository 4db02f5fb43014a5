"""`pintag snippet …`: the JavaScript that websites paste."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tracker.actions import comparing, regenerating
from tracker.cli.screen import harmless, whole
from tracker.cli.store import SectionOption, Stores, UsageError
from tracker.cli.store import stores as opened
from tracker.cli.waiting import wait
from tracker.snippets import forms, publishing, tracking
from tracker.snippets.config import SnippetConfig
from tracker.snippets.forms import FORMS, FormName, Rendered
from tracker.snippets.texts import gzip_size
from tracker.stores import definitions, jobs, losses, snippets
from tracker.stores.definitions import Definition
from tracker.stores.snippets import PinnedSnippet

app = typer.Typer(help="The snippets that websites paste.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The event's name, slug or discriminator.")]
OptionalName = Annotated[
    str | None, typer.Argument(help="The event's name, slug or discriminator.")
]
_FORMS = "; ".join(f"{name}: {form.summary}" for name, form in FORMS.items())


@app.command()
def show(
    name: Name,
    form: Annotated[FormName, typer.Option(help=_FORMS)] = FormName.INLINE,
    version: Annotated[
        str | None, typer.Option(help="A version, by number or id; default: the current one.")
    ] = None,
    nonce: Annotated[
        str | None,
        typer.Option(help="Of the page's Content-Security-Policy, or what stands in its place."),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="For trying out: its hits never come on profiles.")
    ] = False,
    attributes: Annotated[
        bool, typer.Option("--attributes", help="With the script for data-pintag-* attributes.")
    ] = False,
    section: SectionOption = None,
) -> None:
    """Print the snippet of the current version, or another, ready to paste."""
    with opened() as stores:
        definition = stores.definition(section, name)
        now = datetime.now(UTC)
        chosen = comparing.version(definition, version) if version else None
        config = tracking.snippet_config(
            stores.database,
            stores.settings,
            definition,
            now,
            chosen,
            nonce=nonce,
            test=test,
            attributes=attributes,
        )
        # Whoever gets to see a snippet must not find a collector that does not know it.
        tracking.keep_scripts(stores.database)
        publishing.publish(stores.database, stores.redis)
        option = stores.option(definition.section_id)
    rendered = forms.render(config, form)
    typer.echo(rendered.text.rstrip("\n"))
    _explain(config, form, rendered, option)


def _explain(config: SnippetConfig, form: FormName, rendered: Rendered, option: str) -> None:
    """On stderr, so that the form alone can go into a file."""
    if config.usable_from is not None:
        until = f"{config.usable_from.astimezone(UTC):%F %T}Z"
        typer.echo(f"Its version can be used from {until}: until then its hits wait.", err=True)
    text = rendered.text
    size = f"{len(text.encode()):,} bytes, {gzip_size(text):,} gzipped."
    usage = FORMS[form].usage.format(slug=config.slug, suffix=FORMS[form].suffix)
    typer.echo(f"{size} {usage}", err=True)
    if example := forms.example(config, form):
        typer.echo(f"For example:\n{example}", err=True)
    if config.test:
        watch = f"pintag snippet watch {config.slug}{option}"
        typer.echo(f"It is for trying out. Watch: {watch}", err=True)
    if rendered.csp:
        typer.echo(f"Content-Security-Policy: {'; '.join(rendered.csp)}", err=True)
    if rendered.integrity is not None:
        typer.echo(f"Subresource Integrity: {rendered.integrity}", err=True)


@app.command("list")
def list_(name: OptionalName = None, section: SectionOption = None) -> None:
    """List the snippets of an event, or of all: version, key, state, and what senders lost."""
    with opened() as stores:
        if name is not None:
            found = [stores.definition(section, name)]
        else:
            found = definitions.visible(stores.database, stores.section(section).id)
        listed = [(one, _counted(stores, one)) for one in found]
    _print(listed, datetime.now(UTC))


@app.command()
def regenerate(
    name: OptionalName = None,
    every: Annotated[bool, typer.Option("--all", help="All tracked events.")] = False,
    rotate_key: Annotated[
        bool, typer.Option("--rotate-key", help="Replace the keys; paste the snippets again.")
    ] = False,
    grace_days: Annotated[
        int,
        typer.Option(
            min=0, max=regenerating.MAX_GRACE_DAYS, help="Days that a replaced key works on."
        ),
    ] = regenerating.GRACE_DAYS,
    key: Annotated[
        str | None,
        typer.Option(help="With --rotate-key: replace or end this key alone, of any version."),
    ] = None,
    section: SectionOption = None,
) -> None:
    """Render an event's snippets again, by this release; with --rotate-key, replace keys."""
    if (name is None) is not every:
        raise UsageError("Say which: the name of an event, or --all.")
    if key is not None and (every or not rotate_key):
        raise UsageError("--key goes with the name of an event and --rotate-key.")
    with opened() as stores:
        if name is None:
            _regenerate_all(stores, section, grace_days if rotate_key else None)
            return
        definition, now = stores.definition(section, name), datetime.now(UTC)
        grace = timedelta(days=grace_days) if rotate_key else None
        made = regenerating.regenerate(
            stores.database, stores.redis, definition, now=now, grace=grace, key=key
        )
        stores.note("regenerated the snippets of", definition.name, definition.section_id)
        option = stores.option(definition.section_id)
    _print([(definition, made)], now)
    typer.echo(f"Next: pintag snippet show {definition.slug}{option}")


def _regenerate_all(stores: Stores, section: str | None, grace_days: int | None) -> None:
    section_id = stores.section(section).id
    job = jobs.enqueue(stores.redis, jobs.REGENERATION, section_id, grace_days)
    stores.note("regenerated the snippets of", "all events", section_id)
    option = stores.option(section_id)
    done: list[str] = wait(job, "the regeneration", "regenerating")
    for slug in done:
        typer.echo(f"{slug}: pintag snippet show {slug}{option}")
    if not done:
        typer.echo("No event is tracked.")


def _counted(stores: Stores, definition: Definition) -> list[PinnedSnippet]:
    return losses.counted(stores.redis, snippets.every(stores.database, definition.id))


def _print(listed: list[tuple[Definition, list[PinnedSnippet]]], now: datetime) -> None:
    keys = whole("Key", (snippet.key for _, found in listed for snippet in found))
    lost = Column("Lost", justify="right")
    table = Table("Event", "Version", keys, "State", "Tracking", lost, box=None)
    for definition, found in listed:
        usable_from = {one.number: one.usable_from for one in definition.versions}
        for snippet in found:
            state = tracking.state(snippet, usable_from[snippet.version_number], now)
            tracked = "on" if definition.web_tracking else "off"
            name, version = Text(harmless(definition.name)), str(snippet.version_number)
            table.add_row(name, version, snippet.key, state, tracked, f"{snippet.lost:,}")
    Console().print(table)
