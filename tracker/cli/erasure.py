"""`pintag profile erase`: a person is deleted with every trace."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tracker.actions import erasing
from tracker.cli.store import SectionOption, Stores, UsageError
from tracker.cli.store import stores as opened
from tracker.cli.waiting import wait
from tracker.rules.keyspaces import Identity
from tracker.vault import Vault

KeyArgument = Annotated[str, typer.Argument(help="The identifier, such as an e-mail address.")]
KeyspaceOption = Annotated[str, typer.Option(help="The keyspace it is in.")]


def erase(
    key: KeyArgument,
    keyspace: KeyspaceOption = "web",
    section: SectionOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete a profile with every trace of it, for good: events, quarantined and held hits too."""
    with opened() as stores:
        Vault(stores.settings)  # without a secret key no erasure can be told from a new person
        section_id = stores.section(section).id
        identity = stores.identity(keyspace, key)
        if not yes:
            typer.confirm(f"Erase {named(identity)} for good? This can't be undone.", abort=True)
        erased = _erase(stores, section_id, identity)
    typer.echo("Erased.")
    for what, count in sorted(erased.items()):
        typer.echo(f"{count:,} {what} deleted")


def _erase(stores: Stores, section_id: int, identity: Identity) -> dict[str, int]:
    asked = erasing.ask(
        stores.database,
        stores.redis,
        section_id,
        identity,
        datetime.now(UTC),
        note=lambda id_: stores.note("erased a profile", id_, section_id),
    )
    if asked is None:
        raise UsageError(f"No profile has {named(identity)}.")
    erased: dict[str, int] = wait(asked.job, "the erasure", "erasing")
    return erased


def named(identity: Identity) -> str:
    """The identifier, in a sentence."""
    return f"the {identity.keyspace} {identity.key!r}"
