"""`pintag event track`, `untrack`, `allow`, `retain` and `hide`: no edits, so they lock nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from tracker.actions import governing, hiding
from tracker.cli.events.arguments import Name
from tracker.cli.store import SectionOption, Stores, UsageError
from tracker.cli.store import stores as opened
from tracker.snippets import tracking
from tracker.stores.definitions import Definition


def track(name: Name, section: SectionOption = None) -> None:
    """Switch web tracking on: from now on there is a snippet for websites to paste."""
    with opened() as stores:
        definition = stores.definition(section, name)
        note = _noted(stores, definition, "switched on web tracking of", definition.name)
        tracking.switch_on(stores.database, stores.redis, definition, datetime.now(UTC), note)
        option = stores.option(definition.section_id)
    typer.echo(f"Web tracking of {definition.name!r} is on.")
    typer.echo(f"Next: pintag snippet show {definition.slug}{option}")


def untrack(name: Name, section: SectionOption = None) -> None:
    """Switch web tracking off: the collector answers its snippets 410."""
    with opened() as stores:
        definition = stores.definition(section, name)
        note = _noted(stores, definition, "switched off web tracking of", definition.name)
        tracking.switch_off(stores.database, stores.redis, definition, note)
    typer.echo(f"Web tracking of {definition.name!r} is off.")


def allow(
    name: Name,
    deny: Annotated[
        list[str] | None, typer.Option(help="An operation, such as email:read; repeat it.")
    ] = None,
    allowed: Annotated[
        list[str] | None,
        typer.Option("--allow", help="An operation that was denied, such as email:read; repeat."),
    ] = None,
    section: SectionOption = None,
) -> None:
    """Say by which keyspaces API clients may read and write its events."""
    if not deny and not allowed:
        raise UsageError("Say what: --deny email:read, --allow crm-id:write …")
    with opened() as stores, stores.database.transaction():
        definition = governing.set_operations(
            stores.database, stores.definition(section, name), deny=deny or [], allow=allowed or []
        )
        denied = ", ".join(definition.denied_operations)
        subject = f"{definition.name}: denied are {denied or 'none'}"
        _noted(stores, definition, "set the allowed operations of", subject)()
    typer.echo(f"{definition.name!r} denies {denied or 'nothing'} to API clients.")


def retain(
    name: Name,
    days: Annotated[int | None, typer.Option(help="Delete its events after so many days.")] = None,
    for_ever: Annotated[bool, typer.Option("--for-ever", help="Keep its events.")] = False,
    section: SectionOption = None,
) -> None:
    """Say how long its events are kept."""
    if (days is None) is not for_ever:
        raise UsageError("Say how long: --days N or --for-ever.")
    with opened() as stores, stores.database.transaction():
        definition = governing.set_retention(
            stores.database, stores.definition(section, name), days
        )
        subject = f"{definition.name}: {'for ever' if days is None else f'{days:,} days'}"
        _noted(stores, definition, "set how long events live of", subject)()
    if definition.ttl_days is None:
        typer.echo(f"Events of {definition.name!r} are kept for ever.")
    else:
        typer.echo(f"Events of {definition.name!r} are deleted after {definition.ttl_days:,} days.")


def hide(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    section: SectionOption = None,
) -> None:
    """Hide an event for good, from profiles, lists and activities; deletes nothing."""
    with opened() as stores:
        definition = stores.definition(section, name, hidden_too=True)
        if definition.hidden_at is None and not yes:
            typer.echo(
                f"{definition.name!r} will vanish from profiles, lists and activities, and its"
                " snippets will be refused (410). Nothing is deleted."
            )
            question = "Are you sure you want to proceed? This action cannot be undone. Hide"
            typer.confirm(question, abort=True)
        note = _noted(stores, definition, "hid the event", definition.name)
        now = datetime.now(UTC)
        hidden = hiding.hide(stores.database, stores.redis, definition, now=now, note=note)
    typer.echo(f"{definition.name!r} is hidden{'' if hidden else ' already'}.")


def _noted(stores: Stores, of: Definition, action: str, subject: str) -> Callable[[], None]:
    return lambda: stores.note(action, subject, of.section_id)
