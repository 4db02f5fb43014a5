"""`pintag snippet …`: the JavaScript that websites paste."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tracker.cli.store import SectionOption
from tracker.cli.store import stores as opened
from tracker.snippets import publishing, tracking
from tracker.snippets.render import gzip_size

app = typer.Typer(help="The snippets that websites paste.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `show` a sub-command while it is the only one."""


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The event's name, slug or discriminator.")],
    form: Annotated[str, typer.Option(help="inline or hosted.")] = "inline",
    section: SectionOption = None,
) -> None:
    """Print the snippet of the current version, ready to paste."""
    with opened() as stores:
        definition = stores.definition(section, name)
        now = datetime.now(UTC)
        config = tracking.snippet_config(stores.database, stores.settings, definition, now)
        # Whoever gets to see a snippet must not find a collector that does not know it.
        publishing.publish(stores.database, stores.redis)
    html = tracking.render_form(config, form)
    typer.echo(html.rstrip("\n"))
    typer.echo(
        f"{len(html.encode()):,} bytes, {gzip_size(html):,} gzipped. Paste it once a page, then"
        f" call: pintag('{definition.slug}', {{…}})",
        err=True,
    )
