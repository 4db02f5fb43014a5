"""`pintag client …`: who may call the API, in a section."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.actions import clients as making
from tracker.cli.screen import harmless, whole
from tracker.cli.store import JsonOption, SectionOption, Stores, UsageError, print_json
from tracker.cli.store import stores as opened
from tracker.rules.clients import Scope
from tracker.rules.keyspaces import Keyspace
from tracker.stores import clients
from tracker.stores.clients import ApiClient
from tracker.stores.sections import Section

app = typer.Typer(help="API clients of a section.", no_args_is_help=True)
Closed = TypeVar("Closed", bound=StrEnum)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may do, such as definitions:read; repeat it. Default: all."),
    ] = None,
    keyspace: Annotated[
        list[str] | None,
        typer.Option(help="A keyspace it may address and see; repeat it. Default: all."),
    ] = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an API client; its secret is shown this once."""
    scopes = _chosen(Scope, scope, "--scope")
    keyspaces = _chosen(Keyspace, keyspace, "--keyspace")
    with opened() as stores:
        owner = stores.section(section)
        with stores.database.transaction():
            made = making.create(
                stores.database,
                owner.id,
                name,
                datetime.now(UTC),
                scopes=scopes,
                keyspaces=keyspaces,
            )
            stores.note("made the API client", made.client.name, owner.id)
    _print_secret(made, as_json)


def _print_secret(made: making.MadeClient, as_json: bool) -> None:
    secret = {"client_id": made.client.public_id, "client_secret": made.secret}
    if as_json:
        print_json(secret)
        return
    for word, value in secret.items():
        typer.echo(f"{word}={value}")
    typer.echo("The secret is shown this once. Next: POST /oauth/token (docs/api.md)", err=True)


def _chosen(kind: type[Closed], names: list[str] | None, option: str) -> list[Closed]:
    known = {one.value: one for one in kind}
    if unknown := [name for name in names or [] if name not in known]:
        raise UsageError(f"{option} {unknown[0]}: there is none such. Known: {', '.join(known)}.")
    # In the order of the list, each once.
    return [one for name, one in known.items() if names is None or name in names]


@app.command("list")
def list_(section: SectionOption = None, as_json: JsonOption = False) -> None:
    """List the section's API clients, revoked ones too."""
    with opened() as stores:
        found = clients.every(stores.database, stores.section(section).id)
    if as_json:
        print_json([_plain(client) for client in found])
        return
    ids = whole("Client", (client.public_id for client in found))
    table = Table(ids, "Name", "Scopes", "Keyspaces", "Revoked", box=None)
    for client in found:
        table.add_row(
            client.public_id,
            Text(harmless(client.name)),
            _few(client.scopes, Scope),
            _few(client.keyspaces, Keyspace),
            f"{client.revoked_at:%F %T}Z" if client.revoked_at else "",
        )
    Console().print(table if found else "No clients yet: pintag client create NAME")


def _plain(client: ApiClient) -> dict[str, object]:
    names = ("name", "scopes", "keyspaces", "created_at", "revoked_at")
    return {"client_id": client.public_id, **{name: getattr(client, name) for name in names}}


def _few(chosen: list[str], kind: type[StrEnum]) -> str:
    return "all" if set(chosen) >= set(kind) else " ".join(chosen)


@app.command("new-secret")
def new_secret(
    client_id: Annotated[str, typer.Argument(help="Its client_id.")],
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a client a new secret, which is shown this once; the one before ends."""
    with opened() as stores:
        owner = stores.section(section)
        client = _named(stores, owner, client_id)
        with stores.database.transaction():
            made = making.renew_secret(stores.database, client)
            stores.note("gave a new secret to the API client", client.name, owner.id)
    _print_secret(made, as_json)


def _named(stores: Stores, owner: Section, client_id: str) -> ApiClient:
    client = clients.find(stores.database, client_id)
    if client is None or client.section_id != owner.id:
        raise _missing(owner.slug, client_id)
    return client


def _missing(section: str, client_id: str) -> UsageError:
    return UsageError(
        f"The section {section!r} has no client {client_id!r}.\n"
        "See which there are: pintag client list"
    )


@app.command()
def revoke(
    client_id: Annotated[str, typer.Argument(help="Its client_id.")],
    section: SectionOption = None,
) -> None:
    """Shut a client out for good: its secret and its tokens stop working at once."""
    with opened() as stores:
        owner = stores.section(section)
        with stores.database.transaction():
            client = clients.find(stores.database, client_id)  # None once it is revoked
            if not clients.revoke(stores.database, owner.id, client_id, datetime.now(UTC)):
                raise _missing(owner.slug, client_id)
            if client:
                stores.note("revoked the API client", client.name, owner.id)
    typer.echo(f"Revoked {client_id}.")
