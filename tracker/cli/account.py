"""`pintag account …`: who may sign in to the pages."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.actions import accounts as changing
from tracker.cli.running import pages
from tracker.cli.screen import harmless
from tracker.cli.store import SectionOption, Stores, UsageError
from tracker.cli.store import stores as opened
from tracker.rules.accounts import AccountError, Role
from tracker.stores import accounts, sections
from tracker.stores.accounts import Account

app = typer.Typer(help="Accounts of people, for the pages.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name that somebody signs in with.")]
RoleOption = Annotated[
    Role, typer.Option(help="; ".join(f"{role}: {role.meaning}" for role in Role))
]


@app.command()
def create(name: Name, role: RoleOption = Role.VIEWER, section: SectionOption = None) -> None:
    """Make an account with a role in one section, or in all; prints the link to its password."""
    now = datetime.now(UTC)
    with opened() as stores:
        section_id = stores.section(section).id if section else None
        try:
            with stores.database.transaction():
                made = changing.create(stores.database, name, role, section_id, now)
                stores.note("made the account", _given(made, role, section), section_id)
                token = changing.invite(stores.database, made, now)
        except AccountError as error:
            raise UsageError(str(error)) from None
        _print_link(stores, made, token)


@app.command("list")
def list_() -> None:
    """List the accounts with their roles."""
    table = Table("Name", "Roles", "State", box=None)
    with opened() as stores:
        slugs = {one.id: one.slug for one in sections.every(stores.database)}
        for one in accounts.every(stores.database):
            roles = (
                f"{role} of {slugs[id_] if id_ else 'all sections'}"
                for id_, role in one.roles.items()
            )
            table.add_row(Text(harmless(one.name)), Text(", ".join(roles) or "none"), _state(one))
    Console().print(table)


@app.command()
def link(name: Name) -> None:
    """Print a one-time link by which somebody chooses a new password; earlier links end."""
    with opened() as stores:
        account = _named(stores, name)
        with stores.database.transaction():
            token = changing.invite(stores.database, account, datetime.now(UTC))
            stores.note("made a sign-in link for", account.name)
        _print_link(stores, account, token)


@app.command()
def role(
    name: Name,
    role: Annotated[str, typer.Argument(help="viewer, editor, owner, or none.")],
    section: SectionOption = None,
) -> None:
    """Give somebody a role in one section, or in all; `none` takes it away."""
    if role not in (*Role, "none"):
        raise UsageError(f"There is no role {role!r}: {', '.join(Role)} or none.")
    with opened() as stores:
        section_id = stores.section(section).id if section else None
        new = None if role == "none" else Role(role)
        account = _named(stores, name)
        with stores.database.transaction():
            changing.set_role(stores.database, account, section_id, new)
            did = "gave a role to" if new else "took a role from"
            stores.note(did, _given(account, new, section), section_id)
    typer.echo(f"{name}: {role} of {section or 'all sections'}.")


@app.command()
def disable(name: Name) -> None:
    """Shut somebody out at once; what they did stays in the audit log."""
    with opened() as stores:
        account = _named(stores, name)
        with stores.database.transaction():
            if not changing.disable(stores.database, account, datetime.now(UTC)):
                raise UsageError(f"{name!r} is shut out already.")
            stores.note("shut out", account.name)
    typer.echo(f"{name!r} can't sign in any more.")


@app.command()
def enable(name: Name) -> None:
    """Let somebody in again who was shut out, with the password that they had."""
    with opened() as stores:
        account = _named(stores, name)
        with stores.database.transaction():
            if not accounts.enable(stores.database, account.id):
                raise UsageError(f"{name!r} is not shut out.")
            stores.note("let in again", account.name)
    typer.echo(f"{name!r} can sign in again.")


def _named(stores: Stores, name: str) -> Account:
    found = accounts.find(stores.database, name)
    if found is None:
        raise UsageError(f"There is no account {name!r}: pintag account list")
    return found


def _given(account: Account, role: Role | None, section: str | None) -> str:
    return f"{account.name}: {role or 'no role'} of {section or 'all sections'}"


def _print_link(stores: Stores, account: Account, token: str) -> None:
    typer.echo(f"{pages(stores.settings)}/welcome/{token}")
    typer.echo(f"It works once, for 24 hours: {account.name!r} chooses a password there.", err=True)


def _state(account: Account) -> str:
    if account.disabled_at is not None:
        return "shut out"
    return "" if account.has_password else "has no password yet"
